"""Ingest's handlers and work on the real PostgreSQL, without Kafka."""
