"""The tables of schema `lifecycle`: leads, how they stand, do-not-contact, history, commands."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    Index,
    MetaData,
    Numeric,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.erasure import erased_tenants_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)

SCHEMA = "lifecycle"
metadata = MetaData(schema=SCHEMA)
_MOMENT = DateTime(timezone=True)

leads = Table(
    "leads",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="of the public lead"),
    Column("account_id", Text, nullable=False),
    Column("office_id", Text),
    Column("account", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("lead_type", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("score", Float, nullable=False),
    Column("territory", Text),
    Column("serial_number", Text),
    Column("value_max", Numeric, nullable=False),
    Column("currency", Text, nullable=False),
    Index("leads_by_account", "tenant_id", "account_id"),
)

statuses = Table(
    "statuses",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="of what lifecycle told last"),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("snoozed_until", _MOMENT),
    Column("follow_up_at", _MOMENT),
    Column("follow_up_note", Text, nullable=False),
    Column("follow_up_due", Boolean, nullable=False, comment="its moment has come and was told"),
    Column("do_not_contact_until", _MOMENT),
    Column("withdrawn", Boolean, nullable=False),
    Column("touched_at", _MOMENT, comment="when a person last did something about it"),
    Column("next_due", _MOMENT, comment="when the next flag falls due"),
    Index(
        "statuses_by_next_due",
        "next_due",
        postgresql_where=text("next_due IS NOT NULL"),
    ),
)

accounts = Table(
    "accounts",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("do_not_contact_until", _MOMENT),
    Column("office_id", Text, comment="which office asked for it; null: the tenant"),
)

history = Table(
    "history",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("field", Text, primary_key=True),
    Column("before", Text),
    Column("after", Text),
    Column("change", Text, nullable=False),
    Column("changed_at", _MOMENT, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("command_id", Text),
    Column("causes", JSONB, nullable=False),
)

commands = Table(
    "commands",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("command_id", Text, primary_key=True),
    Column("answer_type", Text, comment="the event that answered it; null while it is decided"),
    Column("answer", JSONB),
    Column("received_at", _MOMENT, server_default=func.now(), nullable=False),
)

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
erased_tenants = erased_tenants_table(metadata)
