"""An index by lead of what still waits: how a lease finds what is told of the same lead before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index(
        "deliveries_in_turn",
        "deliveries",
        ["tenant_id", "lead_id"],
        schema="notifier",
        postgresql_where=sa.text("state IN ('pending', 'retry', 'leased', 'sending')"),
    )
