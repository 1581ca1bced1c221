"""The tables of schema `notifier`: leads as last heard of, deliveries, sinks that asked for silence."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)

SCHEMA = "notifier"
metadata = MetaData(schema=SCHEMA)

leads = Table(
    "leads",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="the newest consumed; 0 for none"),
    Column("withdrawn", Boolean, nullable=False),
    Column("episode", Integer, nullable=False, comment="the highest heard of"),
    Column("withdrawn_through", Integer, nullable=False, comment="episodes no longer announced"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("state", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0", comment="sending was begun"),
    Column("lease_token", Text),
    Column("leased_until", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Column("note", Text, comment="the last outcome in words"),
    Column("event_id", Text, nullable=False),
    Column("traceparent", Text),
    Column("batch_id", Text),
    Index(
        "deliveries_waiting",
        "tenant_id",
        "channel",
        "target",
        "due_at",
        postgresql_where=text("state IN ('pending', 'retry')"),
    ),
    Index(
        "deliveries_leased",
        "tenant_id",
        "leased_until",
        postgresql_where=text("state IN ('leased', 'sending')"),
    ),
)

pauses = Table(
    "pauses",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("paused_until", DateTime(timezone=True), nullable=False),
)

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
