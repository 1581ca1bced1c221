"""The office of each lead and account as it was last told (rules.md §7)."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = "ingest"


def upgrade() -> None:
    # What was told before had no office, and a tenant has none until it is given some.
    for table in ("leads", "profiles"):
        op.add_column(
            table,
            sa.Column("office_id", sa.Text, comment="null: there are no offices"),
            schema=SCHEMA,
        )
