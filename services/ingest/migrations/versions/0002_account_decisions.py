"""The log of what people decided about accounts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import protect

revision = "0002"
down_revision = "0001"

SCHEMA = "ingest"


def upgrade() -> None:
    op.create_table(
        "account_decisions",
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("command_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False, comment="asked, made, undone or refused"),
        sa.Column(
            "decision", JSONB, nullable=False, comment="who, when, what, why; nothing is deleted"
        ),
        schema=SCHEMA,
    )
    protect(SCHEMA, "account_decisions", privileges="SELECT, INSERT, UPDATE")
