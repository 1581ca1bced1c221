"""The notifier's pure rules: outcomes, routing, messages, settings."""
