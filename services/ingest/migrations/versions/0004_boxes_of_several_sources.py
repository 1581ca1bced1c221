"""Ranks once the rows of boxes that several sources held before rows were ranked (rules.md §1)."""

from alembic import op

revision = "0004"
down_revision = "0003"

# As the query rank_boxes does for the boxes of a batch. All accounts that hold such a box, those too whose
# row counts as before, are derived with the tenant's next unit of work, at the latest when its next day
# begins: each may have been told as the owner of its leads.
_RANK = """
WITH ranked AS (
    SELECT tenant_id, source, record_id, NOT removed AND row_number() OVER (
        PARTITION BY tenant_id, record_id
        ORDER BY removed, touched DESC, touched_place DESC, source) > 1 AS outranked
    FROM ingest.records WHERE kind = 'install_base'),
turned AS (
    UPDATE ingest.records AS held SET outranked = ranked.outranked
    FROM ranked
    WHERE held.tenant_id = ranked.tenant_id AND held.kind = 'install_base'
      AND held.source = ranked.source AND held.record_id = ranked.record_id
      AND held.outranked <> ranked.outranked
    RETURNING held.tenant_id, held.record_id)
INSERT INTO ingest.dirty_accounts (tenant_id, account_id)
SELECT DISTINCT held.tenant_id, held.account_id
FROM turned JOIN ingest.records AS held ON held.tenant_id = turned.tenant_id
    AND held.kind = 'install_base' AND held.record_id = turned.record_id
WHERE held.account_id IS NOT NULL
ON CONFLICT (tenant_id, account_id) DO NOTHING
"""
_TABLES = ("ingest.records", "ingest.dirty_accounts")


def upgrade() -> None:
    # Row-level security is forced on the owner too, who may see no tenant's rows meanwhile.
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_RANK)
    for table in _TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
