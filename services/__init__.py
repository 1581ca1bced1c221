"""The independent services; each meets the others on Kafka only."""
