"""The one-machine edition: a real Kafka and PostgreSQL from packages, and every service as a process."""
