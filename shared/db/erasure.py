"""The mark of an erased tenant: nothing of it is seen or stored again, whatever is still under way.

Read by every role of a service: as a wall in each table's row-level security, and by its consumers.
"""

from sqlalchemy import Column, DateTime, MetaData, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

ERASED_TENANTS = "erased_tenants"


def erased_tenants_table(metadata: MetaData) -> Table:
    """The tenants that were erased, or are being erased, from a service's schema."""
    return Table(
        ERASED_TENANTS,
        metadata,
        Column("tenant_id", Text, primary_key=True),
        Column("erased_at", DateTime(timezone=True), server_default=func.now(), nullable=False),
        Column("proved_at", DateTime(timezone=True), comment="when nothing was left in any table"),
    )


async def erased_among(connection: AsyncConnection, marks: Table) -> frozenset[str]:
    """Of the tenants this transaction is bound to, those that are marked as erased.

    From here to its end the transaction is one that an erasure waits for.
    """
    return frozenset((await connection.scalars(select(marks.c.tenant_id))).all())
