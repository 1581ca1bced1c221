"""The whole product, as a person uses it."""
