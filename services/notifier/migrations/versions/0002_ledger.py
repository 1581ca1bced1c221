"""The ledger: numbered deliveries with an id, every attempt a row, and how each sink fares."""

import uuid

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, protect

revision = "0002"
down_revision = "0001"

SCHEMA = "notifier"
_NAMESPACE = uuid.UUID("6f0d3c59-2b0b-5a0e-9a52-0d6f7d0b6c11")
_AT_ONCE = 5_000


def upgrade() -> None:
    _deliveries()
    _name_those_that_stand()
    _indexes()
    _attempts()
    _sinks()


def _deliveries() -> None:
    for column in (
        sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("delivery_id", sa.Text),
        sa.Column("account_id", sa.Text),
        sa.Column("office_id", sa.Text),
        sa.Column("score", sa.Float),
        sa.Column("receipt", JSONB, comment="what the sink gave to answer the message by"),
        sa.Column("in_doubt", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("announced", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("begun_at", sa.DateTime(timezone=True), comment="sending was first begun"),
    ):
        op.add_column("deliveries", column, schema=SCHEMA)
    op.alter_column("deliveries", "lead_id", comment="empty: about many", schema=SCHEMA)
    op.drop_constraint("deliveries_pkey", "deliveries", schema=SCHEMA)
    key = ["tenant_id", "lead_id", "episode", "purpose", "number", "channel", "target"]
    op.create_primary_key("deliveries_pkey", "deliveries", key, schema=SCHEMA)


def _name_those_that_stand() -> None:
    """Each delivery gets the id it always had in events; forced row-level security stands aside for it."""
    table = f"{SCHEMA}.deliveries"
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    connection = op.get_bind()
    columns = "tenant_id, lead_id, episode, purpose, channel, target"
    unnamed = sa.text(f"SELECT {columns} FROM {table} WHERE delivery_id IS NULL LIMIT {_AT_ONCE}")
    name = sa.text(
        f"UPDATE {table} SET delivery_id = :id, announced = state = 'cancelled',"
        " begun_at = CASE WHEN tries > 0 THEN created_at END"
        " WHERE tenant_id = :tenant_id AND lead_id = :lead_id AND episode = :episode"
        " AND purpose = :purpose AND channel = :channel AND target = :target"
    )
    while rows := connection.execute(unnamed).mappings().all():
        connection.execute(name, [{**row, "id": _id(*map(str, row.values()))} for row in rows])
    op.alter_column("deliveries", "delivery_id", nullable=False, schema=SCHEMA)
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _id(*key: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\x1f".join(key)))


def _indexes() -> None:
    op.create_index(
        "deliveries_named", "deliveries", ["tenant_id", "delivery_id"], unique=True, schema=SCHEMA
    )
    op.drop_index("deliveries_waiting", "deliveries", schema=SCHEMA)
    op.create_index(
        "deliveries_waiting",
        "deliveries",
        ["tenant_id", "channel", "target", sa.text("score DESC NULLS FIRST"), "due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('pending', 'retry')"),
    )
    op.create_index(
        "deliveries_due",
        "deliveries",
        ["tenant_id", "due_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('pending', 'retry')"),
    )
    op.create_index(
        "deliveries_ended",
        "deliveries",
        ["tenant_id"],
        schema=SCHEMA,
        postgresql_where=sa.text("state IN ('cancelled', 'folded') AND NOT announced"),
    )
    op.create_index(
        "deliveries_begun",
        "deliveries",
        ["tenant_id", "channel", "target", "begun_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("purpose = 'alert'"),
    )


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("delivery_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, comment="the try, from 1"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("latency_ms", sa.Integer),
        sa.Column("request_hash", sa.Text, comment="SHA-256 of the message as it went out"),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text, nullable=False, comment="the class of the failure, or nothing"),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("note", sa.Text),
        schema=SCHEMA,
    )
    op.create_index("attempts_old", "attempts", ["tenant_id", "started_at"], schema=SCHEMA)
    protect(SCHEMA, "attempts", privileges="SELECT, INSERT, DELETE")


def _sinks() -> None:
    op.rename_table("pauses", "sinks", schema=SCHEMA)
    op.alter_column("sinks", "paused_until", nullable=True, schema=SCHEMA)
    for column in (
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failing_since", sa.DateTime(timezone=True)),
        sa.Column("failed_at", sa.DateTime(timezone=True), comment="the last time"),
        sa.Column("open_until", sa.DateTime(timezone=True)),
        sa.Column("disabled_at", sa.DateTime(timezone=True)),
        sa.Column("reason", sa.Text),
    ):
        op.add_column("sinks", column, schema=SCHEMA)
    allow(SCHEMA, "sinks", suffix="_metrics", privileges="SELECT")
