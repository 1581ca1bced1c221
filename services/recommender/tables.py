"""The tables of schema `recommender`: scored leads, the catalogue by family, what was published."""

from sqlalchemy import BigInteger, Column, Index, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.erasure import erased_tenants_table
from shared.db.rules_store import tenant_rules_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)

SCHEMA = "recommender"
metadata = MetaData(schema=SCHEMA)

families = Table(
    "families",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("family", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="0 until the catalogue has come"),
    Column("event_id", Text),
    Column("event", JSONB),
)

scored = Table(
    "scored",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("family", Text, comment="whose services are offered; null: the catalogue has none"),
    Column("family_version", BigInteger, nullable=False, comment="0: none is needed"),
    Column("event_id", Text, nullable=False),
    Column("traceparent", Text),
    Column("event", JSONB, nullable=False),
    Index("scored_by_family", "tenant_id", "family"),
)

published = Table(
    "published",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("event", JSONB, nullable=False),
)

queue = Table(
    "queue",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
)

tenant_rules = tenant_rules_table(metadata)
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
erased_tenants = erased_tenants_table(metadata)
