"""An erased tenant is gone from every place, the others are untouched, and a kill is made up for."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from sqlalchemy.engine import URL

from onelead.broker import admin_client, existing_topics
from onelead.messages import read_from_beginning
from onelead.tenants.erasing import Erasure, Progress
from onelead.tenants.own_topics import own_topics
from onelead.tenants.places import Counts, Found, Kind, Place, Proof
from onelead.tenants.rows import TenantRows
from onelead.tenants.whose_message import is_of
from shared import clock
from shared.errors import UserError
from shared.topics import ACCOUNTS, LEADS_SCORED, TOPICS
from tests.integration.tenants.letters import letters_of_nobody, nobodys
from tests.integration.tenants.world import World, a_name, rows_of, tables_of
from tests.support.stack import Stack

NOW = timedelta()


@asynccontextmanager
async def erasure(world: World, progress: Progress = lambda _: None) -> AsyncIterator[Erasure]:
    async with TenantRows(world.stack.owner_url, world.gone, rows_per_step=2) as rows:
        yield Erasure(world.stack.bootstrap, rows, world.gone, progress, wait_for_relays=NOW)


async def erased(world: World) -> Proof:
    """The tenant is erased; returns what was found and left."""
    async with erasure(world) as work:
        return await work.erase(await work.look())


async def groups(client: AIOKafkaAdminClient) -> set[str]:
    return {group[0] for group in await client.list_consumer_groups()}


def places_of(counts: Counts, kind: Kind) -> dict[str, int]:
    return {place.name: found.count for place, found in counts.items() if place.kind is kind}


async def test_a_look_finds_a_tenant_in_every_table_and_on_every_topic(world: World) -> None:
    async with erasure(world) as work:
        found = await work.look()
    rows = places_of(found, Kind.ROWS)
    tables = {str(table) for table in await tables_of(world.stack.owner_url)}
    assert {table for table in tables if rows[table] == 0} == set()
    messages = places_of(found, Kind.MESSAGES)
    for topic in TOPICS:
        assert messages[topic.for_tenant(world.gone)] >= 1, topic.name
    assert set(places_of(found, Kind.TOPIC)) == set(own_topics(world.gone))
    assert places_of(found, Kind.GROUP) == {f"{world.gone}.reader": 1}


async def test_nothing_is_left_but_what_only_time_takes_and_the_other_tenant_is_untouched(
    world: World,
) -> None:
    here = world.stack
    before = await rows_of(here.owner_url, world.stays)
    proof = await erased(world)
    assert not proof.remains
    assert await rows_of(here.owner_url, world.gone) == {}
    assert await rows_of(here.owner_url, world.stays) == before
    topics = await existing_topics(here.bootstrap)
    assert not topics & set(own_topics(world.gone))
    assert set(own_topics(world.stays)) <= topics
    async with admin_client(here.bootstrap) as client:
        there = await groups(client)
    assert f"{world.gone}.reader" not in there
    assert f"{world.stays}.reader" in there
    for line in proof.lines:
        if line.after.count:
            assert line.place.kind is Kind.MESSAGES
            assert line.after.until is not None
            assert clock.now() < line.after.until < clock.now() + timedelta(days=40)


async def test_the_last_word_on_a_compacted_topic_is_a_tombstone_for_each_key(
    world: World,
) -> None:
    await erased(world)
    for tenant, expected in ((world.gone, {None}), (world.stays, {b"{}"})):
        records = await read_from_beginning(world.stack.bootstrap, ACCOUNTS.name)
        last = {r.key: r.value for r in records if is_of(r, tenant)}
        assert set(last.values()) == expected


async def test_what_begins_a_shared_topic_with_one_tenant_alone_is_deleted_at_once(
    world: World,
) -> None:
    proof = await erased(world)
    after = {line.place.name: line.after for line in proof.lines}
    records = await read_from_beginning(world.stack.bootstrap, LEADS_SCORED.name)
    left = [record for record in records if is_of(record, world.gone)]
    assert len(left) == after[LEADS_SCORED.name].count
    firsts = {r.partition: r for r in reversed(records)}
    assert not any(is_of(first, world.gone) for first in firsts.values())


class KilledError(Exception):
    """What the test throws into an erasure."""


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2, 4, 12, 24, 26, 40, 60])
async def test_an_erasure_that_was_killed_is_finished_by_the_next_one(
    world: World, step: int
) -> None:
    said: list[str] = []

    def killing(text: str) -> None:
        said.append(text)
        if len(said) == step:
            raise KilledError(text)

    async with erasure(world) as work:
        before = await work.look()
    with pytest.raises(KilledError):
        async with erasure(world, killing) as broken:
            await broken.erase(before)
    proof = await erased(world)
    assert not proof.remains
    assert await rows_of(world.stack.owner_url, world.gone) == {}


async def test_an_erasure_of_nothing_leaves_nothing_and_says_so(world: World) -> None:
    await erased(world)
    proof = await erased(world)
    assert not proof.remains
    assert {line.before for line in proof.lines if line.place.kind is not Kind.MESSAGES} == {0}


async def test_letters_of_no_known_tenant_that_name_it_go_too(migrated: Stack) -> None:
    world = World(migrated, a_name(), a_name())
    await letters_of_nobody(world)
    async with TenantRows(migrated.owner_url, world.gone) as rows:
        tables = await rows.tables()
        counts = await rows.count(tables)
        assert sum(f.count for place, f in counts.items() if "no known" in place.name) == 2
        await rows.delete(tables, lambda _: None)
    assert await nobodys(world) == [f"{world.stays}|a"]


async def test_a_login_that_does_not_see_the_rows_proves_nothing(
    migrated: Stack, role_urls: Mapping[str, URL]
) -> None:
    stranger = role_urls["ingest"].render_as_string(hide_password=False)
    async with TenantRows(stranger, a_name()) as rows:
        with pytest.raises(UserError, match="would not see"):
            await rows.tables()


def test_what_remains_without_an_end_is_no_proof() -> None:
    place = Place(Kind.ROWS, "ingest.leads")
    assert Proof.of("a", {place: Found(2)}, {place: Found(1)}).remains
    assert Proof.of("a", {}, {place: Found(1)}).remains
    assert not Proof.of("a", {place: Found(2)}, {}).remains
    timed = Proof.of("a", {place: Found(2)}, {place: Found(1, clock.now())})
    assert not timed.remains
    assert timed.expires is not None
