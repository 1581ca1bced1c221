"""Whose is a row: names and territories to accounts, with the evidence (rules.md §2)."""
