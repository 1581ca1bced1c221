"""Leads as last heard of, deliveries, pauses, and the tables of messaging."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, create_roles, protect
from shared.messaging.migration import create_messaging_tables

revision = "0001"
down_revision = None

SCHEMA = "notifier"


def _key(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    create_roles(SCHEMA)
    _leads()
    _deliveries()
    _pauses()
    create_messaging_tables(SCHEMA)


def _leads() -> None:
    op.create_table(
        "leads",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column(
            "version", sa.BigInteger, nullable=False, comment="the newest consumed; 0 for none"
        ),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        sa.Column("episode", sa.Integer, nullable=False, comment="the highest heard of"),
        sa.Column(
            "withdrawn_through", sa.Integer, nullable=False, comment="episodes no longer announced"
        ),
        schema=SCHEMA,
    )
    protect(SCHEMA, "leads", privileges="SELECT, INSERT, UPDATE")


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        _key("tenant_id"),
        _key("lead_id"),
        _key("episode", sa.Integer),
        _key("purpose"),
        _key("channel"),
        _key("target"),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        _moment("created_at", nullable=False),
        _moment("due_at", nullable=False),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column(
            "tries", sa.Integer, nullable=False, server_default="0", comment="sending was begun"
        ),
        sa.Column("lease_token", sa.Text),
        _moment("leased_until"),
        _moment("settled_at"),
        sa.Column("note", sa.Text, comment="the last outcome in words"),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("batch_id", sa.Text),
        schema=SCHEMA,
    )
    _delivery_indexes()
    protect(SCHEMA, "deliveries", privileges="SELECT, INSERT, UPDATE")
    allow(SCHEMA, "deliveries", suffix="_tick", privileges="SELECT")
    allow(SCHEMA, "deliveries", suffix="_metrics", privileges="SELECT")


def _delivery_indexes() -> None:
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["tenant_id", "channel", "target", "due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('pending', 'retry')"),
    )
    op.create_index(
        "deliveries_leased",
        "deliveries",
        ["tenant_id", "leased_until"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('leased', 'sending')"),
    )


def _pauses() -> None:
    op.create_table(
        "pauses",
        _key("tenant_id"),
        _key("channel"),
        _key("target"),
        _moment("paused_until", nullable=False),
        schema=SCHEMA,
    )
    protect(SCHEMA, "pauses", privileges="SELECT, INSERT, UPDATE")
