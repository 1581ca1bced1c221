"""Kafka edge: codec, tolerant consumers, outbox, relay, inbox and dead letters."""
