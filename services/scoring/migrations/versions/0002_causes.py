"""The changes behind every score in the history; leads, not accounts, wait for their rescoring."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.protection import allow, protect

revision = "0002"
down_revision = "0001"

SCHEMA = "scoring"


def upgrade() -> None:
    op.add_column(
        "score_history",
        sa.Column(
            "changes",
            JSONB,
            nullable=False,
            server_default="[]",
            comment="what changed: about, field, from, to",
        ),
        schema=SCHEMA,
    )
    op.rename_table("rescoring", "rescoring_accounts", schema=SCHEMA)
    op.create_table(
        "rescoring",
        sa.Column("tenant_id", sa.Text, nullable=False),
        sa.Column("lead_id", sa.Text, nullable=False),
        sa.Column("cause", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "lead_id", name="rescoring_of_leads"),
        schema=SCHEMA,
    )
    _keep_what_waits()
    op.drop_table("rescoring_accounts", schema=SCHEMA)
    protect(SCHEMA, "rescoring")
    allow(SCHEMA, "rescoring", suffix="_tick", privileges="SELECT")


def _keep_what_waits() -> None:
    """The owner of the tables meets no tenant's rows, unless it says so."""
    read = ("leads", "rescoring_accounts")
    for table in read:
        op.execute(f"ALTER TABLE {SCHEMA}.{table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        f"INSERT INTO {SCHEMA}.rescoring (tenant_id, lead_id, cause)"
        f" SELECT tenant_id, lead_id, cause FROM {SCHEMA}.leads"
        f" JOIN {SCHEMA}.rescoring_accounts USING (tenant_id, account_id)"
    )
    op.execute(f"ALTER TABLE {SCHEMA}.leads FORCE ROW LEVEL SECURITY")
