"""The pure parts of the Kafka edge."""
