"""A kill at any moment of the work loses nothing and tells nothing twice."""

import asyncio
from collections import Counter

import pytest

from services.ingest.repository.derived import DerivedRepository
from services.ingest.tables import SCHEMA
from shared.events import Event, ImportPhase, LeadDetected
from shared.messaging.codec import Received
from tests.integration.ingest.upstream import (
    Killed,
    KilledOutbox,
    Upstream,
    a_box_row,
    a_deal_row,
    a_project_row,
    a_service_row,
    tables,
)
from tests.support.service_bench import of_type

EXPORT = tables(
    [a_box_row(f"SN{n}", territory_id=f"7000{n % 3}") for n in range(6)],
    [a_deal_row(n, account_name=name, territory_id=f"7000{n}") for n, name in enumerate("ABC")],
    [a_project_row(n, account_name="ABC"[n % 3]) for n in range(9)],
    [a_service_row()],
)

WRITTEN = """
SELECT (SELECT count(*) FROM ingest.outbox WHERE tenant_id = :tenant) AS messages,
       (SELECT count(*) FROM ingest.dirty_accounts WHERE tenant_id = :tenant) AS dirty,
       (SELECT count(*) FROM ingest.leads WHERE tenant_id = :tenant) AS leads,
       (SELECT min(state) FROM ingest.batches WHERE tenant_id = :tenant) AS state
"""


def told(messages: list[Received]) -> Counter[str]:
    """What was told of, how often."""
    return Counter(f"{m.envelope.type}|{m.envelope.subject}" for m in messages)


async def test_every_step_may_be_taken_by_another_process(
    upstream: Upstream, neighbour: Upstream
) -> None:
    await upstream.send(*upstream.events(EXPORT))
    steps = 0
    while await upstream.step():
        steps += 1
    one_by_one = await upstream.sent.messages()
    at_once = await neighbour.load(EXPORT)

    assert steps == 5
    assert len(of_type(one_by_one, LeadDetected)) == len(of_type(at_once, LeadDetected)) == 12
    without_progress = [m for m in one_by_one if "import" not in m.envelope.type]
    assert set(told(without_progress).values()) == {1}
    assert len(without_progress) == len(at_once)


async def test_a_step_that_was_killed_leaves_nothing_and_is_taken_again(
    upstream: Upstream,
) -> None:
    """Each step is killed at its first message, then at its second …, until it gets through."""
    await upstream.send(*upstream.events(EXPORT))
    kills, after, busy = 0, 0, True
    while busy:
        before = await upstream.rows(WRITTEN)
        worker = upstream.worker(outbox=KilledOutbox(upstream.base.outbox, after))
        try:
            busy, after = await worker.step(), 0
        except Killed:
            kills, after = kills + 1, after + 1
            assert await upstream.rows(WRITTEN) == before

    assert kills >= 10
    sent = [m for m in await upstream.sent.messages() if "import" not in m.envelope.type]
    assert set(told(sent).values()) == {1}
    assert len(await upstream.open_leads()) == 12


async def in_two_parts(upstream: Upstream, events: list[Event]) -> None:
    await upstream.send(*events[4:8])
    await upstream.send(*events[8:])


@pytest.mark.parametrize("after", [0, 1])
async def test_a_batch_whose_handler_was_killed_is_read_again(
    upstream: Upstream, after: int
) -> None:
    outbox = upstream.base.outbox
    events = upstream.events(EXPORT)
    await upstream.send(*events[:4])
    upstream.base.outbox = KilledOutbox(outbox, after)
    with pytest.raises(Killed):
        await in_two_parts(upstream, events)
    upstream.base.outbox = outbox

    await upstream.send(*events[4:])

    sent = await upstream.settle()
    assert set(told(sent).values()) == {1}
    assert len(of_type(sent, LeadDetected)) == 12


async def test_work_that_waits_behind_other_work_keeps_its_order(upstream: Upstream) -> None:
    """Two imports complete before the first step; the second has the last word."""
    gone = tables([a_box_row("SN9")])
    await upstream.send(*upstream.events(EXPORT), *upstream.events(gone))

    await upstream.settle()

    assert {key.split("/")[0] for key in await upstream.open_leads()} == {"SN9"}
    states = await upstream.rows(f"SELECT state FROM {SCHEMA}.batches WHERE tenant_id = :tenant")
    assert {row.state for row in states} == {"done"}


async def test_two_processes_at_once_tell_of_everything_once(upstream: Upstream) -> None:
    await upstream.send(*upstream.events(EXPORT))
    one, other = upstream.worker(), upstream.worker()

    while any(await asyncio.gather(one.step(), other.step())):
        pass

    sent = [m for m in await upstream.sent.messages() if "import" not in m.envelope.type]
    assert set(told(sent).values()) == {1}
    assert len(await upstream.open_leads()) == 12
    assert (await upstream.progress())[-1].phase is ImportPhase.COMPLETED


async def test_work_that_can_never_succeed_is_put_aside_and_the_next_goes_on(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ValueError("never")

    await upstream.send(*upstream.events(EXPORT))
    await upstream.step()
    with monkeypatch.context() as broken:
        broken.setattr(DerivedRepository, "take_dirty", fail)
        await upstream.step()

    last = (await upstream.progress())[-1]
    assert (last.phase, last.detail) == (
        ImportPhase.REFUSED,
        "it cannot be worked off: ValueError",
    )
    assert await upstream.open_leads() == {}
    await upstream.load(tables([a_box_row("SN9")]), source="other")
    assert len(await upstream.open_leads()) == 14
