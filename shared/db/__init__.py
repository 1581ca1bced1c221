"""The database edge: engine, tenant-bound transactions, bulk statements, migrations, protection."""
