"""Takes in a tenant's records, reconciles accounts, keeps the install base, detects and values leads."""
