"""What was last seen of each lead in a CRM, when each CRM was asked, and which messages it sent."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.db.protection import protect

revision = "0003"
down_revision = "0002"

SCHEMA = "notifier"


def _key(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Text, primary_key=True)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "crm_polls",
        _key("tenant_id"),
        _key("sink"),
        _moment("due_at"),
        _moment("changed_to", nullable=True),
        schema=SCHEMA,
    )
    protect(SCHEMA, "crm_polls", privileges="SELECT, INSERT, UPDATE")
    op.create_table(
        "crm_records",
        _key("tenant_id"),
        _key("sink"),
        _key("lead_id"),
        sa.Column("external_id", sa.Text, nullable=False),
        sa.Column("stage", sa.Text, nullable=False),
        _moment("changed_at"),
        schema=SCHEMA,
    )
    protect(SCHEMA, "crm_records", privileges="SELECT, INSERT, UPDATE")
    op.create_table(
        "crm_messages",
        _key("tenant_id"),
        _key("sink"),
        _key("message_id"),
        _moment("received_at"),
        schema=SCHEMA,
    )
    op.create_index(
        "crm_messages_received",
        "crm_messages",
        ["tenant_id", "sink", "received_at"],
        schema=SCHEMA,
    )
    protect(SCHEMA, "crm_messages", privileges="SELECT, INSERT, DELETE")
