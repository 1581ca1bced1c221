"""The Kafka edge on the real Kafka and PostgreSQL."""
