"""Which row of a box counts, when each record last changed, and what new rules make anew."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"

SCHEMA = "ingest"


def upgrade() -> None:
    # Rules that wait since before this revision make everything anew: the default fills their rows.
    everything = '["links", "totals", "catalogue", "derivation"]'
    op.add_column(
        "batches",
        sa.Column(
            "anew",
            JSONB,
            nullable=False,
            server_default=everything,
            comment="what new rules make anew",
        ),
        schema=SCHEMA,
    )
    op.alter_column("batches", "anew", server_default="[]", schema=SCHEMA)
    op.add_column(
        "records",
        sa.Column(
            "touched_place",
            sa.BigInteger,
            nullable=False,
            server_default="0",
            comment="part and row in that batch",
        ),
        schema=SCHEMA,
    )
    op.add_column(
        "records",
        sa.Column(
            "outranked",
            sa.Boolean,
            nullable=False,
            server_default=sa.false(),
            comment="another source's row of the box counts",
        ),
        schema=SCHEMA,
    )
    op.create_index("records_by_id", "records", ["tenant_id", "kind", "record_id"], schema=SCHEMA)
    _say_what_decisions_added()


def _say_what_decisions_added() -> None:
    work = "import, change, day, rules or decision"
    op.alter_column("batches", "work", comment=work, schema=SCHEMA)
    entry = "an account (also: as decided), a link or a candidate"
    op.alter_column("directory", "entry", comment=entry, schema=SCHEMA)
