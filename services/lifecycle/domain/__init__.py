"""The rules of a lead's life: pure functions from a status and a wish to the next status."""
