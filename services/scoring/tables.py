"""The tables of schema `scoring`: the two inputs of a score, what was emitted, every score ever."""

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, MetaData, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.erasure import erased_tenants_table
from shared.db.rules_store import tenant_rules_table
from shared.messaging.tables import (
    dead_letters_table,
    inbox_table,
    outbox_table,
    relay_holders_table,
)

SCHEMA = "scoring"
metadata = MetaData(schema=SCHEMA)

accounts = Table(
    "accounts",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("account_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, comment="0 until a profile has come"),
    Column("event_id", Text),
    Column("as_of", Date),
    Column("profile", JSONB),
    Column("marker_version", BigInteger, comment="null until a marker has come"),
    Column("marker_profile", BigInteger, comment="the profile the leads' facts go with"),
    Column("marker_rules", Text, comment="the digest of the rules they go with"),
)

leads = Table(
    "leads",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("account_version", BigInteger, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("traceparent", Text),
    Column("event", JSONB, nullable=False),
    Index("leads_by_account", "tenant_id", "account_id"),
)

emitted = Table(
    "emitted",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("event", JSONB, nullable=False),
)

score_history = Table(
    "score_history",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("event", JSONB, nullable=False),
    Column("lead_version", BigInteger, nullable=False),
    Column("account_version", BigInteger, nullable=False),
    Column("rules_version", Text, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("cause", Text, nullable=False),
    Column("changes", JSONB, nullable=False, comment="what changed: about, field, from, to"),
    Column("scored_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
)

tenants = Table(
    "tenants",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("as_of", Date, nullable=False),
)

rescoring = Table(
    "rescoring",
    metadata,
    Column("tenant_id", Text, primary_key=True),
    Column("lead_id", Text, primary_key=True),
    Column("cause", Text, nullable=False),
)

tenant_rules = tenant_rules_table(metadata)
outbox = outbox_table(metadata)
inbox = inbox_table(metadata)
dead_letters = dead_letters_table(metadata)
relay_holders = relay_holders_table(metadata)
erased_tenants = erased_tenants_table(metadata)
