"""Tenants as a whole: what each has and where, and how it is erased from every place."""
