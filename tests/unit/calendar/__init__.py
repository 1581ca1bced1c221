"""What time alone will do."""
