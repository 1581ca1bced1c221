"""In a service's first migration: creates the tables that every service has, protected."""

from alembic import op
from sqlalchemy import MetaData

from shared.db.protection import allow, protect
from shared.db.rules_store import tenant_rules_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)


def create_messaging_tables(service: str) -> None:
    """Creates the four tables in the service's schema. A later change of them is a migration of its own."""
    metadata = MetaData(schema=service)
    for make in (outbox_table, inbox_table, dead_letters_table, relay_holders_table):
        make(metadata)
    metadata.create_all(op.get_bind(), checkfirst=False)
    _protect_messaging_tables(service)


def create_tenant_rules(service: str) -> None:
    """Creates the table of the tenants' rules in the service's schema."""
    metadata = MetaData(schema=service)
    tenant_rules_table(metadata).create(op.get_bind())
    protect(service, "tenant_rules")


def _protect_messaging_tables(service: str) -> None:
    """Who may do what with the four tables."""
    protect(service, "outbox", privileges="INSERT")
    protect(service, "inbox", privileges="SELECT, INSERT")
    protect(service, "dead_letters", privileges="SELECT, INSERT, UPDATE")
    protect(service, "relay_holders", privileges="SELECT")
    allow(service, "outbox", suffix="_relay", privileges="SELECT, DELETE")
    allow(service, "dead_letters", suffix="_relay", privileges="INSERT")
    allow(service, "relay_holders", suffix="_relay", privileges="SELECT, INSERT, UPDATE")
    allow(service, "outbox", suffix="_metrics", privileges="SELECT")
    allow(service, "dead_letters", suffix="_metrics", privileges="SELECT")
