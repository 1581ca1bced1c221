"""A tenant's rules: their shape (model), the numbers (default.yaml), and how files become them."""
