"""The pure parts of operations."""
