"""Batches, every version of a record, accounts and their links, profiles and leads, and messaging."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, create_roles, protect
from shared.messaging.migration import create_messaging_tables, create_tenant_rules

revision = "0001"
down_revision = None

SCHEMA = "ingest"
TABLES = (
    "tenants",
    "batches",
    "record_versions",
    "findings",
    "records",
    "catalogue",
    "directory",
    "account_territories",
    "account_totals",
    "dirty_accounts",
    "profiles",
    "leads",
)


def _key(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def upgrade() -> None:
    create_roles(SCHEMA)
    _batches()
    _record_versions()
    _records()
    _accounts()
    _derived()
    for table in TABLES:
        protect(SCHEMA, table)
    _ranked_versions()
    for table in ("tenants", "batches"):
        allow(SCHEMA, table, suffix="_tick", privileges="SELECT")
    create_tenant_rules(SCHEMA)
    create_messaging_tables(SCHEMA)


def _ranked_versions() -> None:
    """The rows of a batch by record, the one that counts first; seen with the asking role's rights.

    Of a box the latest service end counts, then the earlier row; of all else the later row.
    """
    op.execute(
        """
        CREATE VIEW ingest.ranked_versions WITH (security_invoker = true) AS
        SELECT *, row_number() OVER (
            PARTITION BY tenant_id, batch_no, kind, source, record_id
            ORDER BY change_version DESC, service_end DESC NULLS LAST,
                     CASE kind WHEN 'install_base' THEN part ELSE -part END,
                     CASE kind WHEN 'install_base' THEN row_no ELSE -row_no END) AS rank
        FROM ingest.record_versions WHERE outcome <> 'quarantined'
        """
    )
    op.execute("GRANT SELECT ON ingest.ranked_versions TO onelead_ingest")


def _batches() -> None:
    op.create_table(
        "tenants",
        _key("tenant_id"),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("last_batch_no", sa.BigInteger, nullable=False),
        sa.Column("day_version", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "batches",
        _key("tenant_id"),
        _key("batch_no", sa.BigInteger),
        sa.Column("batch_id", sa.Text, nullable=False),
        sa.Column("work", sa.Text, nullable=False, comment="import, change, day or rules"),
        sa.Column(
            "state", sa.Text, nullable=False, comment="receiving, complete, applied, done, failed"
        ),
        sa.Column("parts", JSONB, nullable=False),
        sa.Column("actor", JSONB, nullable=False),
        sa.Column("expected", sa.BigInteger, comment="rows announced at completion"),
        sa.Column(
            "whole", sa.Boolean, nullable=False, comment="as many rows came as were announced"
        ),
        sa.Column("dirty_total", sa.BigInteger, nullable=False),
        sa.Column("progress_version", sa.BigInteger, nullable=False),
        sa.Column("traceparent", sa.Text),
        sa.Column(
            "opened_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        schema=SCHEMA,
    )
    op.create_index(
        "batches_by_id", "batches", ["tenant_id", "batch_id"], schema=SCHEMA, unique=True
    )


def _record_versions() -> None:
    op.create_table(
        "record_versions",
        _key("tenant_id"),
        _key("batch_no", sa.BigInteger),
        _key("part", sa.Integer),
        _key("row_no", sa.BigInteger),
        _key("kind"),
        _key("source"),
        _key("record_id"),
        sa.Column("change_version", sa.BigInteger, nullable=False, comment="0 inside a batch"),
        sa.Column(
            "outcome", sa.Text, nullable=False, comment="used, degraded, quarantined or removed"
        ),
        sa.Column("raw", JSONB, nullable=False),
        sa.Column("content", JSONB, comment="the normalised record; null when there is none"),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("account_name", sa.Text, nullable=False, server_default=""),
        sa.Column("territory_id", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Date),
        sa.Column("service_end", sa.Date),
        sa.Column(
            "closed_amount", sa.Numeric, comment="of a closed project that counts in averages"
        ),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
        ),
        schema=SCHEMA,
    )
    op.create_table(
        "findings",
        _key("tenant_id"),
        _key("batch_no", sa.BigInteger),
        _key("part", sa.Integer),
        _key("row_no", sa.BigInteger),
        _key("seq", sa.Integer),
        sa.Column("finding", JSONB, nullable=False),
        schema=SCHEMA,
    )


def _records() -> None:
    op.create_table(
        "records",
        _key("tenant_id"),
        _key("kind"),
        _key("source"),
        _key("record_id"),
        sa.Column("batch_no", sa.BigInteger, nullable=False),
        sa.Column("part", sa.Integer, nullable=False),
        sa.Column("row_no", sa.BigInteger, nullable=False),
        sa.Column("change_version", sa.BigInteger, nullable=False),
        sa.Column(
            "touched", sa.BigInteger, nullable=False, comment="the batch that last changed it"
        ),
        sa.Column("removed", sa.Boolean, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("account_name", sa.Text, nullable=False, server_default=""),
        sa.Column("territory_id", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Date),
        sa.Column("closed_amount", sa.Numeric),
        sa.Column("account_id", sa.Text),
        schema=SCHEMA,
    )
    op.create_index(
        "records_by_account", "records", ["tenant_id", "account_id", "kind"], schema=SCHEMA
    )
    op.create_index(
        "records_by_name", "records", ["tenant_id", "account_name", "territory_id"], schema=SCHEMA
    )
    op.create_index("records_by_touch", "records", ["tenant_id", "touched"], schema=SCHEMA)
    op.create_table(
        "catalogue",
        _key("tenant_id"),
        _key("family"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("entries", JSONB, nullable=False),
        schema=SCHEMA,
    )


def _accounts() -> None:
    op.create_table(
        "directory",
        _key("tenant_id"),
        _key("subject"),
        _key("name"),
        sa.Column("entry", JSONB, nullable=False, comment="an account, a link or a candidate"),
        schema=SCHEMA,
    )
    op.create_table(
        "account_territories",
        _key("tenant_id"),
        _key("territory_id"),
        _key("account_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "account_totals",
        _key("tenant_id"),
        _key("account_id"),
        sa.Column("closed_count", sa.BigInteger, nullable=False),
        sa.Column("closed_sum", sa.Numeric, nullable=False),
        schema=SCHEMA,
    )


def _derived() -> None:
    op.create_table(
        "dirty_accounts",
        _key("tenant_id"),
        _key("account_id"),
        schema=SCHEMA,
    )
    op.create_table(
        "profiles",
        _key("tenant_id"),
        _key("account_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("profile", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "leads",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("box_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("lead", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("leads_by_account", "leads", ["tenant_id", "account_id"], schema=SCHEMA)
