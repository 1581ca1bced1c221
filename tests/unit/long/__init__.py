"""The tools of `make long`."""
