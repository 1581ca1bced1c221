"""What every service stands on: topics, the clock, rules, events, messaging, database and operations."""
