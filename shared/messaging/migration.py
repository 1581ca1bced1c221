"""In a service's first migration: creates the tables that every service has, protected."""

from alembic import op
from sqlalchemy import MetaData

from shared.db.protection import protect
from shared.db.rules_store import tenant_rules_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    protect_messaging_tables,
    relay_holders_table,
)


def create_messaging_tables(service: str) -> None:
    """Creates the four tables in the service's schema. A later change of them is a migration of its own."""
    metadata = MetaData(schema=service)
    for make in (outbox_table, inbox_table, dead_letters_table, relay_holders_table):
        make(metadata)
    metadata.create_all(op.get_bind(), checkfirst=False)
    protect_messaging_tables(service)


def create_tenant_rules(service: str) -> None:
    """Creates the table of the tenants' rules in the service's schema."""
    metadata = MetaData(schema=service)
    tenant_rules_table(metadata).create(op.get_bind())
    protect(service, "tenant_rules")
