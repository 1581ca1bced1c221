"""The score of a lead, component by component."""
