"""Operations: logs, tracing, metrics, health and the life of a service process."""
