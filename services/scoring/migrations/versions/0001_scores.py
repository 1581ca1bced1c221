"""The inputs of scores, the scores, and the tables of messaging."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, create_roles, protect
from shared.messaging.migration import create_messaging_tables, create_tenant_rules

revision = "0001"
down_revision = None

SCHEMA = "scoring"


def _key(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def upgrade() -> None:
    create_roles(SCHEMA)
    _inputs()
    _scores()
    _work()
    create_messaging_tables(SCHEMA)


def _inputs() -> None:
    op.create_table(
        "accounts",
        _key("tenant_id"),
        _key("account_id"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="0 until a profile has come"),
        sa.Column("event_id", sa.Text),
        sa.Column("as_of", sa.Date),
        sa.Column("profile", JSONB),
        schema=SCHEMA,
    )
    op.create_table(
        "leads",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("account_version", sa.BigInteger, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column("event", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("leads_by_account", "leads", ["tenant_id", "account_id"], schema=SCHEMA)
    protect(SCHEMA, "accounts")
    protect(SCHEMA, "leads")
    allow(SCHEMA, "accounts", suffix="_metrics", privileges="SELECT")
    allow(SCHEMA, "leads", suffix="_metrics", privileges="SELECT")


def _scores() -> None:
    op.create_table(
        "emitted",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("event", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "score_history",
        _key("tenant_id"),
        _key("lead_id"),
        _key("version", sa.BigInteger),
        sa.Column("event", JSONB, nullable=False),
        sa.Column("lead_version", sa.BigInteger, nullable=False),
        sa.Column("account_version", sa.BigInteger, nullable=False),
        sa.Column("rules_version", sa.Text, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.Column(
            "scored_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        schema=SCHEMA,
    )
    protect(SCHEMA, "emitted")
    protect(SCHEMA, "score_history", privileges="SELECT, INSERT")


def _work() -> None:
    op.create_table(
        "tenants",
        _key("tenant_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        schema=SCHEMA,
    )
    create_tenant_rules(SCHEMA)
    op.create_table(
        "rescoring",
        _key("tenant_id"),
        _key("account_id"),
        sa.Column("cause", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    protect(SCHEMA, "tenants")
    protect(SCHEMA, "rescoring")
    allow(SCHEMA, "rescoring", suffix="_tick", privileges="SELECT")
