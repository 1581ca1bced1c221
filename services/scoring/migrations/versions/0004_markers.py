"""The newest marker of each account: with which profile and rules the facts of its leads go."""

import sqlalchemy as sa
from alembic import op

from shared.db.protection import allow

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    for column in (
        sa.Column("marker_version", sa.BigInteger, comment="null until a marker has come"),
        sa.Column("marker_profile", sa.BigInteger, comment="the profile the leads' facts go with"),
        sa.Column("marker_rules", sa.Text, comment="the digest of the rules they go with"),
    ):
        op.add_column("accounts", column, schema="scoring")
    # So that a new release can look, tenant by tenant, for what the one before left unjudged.
    allow("scoring", "tenants", suffix="_tick", privileges="SELECT")
