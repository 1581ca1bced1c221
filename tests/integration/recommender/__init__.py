"""The recommender's handlers and queue on the real PostgreSQL, without Kafka."""
