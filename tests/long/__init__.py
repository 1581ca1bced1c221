"""What takes long and is run by hand: `make long`."""
