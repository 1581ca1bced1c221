"""Lifecycle: what becomes of a lead in people's hands."""
