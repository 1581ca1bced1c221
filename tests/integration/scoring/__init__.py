"""Scoring's handlers and rescoring on the real PostgreSQL, without Kafka."""
