"""What others rely on: events, schemas, topics, and the files that run and watch the services."""
