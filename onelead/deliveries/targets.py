"""Which targets a tenant's deliveries may go to, as the sinks are configured where the command runs."""

from pathlib import Path

from onelead.notify.configured import configured
from shared.errors import UserError


async def targets_of(tenant_id: str, file: Path | None) -> frozenset[tuple[str, str]]:
    """(channel, target) of every sink that serves the tenant. Raises UserError when none is configured."""
    async with configured(file) as found:
        sinks = (sink for sink in found.plan.sinks if sink.serves(tenant_id))
        return frozenset((t.channel, t.address) for sink in sinks for t in sink.targets)


async def targets_if_known(tenant_id: str, file: Path | None) -> frozenset[tuple[str, str]] | None:
    """The same, or None where nothing is configured: then nobody can say from here."""
    try:
        return await targets_of(tenant_id, file)
    except UserError:
        if file is not None:
            raise
        return None
