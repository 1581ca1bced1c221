"""A person's commands about accounts."""
