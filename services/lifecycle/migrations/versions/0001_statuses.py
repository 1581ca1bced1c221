"""Leads, how they stand, do-not-contact by account, history, commands, and the tables of messaging."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, create_roles, protect
from shared.messaging.migration import create_messaging_tables

revision = "0001"
down_revision = None

SCHEMA = "lifecycle"


def _key(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def _text(name: str, *, nullable: bool = False, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, nullable=nullable, comment=comment)


def _moment(name: str, *, comment: str | None = None) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), comment=comment)


def upgrade() -> None:
    create_roles(SCHEMA)
    _leads()
    _statuses()
    _history()
    create_messaging_tables(SCHEMA)


def _leads() -> None:
    op.create_table(
        "leads",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the public lead"),
        _text("account_id"),
        _text("office_id", nullable=True),
        _text("account"),
        _text("title"),
        _text("lead_type"),
        _text("priority"),
        sa.Column("score", sa.Float, nullable=False),
        _text("territory", nullable=True),
        _text("serial_number", nullable=True),
        sa.Column("value_max", sa.Numeric, nullable=False),
        _text("currency"),
        schema=SCHEMA,
    )
    op.create_index("leads_by_account", "leads", ["tenant_id", "account_id"], schema=SCHEMA)
    op.create_table(
        "accounts",
        _key("tenant_id"),
        _key("account_id"),
        _moment("do_not_contact_until"),
        _text("office_id", nullable=True, comment="which office asked for it; null: the tenant"),
        schema=SCHEMA,
    )
    protect(SCHEMA, "leads", privileges="SELECT, INSERT, UPDATE")
    protect(SCHEMA, "accounts", privileges="SELECT, INSERT, UPDATE")


def _statuses() -> None:
    op.create_table(
        "statuses",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of what lifecycle told last"),
        _text("state"),
        _text("owner", nullable=True),
        _moment("snoozed_until"),
        _moment("follow_up_at"),
        _text("follow_up_note"),
        sa.Column(
            "follow_up_due", sa.Boolean, nullable=False, comment="its moment has come and was told"
        ),
        _moment("do_not_contact_until"),
        sa.Column("withdrawn", sa.Boolean, nullable=False),
        _moment("touched_at", comment="when a person last did something about it"),
        _moment("next_due", comment="when the next flag falls due"),
        schema=SCHEMA,
    )
    op.create_index(
        "statuses_by_next_due",
        "statuses",
        ["next_due"],
        schema=SCHEMA,
        postgresql_where=sa.text("next_due IS NOT NULL"),
    )
    protect(SCHEMA, "statuses", privileges="SELECT, INSERT, UPDATE")
    allow(SCHEMA, "statuses", suffix="_tick", privileges="SELECT")


def _history() -> None:
    op.create_table(
        "history",
        _key("tenant_id"),
        _key("lead_id"),
        _key("version", sa.BigInteger),
        _key("field"),
        _text("before", nullable=True),
        _text("after", nullable=True),
        _text("change"),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        _text("actor_kind"),
        _text("actor_id"),
        _text("why"),
        _text("command_id", nullable=True),
        sa.Column("causes", JSONB, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "commands",
        _key("tenant_id"),
        _key("command_id"),
        _text(
            "answer_type",
            nullable=True,
            comment="the event that answered it; null while it is decided",
        ),
        sa.Column("answer", JSONB),
        sa.Column(
            "received_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        schema=SCHEMA,
    )
    protect(SCHEMA, "history", privileges="SELECT, INSERT")
    protect(SCHEMA, "commands", privileges="SELECT, INSERT, UPDATE")
