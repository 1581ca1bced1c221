"""The tables of schema `notifier`: leads as last heard of, deliveries, sinks that asked for silence."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    MetaData,
    Numeric,
    Table,
    Text,
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
    Column("alert", JSONB, comment="as it is; none once withdrawn"),
    Column("told", JSONB, comment="as people were last told of it"),
    Column("first_seen_at", DateTime(timezone=True)),
    Column("aged_at", DateTime(timezone=True)),
)

standings = Table(
    "standings",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("owner", Text),
    Column("snoozed_until", DateTime(timezone=True)),
    Column("do_not_contact_until", DateTime(timezone=True)),
    Column("touched_at", DateTime(timezone=True)),
)

digests = Table(
    "digests",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("done_for", DateTime(timezone=True), nullable=False),
)

territory_weeks = Table(
    "territory_weeks",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("office_id", Text, primary_key=True),
    Column("territory", Text, primary_key=True),
    Column("week", Date, primary_key=True),
    Column("pipeline", Numeric, nullable=False),
)

enrolments = Table(
    "enrolments",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("contact", Text, primary_key=True),
    Column("campaign", Text, nullable=False),
    Column("round", Integer, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("next_step", Integer, nullable=False),
    Column("next_at", DateTime(timezone=True)),
    Column("state_at_start", Text, nullable=False),
    Column("ended", Text, comment="why it is over; none while it runs"),
    Column("actor", Text, nullable=False),
    Index("enrolments_due", "tenant_id", "next_at", postgresql_where=text("ended IS NULL")),
)

suppressed = Table(
    "suppressed",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("address", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("since", DateTime(timezone=True), nullable=False),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True, comment="empty: about many"),
    Column("episode", Integer, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("number", BigInteger, primary_key=True, server_default="0"),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("delivery_id", Text, nullable=False),
    Column("account_id", Text),
    Column("office_id", Text),
    Column("score", Float),
    Column("state", Text, nullable=False),
    Column("content", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("begun_at", DateTime(timezone=True), comment="sending was first begun"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0", comment="sending was begun"),
    Column("in_doubt", Boolean, nullable=False, server_default="false"),
    Column("announced", Boolean, nullable=False, server_default="false"),
    Column("lease_token", Text),
    Column("leased_until", DateTime(timezone=True)),
    Column("settled_at", DateTime(timezone=True)),
    Column("receipt", JSONB, comment="what the sink gave to answer the message by"),
    Column("note", Text, comment="the last outcome in words"),
    Column("event_id", Text, nullable=False),
    Column("traceparent", Text),
    Column("batch_id", Text),
    Index(
        "deliveries_waiting",
        "tenant_id",
        "channel",
        "target",
        text("score DESC NULLS FIRST"),
        "due_at",
        postgresql_where=text("state IN ('pending', 'retry')"),
    ),
    Index(
        "deliveries_due",
        "tenant_id",
        "due_at",
        postgresql_where=text("state IN ('pending', 'retry')"),
    ),
    # By the primary key too, but without statistics that costs no less than reading all of a tenant.
    Index(
        "deliveries_in_turn",
        "tenant_id",
        "lead_id",
        postgresql_where=text("state IN ('pending', 'retry', 'leased', 'sending')"),
    ),
    Index(
        "deliveries_leased",
        "tenant_id",
        "leased_until",
        postgresql_where=text("state IN ('leased', 'sending')"),
    ),
    Index(
        "deliveries_ended",
        "tenant_id",
        postgresql_where=text("state IN ('cancelled', 'folded') AND NOT announced"),
    ),
    Index("deliveries_named", "tenant_id", "delivery_id", unique=True),
    Index(
        "deliveries_begun",
        "tenant_id",
        "channel",
        "target",
        "begun_at",
        postgresql_where=text("purpose = 'alert'"),
    ),
)

attempts = Table(
    "attempts",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("delivery_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, comment="the try, from 1"),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("latency_ms", Integer),
    Column("request_hash", Text, comment="SHA-256 of the message as it went out"),
    Column("status", Integer),
    Column("error", Text, nullable=False, comment="the class of the failure, or nothing"),
    Column("outcome", Text, nullable=False),
    Column("note", Text),
    Index("attempts_old", "tenant_id", "started_at"),
)

sinks = Table(
    "sinks",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("paused_until", DateTime(timezone=True)),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", DateTime(timezone=True)),
    Column("failed_at", DateTime(timezone=True), comment="the last time"),
    Column("open_until", DateTime(timezone=True)),
    Column("disabled_at", DateTime(timezone=True)),
    Column("reason", Text),
)

crm_polls = Table(
    "crm_polls",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("sink", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("changed_to", DateTime(timezone=True)),
)

crm_records = Table(
    "crm_records",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("sink", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("external_id", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
)

crm_messages = Table(
    "crm_messages",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("sink", Text, primary_key=True),
    Column("message_id", Text, primary_key=True),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Index("crm_messages_received", "tenant_id", "sink", "received_at"),
)

outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
erased_tenants = erased_tenants_table(metadata)
