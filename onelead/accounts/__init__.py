"""`onelead accounts`: reads a tenant's accounts from ingest's database, and asks ingest to decide."""
