"""Who may do what on a tenant's topics, as access rules on a broker that has an authorizer."""

from dataclasses import dataclass

from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from onelead.broker import admin_client
from shared.errors import UserError
from shared.topics import LEADS, RECORDS

# The numbers of Kafka's protocol (ResourceType, PatternType, AclOperation, AclPermissionType).
_TOPIC, _GROUP = 2, 3
_LITERAL, _PREFIXED = 3, 4
_READ, _WRITE, _DESCRIBE = 3, 4, 8
_ALLOW = 3
_SECURITY_DISABLED = 54


@dataclass(frozen=True)
class Right:
    """One thing a principal may do; a group's name is a prefix."""

    kind: int
    name: str
    pattern: int
    operation: int


def rights_of(tenant: str) -> tuple[Right, ...]:
    """Write its records and read its leads, in consumer groups named `TENANT.…`; nothing else."""
    records, leads = RECORDS.for_tenant(tenant), LEADS.for_tenant(tenant)
    return (
        Right(_TOPIC, records, _LITERAL, _WRITE),
        Right(_TOPIC, records, _LITERAL, _DESCRIBE),
        Right(_TOPIC, leads, _LITERAL, _READ),
        Right(_TOPIC, leads, _LITERAL, _DESCRIBE),
        Right(_GROUP, f"{tenant}.", _PREFIXED, _READ),
    )


async def allow_tenant(bootstrap: str, tenant: str, principal: str) -> bool:
    """Grants a principal a tenant's rights.

    False when the broker has no authorizer: everybody may do everything there. Raises UserError when
    it refuses.
    """
    async with admin_client(bootstrap) as client:
        for right in rights_of(tenant):
            request = CreateAclsRequest(
                right.kind, right.name, right.pattern, principal, "*", right.operation, _ALLOW
            )
            # The library knows the request and has no method for it.
            response = await client._send_to_controller(request)
            code, text = response.creation_responses[0]
            if code == _SECURITY_DISABLED:
                return False
            if code:
                reason = text or for_code(code).__name__
                raise UserError(f"access for {principal} was not granted: {reason}", exit_code=1)
    return True
