"""Who may do what on a broker that has an authorizer, by the map of topics: services, commands, tenants."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import CreateAclsRequest

from onelead.broker import admin_client
from onelead.edition.service import SERVICES
from onelead.lag import group_of
from shared.errors import UserError
from shared.topics import LEADS, RECORDS, RULES, TOPICS, Topic, dead_letter_of

COMMAND = "command"
"""Who runs `onelead import`, `rules`, `accounts`, `leads`; topics and rights are an administrator's."""
_OF_COMMANDS = "onelead "
_ALLOW = 3
_SECURITY_DISABLED = 54


class Kind(IntEnum):
    """Kafka's ResourceType."""

    TOPIC = 2
    GROUP = 3


class Pattern(IntEnum):
    """Kafka's PatternType."""

    LITERAL = 3
    PREFIXED = 4


class Operation(IntEnum):
    """Kafka's AclOperation; READ and WRITE include DESCRIBE."""

    READ = 3
    WRITE = 4
    DESCRIBE = 8


@dataclass(frozen=True, order=True)
class Right:
    """One thing a principal may do; with the pattern PREFIXED the name is the beginning of names."""

    kind: Kind
    name: str
    operation: Operation
    pattern: Pattern = Pattern.LITERAL


def rights_of(tenant: str) -> tuple[Right, ...]:
    """A tenant's: write its records and read its leads, in groups named `TENANT.…`; nothing else."""
    records, leads = RECORDS.for_tenant(tenant), LEADS.for_tenant(tenant)
    return (
        _on(records, Operation.WRITE),
        _on(records, Operation.DESCRIBE),
        _on(leads, Operation.READ),
        _on(leads, Operation.DESCRIBE),
        Right(Kind.GROUP, f"{tenant}.", Operation.READ, Pattern.PREFIXED),
    )


def rights_of_service(service: str, tenants: Sequence[str]) -> tuple[Right, ...]:
    """A service's: read what it consumes in its own groups, write what it produces, put aside letters.

    A tenant's topics are named one by one: Kafka knows no rule for the ends of names, and whoever
    may write each dead letter of `onelead.leads.v1.…` must not write the leads.
    """
    found: set[Right] = set()
    for topic in TOPICS:
        names = _names(topic, tenants)
        if service in topic.producers:
            found |= {_on(name, Operation.WRITE) for name in names}
        if service in topic.consumers:
            found |= {_on(name, Operation.READ) for name in names}
            found |= {_on(dead_letter_of(name), Operation.WRITE) for name in names}
            found.add(Right(Kind.GROUP, group_of(service, topic), Operation.READ))
    return tuple(sorted(found))


def rights_of_commands(tenants: Sequence[str]) -> tuple[Right, ...]:
    """Those of whoever runs commands: what the map says of them, rules in force, tenants' records."""
    found = {_on(RULES.name, Operation.READ)}
    for tenant in tenants:
        found.add(_on(RECORDS.for_tenant(tenant), Operation.WRITE))
    for topic in TOPICS:
        if any(who.startswith(_OF_COMMANDS) for who in topic.producers):
            found.add(_on(topic.name, Operation.WRITE))
        if any(who.startswith(_OF_COMMANDS) for who in topic.consumers):
            found.add(_on(topic.name, Operation.READ))
    return tuple(sorted(found))


def wanted_rights(tenants: Sequence[str]) -> dict[str, tuple[Right, ...]]:
    """Everything our own principals need, by principal: `User:onelead_scoring` as its database role."""
    found = {principal_of(name): rights_of_service(name, tenants) for name in SERVICES}
    return {**found, principal_of(COMMAND): rights_of_commands(tenants)}


def principal_of(name: str) -> str:
    """The principal of a service or of the commands."""
    return f"User:onelead_{name}"


def _on(topic: str, operation: Operation) -> Right:
    return Right(Kind.TOPIC, topic, operation)


def _names(topic: Topic, tenants: Sequence[str]) -> list[str]:
    return [topic.for_tenant(t) for t in tenants] if topic.per_tenant else [topic.name]


async def allow_tenant(bootstrap: str, tenant: str, principal: str) -> bool:
    """Grants a principal a tenant's rights, and our own principals theirs on its topics.

    False when the broker has no authorizer: everybody may do everything there. Raises UserError when
    it refuses.
    """
    return await allow(bootstrap, {principal: rights_of(tenant), **wanted_rights([tenant])})


async def allow(bootstrap: str, wanted: dict[str, tuple[Right, ...]]) -> bool:
    """Grants each principal its rights; those it has already stay. Answers and raises as above."""
    async with admin_client(bootstrap) as client:
        for principal, rights in wanted.items():
            for right in rights:
                if not await _grant(client, principal, right):
                    return False
    return True


async def _grant(client: AIOKafkaAdminClient, principal: str, right: Right) -> bool:
    request = CreateAclsRequest(
        right.kind, right.name, right.pattern, principal, "*", right.operation, _ALLOW
    )
    # The library knows the request and has no method for it.
    response = await client._send_to_controller(request)
    code, text = response.creation_responses[0]
    if code and code != _SECURITY_DISABLED:
        reason = text or for_code(code).__name__
        raise UserError(f"access for {principal} was not granted: {reason}", exit_code=1)
    return not code
