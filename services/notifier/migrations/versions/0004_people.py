"""Leads as they are and as they stand in people's hands; digests made; campaigns and whom not to write to."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, protect

revision = "0004"
down_revision = "0003"

SCHEMA = "notifier"


def _key(name: str, kind: type[sa.types.TypeEngine[Any]] = sa.Text) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True)


def _moment(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for column in (
        sa.Column("alert", JSONB, comment="as it is; none once withdrawn"),
        sa.Column("told", JSONB, comment="as people were last told of it"),
        _moment("first_seen_at"),
        _moment("aged_at"),
    ):
        op.add_column("leads", column, schema=SCHEMA)
    _standings()
    _digests()
    _campaigns()


def _standings() -> None:
    op.create_table(
        "standings",
        _key("tenant_id"),
        _key("lead_id"),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        _moment("snoozed_until"),
        _moment("do_not_contact_until"),
        _moment("touched_at"),
        schema=SCHEMA,
    )
    protect(SCHEMA, "standings", privileges="SELECT, INSERT, UPDATE")


def _digests() -> None:
    op.create_table(
        "digests",
        _key("tenant_id"),
        _key("kind"),
        _moment("done_for", nullable=False),
        schema=SCHEMA,
    )
    protect(SCHEMA, "digests", privileges="SELECT, INSERT, UPDATE")
    allow(SCHEMA, "digests", suffix="_tick", privileges="SELECT")
    op.create_table(
        "territory_weeks",
        _key("tenant_id"),
        _key("office_id"),
        _key("territory"),
        _key("week", sa.Date),
        sa.Column("pipeline", sa.Numeric, nullable=False),
        schema=SCHEMA,
    )
    protect(SCHEMA, "territory_weeks", privileges="SELECT, INSERT, UPDATE")


def _campaigns() -> None:
    op.create_table(
        "enrolments",
        _key("tenant_id"),
        _key("lead_id"),
        _key("contact"),
        sa.Column("campaign", sa.Text, nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        _moment("started_at", nullable=False),
        sa.Column("next_step", sa.Integer, nullable=False),
        _moment("next_at"),
        sa.Column("state_at_start", sa.Text, nullable=False),
        sa.Column("ended", sa.Text, comment="why it is over; none while it runs"),
        sa.Column("actor", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "enrolments_due",
        "enrolments",
        ["tenant_id", "next_at"],
        schema=SCHEMA,
        postgresql_where=sa.text("ended IS NULL"),
    )
    protect(SCHEMA, "enrolments", privileges="SELECT, INSERT, UPDATE")
    allow(SCHEMA, "enrolments", suffix="_tick", privileges="SELECT")
    op.create_table(
        "suppressed",
        _key("tenant_id"),
        _key("address"),
        sa.Column("reason", sa.Text, nullable=False),
        _moment("since", nullable=False),
        schema=SCHEMA,
    )
    protect(SCHEMA, "suppressed", privileges="SELECT, INSERT, DELETE")
