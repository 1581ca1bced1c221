"""A tenant's offices: their files read and written, what they leave open, how they are shown."""
