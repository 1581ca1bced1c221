"""What ingest decides: accounts, profiles, leads."""
