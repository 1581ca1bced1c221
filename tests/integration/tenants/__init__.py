"""A tenant as a whole: isolated from the others, and erased from every place."""
