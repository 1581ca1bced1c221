"""The database edge on the real PostgreSQL."""
