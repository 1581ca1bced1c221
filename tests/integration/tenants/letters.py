"""Dead letters that were put aside without a tenant, as what nobody can read is."""

import base64

from sqlalchemy import text

from shared.messaging.dead_letter import NO_TENANT
from tests.integration.tenants.world import World, as_owner

_ADD = text(
    "INSERT INTO scoring.dead_letters (tenant_id, consumer, topic, partition, kafka_offset, key,"
    " headers, error_class, error) VALUES (:nobody, :consumer, 't', 0, :offset, :key,"
    " jsonb_build_array(jsonb_build_array(CAST(:header AS text), CAST(:value AS text))), 'x', 'x')"
)


async def letters_of_nobody(world: World) -> None:
    """One that names the erased tenant in its key, one in its header, one that names the other."""
    of_gone = base64.b64encode(world.gone.encode()).decode()
    letters = [
        (f"{world.gone}|a", "x", "eA=="),
        ("x", "ce_tenant", of_gone),
        (f"{world.stays}|a", "x", "eA=="),
    ]
    async with as_owner(world.stack.owner_url, NO_TENANT) as connection:
        for offset, (key, header, value) in enumerate(letters):
            parameters = {"nobody": NO_TENANT, "consumer": world.gone, "offset": offset}
            words = {"key": key.encode(), "header": header, "value": value}
            await connection.execute(_ADD, parameters | words)


async def nobodys(world: World) -> list[str]:
    """The keys of those that are left."""
    statement = text("SELECT key FROM scoring.dead_letters WHERE consumer = :consumer")
    async with as_owner(world.stack.owner_url, NO_TENANT) as connection:
        keys = await connection.scalars(statement, {"consumer": world.gone})
        return [bytes(key).decode() for key in keys]
