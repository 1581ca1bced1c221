"""Scored leads, the catalogue, published leads, and the tables of messaging."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, create_roles, protect
from shared.messaging.migration import create_messaging_tables, create_tenant_rules

revision = "0001"
down_revision = None

SCHEMA = "recommender"


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=True)


def upgrade() -> None:
    create_roles(SCHEMA)
    _inputs()
    _outputs()
    create_tenant_rules(SCHEMA)
    create_messaging_tables(SCHEMA)


def _inputs() -> None:
    op.create_table(
        "families",
        _key("tenant_id"),
        _key("family"),
        sa.Column(
            "version", sa.BigInteger, nullable=False, comment="0 until the catalogue has come"
        ),
        sa.Column("event_id", sa.Text),
        sa.Column("event", JSONB),
        schema=SCHEMA,
    )
    op.create_table(
        "scored",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column(
            "family", sa.Text, comment="whose services are offered; null: the catalogue has none"
        ),
        sa.Column("family_version", sa.BigInteger, nullable=False, comment="0: none is needed"),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("event", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("scored_by_family", "scored", ["tenant_id", "family"], schema=SCHEMA)
    for table in ("families", "scored"):
        protect(SCHEMA, table)
        allow(SCHEMA, table, suffix="_metrics", privileges="SELECT")


def _outputs() -> None:
    op.create_table(
        "published",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("event", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_table("queue", _key("tenant_id"), _key("lead_id"), schema=SCHEMA)
    protect(SCHEMA, "published")
    protect(SCHEMA, "queue")
    allow(SCHEMA, "queue", suffix="_tick", privileges="SELECT")
