"""The tables of schema `ingest`: work, every version of a record, accounts and links, what was emitted."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeEngine

from shared.db.erasure import erased_tenants_table
from shared.db.rules_store import tenant_rules_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)

SCHEMA = "ingest"
metadata = MetaData(schema=SCHEMA)


def _key(name: str, kind: type[TypeEngine[Any]] = Text) -> Column[Any]:
    return Column(name, kind, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, Text, nullable=False, server_default="")


def _table(name: str, *columns: Column[Any] | Index) -> Table:
    return Table(name, metadata, _key("tenant_id"), *columns)


tenants = _table(
    "tenants",
    Column("as_of", Date, nullable=False),
    Column("last_batch_no", BigInteger, nullable=False),
    Column("day_version", BigInteger, nullable=False),
)

batches = _table(
    "batches",
    _key("batch_no", BigInteger),
    Column("batch_id", Text, nullable=False),
    Column("work", Text, nullable=False, comment="import, change, day, rules or decision"),
    Column("state", Text, nullable=False, comment="receiving, complete, applied, done, failed"),
    Column("parts", JSONB, nullable=False),
    Column("actor", JSONB, nullable=False),
    Column("expected", BigInteger, comment="rows announced at completion"),
    Column("whole", Boolean, nullable=False, comment="as many rows came as were announced"),
    Column("dirty_total", BigInteger, nullable=False),
    Column("progress_version", BigInteger, nullable=False),
    Column("traceparent", Text),
    Column("anew", JSONB, nullable=False, comment="what new rules make anew"),
    Column("opened_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
    Index("batches_by_id", "tenant_id", "batch_id", unique=True),
)

record_versions = _table(
    "record_versions",
    _key("batch_no", BigInteger),
    _key("part", Integer),
    _key("row_no", BigInteger),
    _key("kind"),
    _key("source"),
    _key("record_id"),
    Column("change_version", BigInteger, nullable=False, comment="0 inside a batch"),
    Column("outcome", Text, nullable=False, comment="used, degraded, quarantined or removed"),
    Column("raw", JSONB, nullable=False),
    Column("content", JSONB, comment="the normalised record; null when there is none"),
    Column("content_hash", Text, nullable=False),
    _text("account_name"),
    _text("territory_id"),
    Column("created", Date),
    Column("service_end", Date),
    Column("closed_amount", Numeric, comment="of a closed project that counts in averages"),
    Column("event_id", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)

findings = _table(
    "findings",
    _key("batch_no", BigInteger),
    _key("part", Integer),
    _key("row_no", BigInteger),
    _key("seq", Integer),
    Column("finding", JSONB, nullable=False),
)

records = _table(
    "records",
    _key("kind"),
    _key("source"),
    _key("record_id"),
    Column("batch_no", BigInteger, nullable=False),
    Column("part", Integer, nullable=False),
    Column("row_no", BigInteger, nullable=False),
    Column("change_version", BigInteger, nullable=False),
    Column("touched", BigInteger, nullable=False, comment="the batch that last changed it"),
    Column("touched_place", BigInteger, nullable=False, comment="part and row in that batch"),
    Column("outranked", Boolean, nullable=False, comment="another source's row of the box counts"),
    Column("removed", Boolean, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("content_hash", Text, nullable=False),
    _text("account_name"),
    _text("territory_id"),
    Column("created", Date),
    Column("closed_amount", Numeric),
    Column("account_id", Text),
    Index("records_by_account", "tenant_id", "account_id", "kind"),
    Index("records_by_touch", "tenant_id", "touched"),
    Index("records_by_id", "tenant_id", "kind", "record_id"),
    Index("records_by_name", "tenant_id", "account_name", "territory_id"),
)

directory = _table(
    "directory",
    _key("subject"),
    _key("name"),
    Column(
        "entry",
        JSONB,
        nullable=False,
        comment="an account (also: as decided), a link or a candidate",
    ),
)

account_decisions = _table(
    "account_decisions",
    _key("number", BigInteger),
    Column("command_id", Text, nullable=False),
    Column("state", Text, nullable=False, comment="asked, made, undone or refused"),
    Column("decision", JSONB, nullable=False, comment="who, when, what, why; nothing is deleted"),
)

account_territories = _table(
    "account_territories",
    _key("territory_id"),
    _key("account_id"),
)

account_totals = _table(
    "account_totals",
    _key("account_id"),
    Column("closed_count", BigInteger, nullable=False),
    Column("closed_sum", Numeric, nullable=False),
)

dirty_accounts = _table("dirty_accounts", _key("account_id"))
unmarked_accounts = _table("unmarked_accounts", _key("account_id"))

profiles = _table(
    "profiles",
    _key("account_id"),
    Column("version", BigInteger, nullable=False),
    Column("profile", JSONB, nullable=False),
    Column("office_id", Text, comment="null: there are no offices"),
)

leads = _table(
    "leads",
    _key("lead_id"),
    Column("account_id", Text, nullable=False),
    Column("box_id", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("lead", JSONB, nullable=False),
    Column("office_id", Text, comment="null: there are no offices"),
    Column("account_version", BigInteger, comment="the profile with which it was told"),
    Column("derived_by", Text, comment="the digest of the rules by which it was told"),
    Index("leads_by_account", "tenant_id", "account_id"),
)

markers = _table(
    "markers",
    _key("account_id"),
    Column("version", BigInteger, nullable=False),
    Column("account_version", BigInteger, nullable=False),
    Column("derived_by", Text, nullable=False),
)

catalogue = _table(
    "catalogue",
    _key("family"),
    Column("version", BigInteger, nullable=False),
    Column("entries", JSONB, nullable=False),
)

tenant_rules = tenant_rules_table(metadata)
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
erased_tenants = erased_tenants_table(metadata)
