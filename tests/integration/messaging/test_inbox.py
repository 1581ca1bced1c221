"""A one-shot effect happens once per event id, whatever is read again and by whom."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.messaging.codec import Received, decode
from shared.messaging.inbox import Inbox
from shared.ops.composition import Base
from tests.integration.messaging.bench import TENANT, Bench
from tests.support.kafka_record import FakeRecord


@pytest.fixture
async def base(bench: Bench) -> AsyncIterator[Base]:
    built = bench.base()
    yield built
    await built._close()


def heard(bench: Bench, *numbers: int, tenant: str = TENANT) -> list[Received]:
    return [
        decode(FakeRecord.of(bench.message(number, tenant_id=tenant), offset=place))
        for place, number in enumerate(numbers)
    ]


async def seen(base: Base, messages: list[Received], consumer: str = "c") -> list[int]:
    async with base.database.transaction({m.envelope.tenant_id for m in messages}) as connection:
        new = await base.inbox(consumer).first_seen(connection, messages)
        return [m.event.version for m in new if m.event]


async def test_each_id_is_new_once_within_a_batch_and_in_its_order(
    bench: Bench, base: Base
) -> None:
    assert await seen(base, heard(bench, 3, 1, 3, 2, 1)) == [3, 1, 2]


async def test_each_id_is_new_once_across_transactions(bench: Bench, base: Base) -> None:
    assert await seen(base, heard(bench, 1, 2)) == [1, 2]
    assert await seen(base, heard(bench, 2, 3, 1)) == [3]
    assert await seen(base, heard(bench, 1, 2, 3)) == []


async def test_each_consumer_and_each_tenant_has_its_own(bench: Bench, base: Base) -> None:
    assert await seen(base, heard(bench, 1)) == [1]
    assert await seen(base, heard(bench, 1), consumer="d") == [1]
    assert await seen(base, heard(bench, 1, tenant="other")) == [1]


async def test_no_messages_are_no_new_ones(base: Base) -> None:
    assert await seen(base, []) == []


async def test_what_is_rolled_back_was_not_seen(bench: Bench, base: Base) -> None:
    inbox = base.inbox("c")
    with pytest.raises(KeyError):
        await _see_and_fail(base, inbox, heard(bench, 1))
    assert await seen(base, heard(bench, 1)) == [1]


async def _see_and_fail(base: Base, inbox: Inbox, messages: list[Received]) -> None:
    async with base.database.transaction({TENANT}) as connection:
        assert len(await inbox.first_seen(connection, messages)) == 1
        raise KeyError("the effect failed")


async def test_two_at_the_same_time_do_not_both_see_it_first(bench: Bench, base: Base) -> None:
    numbers = range(1, 51)
    both = await asyncio.gather(
        seen(base, heard(bench, *numbers)), seen(base, heard(bench, *reversed(numbers)))
    )
    assert sorted(both[0] + both[1]) == list(numbers)
