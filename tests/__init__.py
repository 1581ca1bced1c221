"""The tests of OneLead."""
