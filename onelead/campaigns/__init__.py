"""The parts of `onelead campaigns`: who is to be written to, and what becomes of it."""
