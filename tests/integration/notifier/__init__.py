"""The notifier against real sockets and a real PostgreSQL."""
