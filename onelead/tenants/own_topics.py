"""What a tenant has on the broker for itself: its topics, its consumer groups, the rights on them."""

import asyncio

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import for_code
from aiokafka.protocol.admin import DeleteAclsRequest, DeleteGroupsRequest, DescribeAclsRequest

from onelead.access import Kind as Resource
from onelead.access import Pattern
from onelead.broker import admin_client, wanted_topics
from onelead.messages import partitions_of, reader
from onelead.tenants.places import Counts, Found, Kind, Place
from shared import clock
from shared.errors import UserError

_ANY = 1
_SECURITY_DISABLED, _UNKNOWN_TOPIC, _NO_SUCH_GROUP, _GROUP_NOT_EMPTY = 54, 3, 69, 68
_POLL_S = 0.3
_GONE_WITHIN_S = 15.0


def own_topics(tenant_id: str) -> list[str]:
    """The names of a tenant's own topics, with their dead letters."""
    inner = {topic.name for topic in wanted_topics([])}
    return [topic.name for topic in wanted_topics([tenant_id]) if topic.name not in inner]


class OwnTopics:
    """One tenant's own part of the broker."""

    def __init__(self, bootstrap: str, tenant_id: str) -> None:
        self._bootstrap = bootstrap
        self._names = own_topics(tenant_id)
        self._groups = f"{tenant_id}."

    async def count(self) -> Counts:
        """Its topics and what is on them, its groups, the rights on both."""
        async with admin_client(self._bootstrap) as client:
            there = set(await client.list_topics())
            groups = await self._groups_on(client)
            found = {Place(Kind.TOPIC, n): Found(int(n in there)) for n in self._names}
            for pattern, name in self._guarded():
                rights = await _rights(client, pattern, name)
                if rights:
                    found[Place(Kind.RIGHTS, name)] = Found(rights)
        here = [name for name in self._names if name in there]
        messages = await self._messages(here) if here else {}
        found |= {Place(Kind.MESSAGES, name): Found(count) for name, count in messages.items()}
        return found | {Place(Kind.GROUP, group): Found(1) for group in groups}

    async def remove(self) -> None:
        """Takes the rights away, then the topics, then the groups; waits until they are gone.

        A group with members stays until they leave.
        """
        async with admin_client(self._bootstrap) as client:
            for pattern, name in self._guarded():
                await _revoke(client, pattern, name)
            await self._delete_topics(client)
            deadline_s = clock.monotonic_s() + _GONE_WITHIN_S
            while clock.monotonic_s() < deadline_s:
                groups = await self._groups_on(client)
                for group in groups:
                    await _delete_group(client, group)
                if not groups and not set(self._names) & set(await client.list_topics()):
                    return
                await asyncio.sleep(_POLL_S)

    def _guarded(self) -> list[tuple[Pattern, str]]:
        """What rights are given on: each topic, and the beginning of the groups' names."""
        return [
            *((Pattern.LITERAL, name) for name in self._names),
            (Pattern.PREFIXED, self._groups),
        ]

    async def _groups_on(self, client: AIOKafkaAdminClient) -> list[str]:
        names = (group[0] for group in await client.list_consumer_groups())
        return sorted(name for name in names if name.startswith(self._groups))

    async def _messages(self, names: list[str]) -> dict[str, int]:
        async with reader(self._bootstrap) as consumer:
            partitions = await partitions_of(consumer, *names)
            begins = await consumer.beginning_offsets(partitions)
            ends = await consumer.end_offsets(partitions)
        found = dict.fromkeys(names, 0)
        for partition in partitions:
            found[partition.topic] += ends[partition] - begins[partition]
        return found

    async def _delete_topics(self, client: AIOKafkaAdminClient) -> None:
        here = sorted(set(self._names) & set(await client.list_topics()))
        if not here:
            return
        response = await client.delete_topics(here)
        for name, code, *_ in response.topic_error_codes:
            if code not in (0, _UNKNOWN_TOPIC):
                reason = for_code(code).__name__
                raise UserError(f"topic {name} could not be deleted: {reason}", exit_code=1)


def _resource(pattern: Pattern) -> Resource:
    return Resource.GROUP if pattern is Pattern.PREFIXED else Resource.TOPIC


async def _rights(client: AIOKafkaAdminClient, pattern: Pattern, name: str) -> int:
    """How many rights are given on a topic or on groups, to whomever."""
    request = DescribeAclsRequest(
        _resource(pattern),
        name,
        pattern,
        None,
        None,
        _ANY,
        _ANY,
    )
    response = await client._send_to_controller(request)
    if response.error_code not in (0, _SECURITY_DISABLED):
        reason = response.error_message or for_code(response.error_code).__name__
        raise UserError(f"the rights on {name} cannot be read: {reason}", exit_code=1)
    return sum(len(acls) for *_, acls in response.resources)


async def _revoke(client: AIOKafkaAdminClient, pattern: Pattern, name: str) -> None:
    request = DeleteAclsRequest(
        _resource(pattern),
        name,
        pattern,
        None,
        None,
        _ANY,
        _ANY,
    )
    response = await client._send_to_controller(request)
    for code, message, *_ in response.filter_responses:
        if code not in (0, _SECURITY_DISABLED):
            reason = message or for_code(code).__name__
            raise UserError(f"the rights on {name} were not taken away: {reason}", exit_code=1)


async def _delete_group(client: AIOKafkaAdminClient, group: str) -> None:
    node = await client.find_coordinator(group)
    response = await client._send_request(DeleteGroupsRequest([group]), node)
    for _, code in response.results:
        if code not in (0, _NO_SUCH_GROUP, _GROUP_NOT_EMPTY):
            reason = for_code(code).__name__
            raise UserError(f"group {group} could not be deleted: {reason}", exit_code=1)
