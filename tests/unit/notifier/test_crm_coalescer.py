import asyncio
from collections.abc import Sequence

import pytest

from services.notifier.channels.crm.coalescer import Bounds, Coalescer
from services.notifier.domain.attempt import Delivered, Outcome, Rejected, Unsure


class Calls:
    """What went out, call by call; `gate` holds calls back."""

    def __init__(self) -> None:
        self.made: list[list[str]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun = asyncio.Event()
        self.under_way = 0

    async def __call__(self, items: Sequence[str]) -> list[Outcome]:
        self.under_way += 1
        assert self.under_way == 1
        self.made.append(list(items))
        self.begun.set()
        await self.gate.wait()
        self.under_way -= 1
        if "boom" in items:
            raise ConnectionError("boom")
        return [Rejected(i) if i.startswith("bad") else Delivered(i) for i in items]


def coalescer(calls: Calls, items: int = 200, size: int = 1_000) -> Coalescer[str]:
    return Coalescer(
        calls, key=lambda item: item.partition("/")[0], size=len, bounds=Bounds(items, size)
    )


async def test_what_comes_together_leaves_in_one_call_and_each_gets_its_own_outcome() -> None:
    calls = Calls()
    joined = coalescer(calls)
    outcomes = await asyncio.gather(*(joined.submit(i) for i in ("a", "bad", "c")))
    assert calls.made == [["a", "bad", "c"]]
    assert outcomes == [Delivered("a"), Rejected("bad"), Delivered("c")]


@pytest.mark.parametrize(("items", "size", "expected"), [(2, 1_000, 3), (200, 12, 3)])
async def test_a_call_never_carries_more_than_it_may(items: int, size: int, expected: int) -> None:
    calls = Calls()
    joined = coalescer(calls, items, size)
    await asyncio.gather(*(joined.submit(f"item{n}") for n in range(5)))
    assert len(calls.made) == expected
    assert sorted(i for call in calls.made for i in call) == [f"item{n}" for n in range(5)]


async def test_one_that_is_too_big_leaves_alone() -> None:
    calls = Calls()
    joined = coalescer(calls, size=5)
    assert await joined.submit("x" * 50) == Delivered("x" * 50)


async def test_two_of_the_same_key_never_share_a_call_and_keep_their_order() -> None:
    calls = Calls()
    joined = coalescer(calls)
    await asyncio.gather(*(joined.submit(i) for i in ("a/1", "b/1", "a/2", "a/3")))
    assert calls.made == [["a/1", "b/1"], ["a/2"], ["a/3"]]


async def test_what_comes_while_a_call_is_under_way_fills_the_next_one() -> None:
    calls = Calls()
    joined = coalescer(calls)
    calls.gate.clear()
    first = asyncio.create_task(joined.submit("a"))
    await calls.begun.wait()
    rest = [asyncio.create_task(joined.submit(i)) for i in ("b", "c", "d")]
    await asyncio.sleep(0.05)
    calls.gate.set()
    await asyncio.gather(first, *rest)
    assert calls.made == [["a"], ["b", "c", "d"]]


async def test_a_cancelled_caller_takes_its_item_back_and_the_others_do_not_notice() -> None:
    calls = Calls()
    joined = coalescer(calls)
    gone, stays = (asyncio.create_task(joined.submit(i)) for i in ("gone", "stays"))
    await asyncio.sleep(0)
    gone.cancel()
    assert await stays == Delivered("stays")
    assert calls.made == [["stays"]]


async def test_a_caller_cancelled_while_its_call_is_under_way_leaves_the_others_alone() -> None:
    calls = Calls()
    joined = coalescer(calls)
    calls.gate.clear()
    gone, stays = (asyncio.create_task(joined.submit(i)) for i in ("gone", "stays"))
    await calls.begun.wait()
    gone.cancel()
    calls.gate.set()
    assert await stays == Delivered("stays")
    assert await joined.submit("later") == Delivered("later")


async def test_a_failed_call_fails_its_own_and_no_later_one() -> None:
    calls = Calls()
    joined = coalescer(calls)
    failed = await asyncio.gather(
        joined.submit("boom"), joined.submit("with it"), return_exceptions=True
    )
    assert [type(error) for error in failed] == [ConnectionError, ConnectionError]
    assert await joined.submit("later") == Delivered("later")


async def test_an_answer_that_says_too_little_leaves_the_rest_unsure() -> None:
    async def says_one(items: Sequence[str]) -> list[Outcome]:
        return [Delivered()]

    joined = Coalescer(says_one, key=str, size=len, bounds=Bounds(10))
    outcomes = list(await asyncio.gather(joined.submit("a"), joined.submit("b")))
    assert outcomes == [Delivered(), Unsure("the CRM did not say how it went")]


async def test_closing_waits_for_the_call_under_way() -> None:
    calls = Calls()
    joined = coalescer(calls)
    task = asyncio.create_task(joined.submit("a"))
    await asyncio.sleep(0)
    await joined.close()
    assert task.done() or await task == Delivered("a")
    assert calls.made == [["a"]]
