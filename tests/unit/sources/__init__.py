"""How files become tables, rows and events."""
