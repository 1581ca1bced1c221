"""By which profile and rules leads were told, and what says that they stay under others."""

import sqlalchemy as sa
from alembic import op

from shared.db.protection import protect

revision = "0007"
down_revision = "0006"

SCHEMA = "ingest"


def upgrade() -> None:
    # Of leads told before this nobody knows: their accounts are marked when they are next derived.
    for column in (
        sa.Column("account_version", sa.BigInteger, comment="the profile with which it was told"),
        sa.Column("derived_by", sa.Text, comment="the digest of the rules by which it was told"),
    ):
        op.add_column("leads", column, schema=SCHEMA)
    op.create_table(
        "markers",
        *_key(),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("account_version", sa.BigInteger, nullable=False),
        sa.Column("derived_by", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_table("unmarked_accounts", *_key(), schema=SCHEMA)
    for table in ("markers", "unmarked_accounts"):
        protect(SCHEMA, table)


def _key() -> tuple[sa.Column[str], sa.Column[str]]:
    return (
        sa.Column("tenant_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
    )
