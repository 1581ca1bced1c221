"""The tables every service keeps for messaging: outbox, inbox, dead letters and relay holders."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB


def outbox_table(metadata: MetaData) -> Table:
    """Messages that are committed and not yet acknowledged by the broker."""
    return Table(
        "outbox",
        metadata,
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("tenant_id", Text, nullable=False),
        Column("shard", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary),
        Column("created_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
        Index("outbox_by_shard", "shard", "id"),
    )


def inbox_table(metadata: MetaData) -> Table:
    """Events whose one-shot effect has happened."""
    return Table(
        "inbox",
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("consumer", Text, primary_key=True),
        Column("event_id", Text, primary_key=True),
        Column("received_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    )


def dead_letters_table(metadata: MetaData) -> Table:
    """Messages that could not be handled, whole, with where they stood and why they failed."""
    return Table(
        "dead_letters",
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("consumer", Text, primary_key=True),
        Column("topic", Text, primary_key=True),
        Column("partition", Integer, primary_key=True),
        Column("kafka_offset", BigInteger, primary_key=True),
        Column("id", BigInteger, Identity(), nullable=False, unique=True),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary),
        Column("error_class", Text, nullable=False),
        Column("error", Text, nullable=False),
        Column("state", Text, nullable=False, server_default="open"),
        Column("received_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    )


def relay_holders_table(metadata: MetaData) -> Table:
    """Who publishes a shard of the outbox, and whether the last one left cleanly."""
    return Table(
        "relay_holders",
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("shard", SmallInteger, primary_key=True),
        Column("holder", Text, nullable=False),
        Column("clean", Boolean, nullable=False),
        Column("changed_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    )
