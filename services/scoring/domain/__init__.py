"""The pure heart of scoring: facts, profile and rules in, a score with its ledger out."""
