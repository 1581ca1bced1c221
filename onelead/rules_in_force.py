"""A tenant's rules as the compacted topic holds them; the defaults until some were applied."""

from onelead.messages import read_from_beginning
from shared.events import RulesApplied
from shared.messaging.codec import UnreadableMessageError, decode
from shared.rules.load import default_rules, parse_rules
from shared.rules.model import Rules
from shared.topics import RULES


async def rules_of(bootstrap: str, tenant: str) -> tuple[Rules, bool]:
    """The rules of a tenant, and whether they were applied (else: the defaults)."""
    latest = await applied_rules(bootstrap, tenant)
    return (default_rules(), False) if latest is None else (parse_rules(latest.rules), True)


async def applied_rules(bootstrap: str, tenant: str) -> RulesApplied | None:
    """The newest rules that were applied for a tenant: those that the services hold."""
    latest: RulesApplied | None = None
    for record in await read_from_beginning(bootstrap, RULES.name):
        try:
            received = decode(record)
        except UnreadableMessageError:
            continue  # the services have put it aside
        event = received.event
        if (
            received.envelope.tenant_id == tenant
            and isinstance(event, RulesApplied)
            and (latest is None or latest.version < event.version)
        ):
            latest = event
    return latest
