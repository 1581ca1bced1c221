"""Puts a tenant's rules in force: publishes them on the compacted topic when they differ from the last."""

from onelead import broker
from onelead.messages import publisher
from onelead.rules_in_force import applied_rules
from onelead.whose import checked_tenant
from shared.errors import UserError
from shared.events import Actor, RulesApplied
from shared.messaging.codec import encode
from shared.messaging.versions import next_version
from shared.rules.load import rules_document, rules_version
from shared.rules.model import Rules
from shared.topics import RULES


async def refuse_unknown(bootstrap: str, tenant: str) -> None:
    """Raises UserError for a tenant that nobody added: a slip of the pen, most of the time."""
    checked_tenant(tenant)
    if tenant not in (known := await broker.tenants_on(bootstrap)):
        there_are = f"there are: {', '.join(known)}" if known else "there is none yet"
        raise UserError(
            f"there is no tenant {tenant}", hint=f"`onelead tenants add {tenant}`; {there_are}"
        )


async def put_in_force(bootstrap: str, tenant: str, rules: Rules, *, by: str) -> bool:
    """Publishes rules that differ from those applied last. Returns whether they do."""
    held = await applied_rules(bootstrap, tenant)
    if held is not None and held.rules_version == rules_version(rules):
        return False
    event = RulesApplied(
        # Above the last one even where the clock that numbered it was ahead of ours.
        version=next_version(held.version if held else None),
        actor=Actor(kind="command", id=by),
        rules_version=rules_version(rules),
        rules=rules_document(rules),
    )
    message = encode(
        event, tenant_id=tenant, source="onelead", subject=tenant, topic=RULES.name, key=tenant
    )
    async with publisher(bootstrap) as out_to:
        await out_to.send([message])
    return True
