"""What changes very many leads at once goes through the queue, in steps bounded by leads."""

import asyncio
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.handlers import ScoringHandlers
from services.scoring.repository import Key, ScoringRepository
from shared.events import DayDerived, LeadScored
from shared.rules.load import default_rules
from tests.integration.scoring.bench import ACTIVE, OLD_BOX, Scoring, detected, known, profiled
from tests.support.builders import changed
from tests.support.scoring_builders import AS_OF, days_ago

AGEING: dict[str, Any] = {"end_of_life": days_ago(100), "service_end": days_ago(95)}


def small(scoring: Scoring, repository: ScoringRepository | None = None) -> ScoringHandlers:
    """Handlers that score three leads at once."""
    return ScoringHandlers(repository or ScoringRepository(), scoring.base.outbox, at_once=3)


async def accounts_change(scoring: Scoring, handlers: ScoringHandlers, version: int) -> None:
    messages = scoring.messages(*(profiled(version, f"account-{n}", **ACTIVE) for n in range(2)))
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await handlers.on_accounts(connection, messages)


async def begin(scoring: Scoring, leads: int = 5) -> list[LeadScored]:
    """Leads of two accounts."""
    facts = [
        detected(1, lead_id=f"lead-{n}", account_id=f"account-{n % 2}", **AGEING)
        for n in range(leads)
    ]
    return await scoring.hear(profiled(1, "account-0"), profiled(1, "account-1"), *facts)


async def test_profiles_of_few_leads_score_them_at_once(scoring: Scoring) -> None:
    await begin(scoring, leads=3)

    await accounts_change(scoring, small(scoring), version=2)

    assert len(await scoring.emitted()) == 3
    assert await scoring.rescore() == []


async def test_profiles_of_many_leads_queue_them_and_the_steps_are_bounded_by_leads(
    scoring: Scoring,
) -> None:
    await begin(scoring)

    await accounts_change(scoring, small(scoring), version=2)

    assert await scoring.emitted() == []
    counts = []
    while await scoring.tick().step():
        counts.append(len(await scoring.emitted()))
    assert counts == [2, 2, 1]
    causes = await scoring.rows(
        "SELECT DISTINCT cause FROM scoring.score_history WHERE tenant_id = :tenant"
    )
    assert {row.cause for row in causes} == {"first", "account"}


async def test_the_queue_leads_to_the_scores_that_scoring_at_once_leads_to(
    scoring: Scoring,
) -> None:
    await begin(scoring)
    await accounts_change(scoring, small(scoring), version=2)
    queued = known(await scoring.rescore())

    await accounts_change(scoring, scoring.handlers(), version=2)
    assert await scoring.emitted() == []

    assert [each["lead"]["lead_id"] for each in queued] == [f"lead-{n}" for n in range(5)]
    assert {each["account"]["items"] for each in queued} == {60}


class SlowLocks(ScoringRepository):
    """Waits before accounts are locked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def lock_accounts(self, connection: AsyncConnection, accounts: Collection[Key]) -> None:
        self.asked.set()
        await self.go_on.wait()
        await super().lock_accounts(connection, accounts)


async def test_a_lead_that_comes_between_queue_and_locks_is_scored_with_the_new_profile(
    scoring: Scoring,
) -> None:
    await begin(scoring)
    slow = SlowLocks()

    change = asyncio.create_task(accounts_change(scoring, small(scoring, slow), version=2))
    await slow.asked.wait()
    await scoring.hear(detected(2, lead_id="lead-9", account_id="account-0", **AGEING))
    slow.go_on.set()
    await change
    await scoring.rescore()

    latest = await scoring.latest()
    assert {each.account.items for each in latest.values()} == {60}
    assert len(latest) == 6


async def test_a_step_and_profiles_that_meet_do_not_deadlock(scoring: Scoring) -> None:
    await begin(scoring)
    await scoring.day(AS_OF + timedelta(days=200), version=10)
    slow = SlowLocks()

    step = asyncio.create_task(scoring.tick(scoring.handlers(slow)).step())
    await slow.asked.wait()
    change = asyncio.create_task(accounts_change(scoring, small(scoring), version=2))
    await asyncio.wait({change}, timeout=0.3)
    slow.go_on.set()
    await asyncio.gather(step, change)
    await scoring.rescore()

    latest = (await scoring.latest()).values()
    assert {each.account.items for each in latest} == {60}
    assert {each.score.as_of for each in latest} == {AS_OF + timedelta(days=200)}


async def test_a_day_reaches_a_lead_that_is_being_scored_when_it_comes(scoring: Scoring) -> None:
    await scoring.hear(profiled(1))
    day = AS_OF + timedelta(days=200)
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await scoring.take(connection, detected(1, **AGEING))
        coming = asyncio.create_task(scoring.hear(DayDerived(version=10, as_of=day)))
        await asyncio.wait({coming}, timeout=0.3)
    await coming
    await scoring.rescore()

    assert (await scoring.latest())["lead-1"].score.as_of == day


async def test_rules_by_which_nothing_is_scored_rescore_nothing(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, **OLD_BOX))
    rules = default_rules()
    others = (
        changed(rules, recommendation__margin_floor=0.4),
        changed(rules, leads__renewal__ahead_days=90),
        rules,
    )
    for version, other in enumerate(others, start=5):
        await scoring.apply_rules(other, version)
        assert not await scoring.tick().step()


async def test_rules_of_products_rescore(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, **OLD_BOX))
    await scoring.apply_rules(changed(default_rules(), products__latest_generation=15), version=5)
    assert await scoring.tick().step()


async def test_withdrawn_leads_are_left_out_of_a_day(scoring: Scoring) -> None:
    await begin(scoring)
    await scoring.hear(
        detected(2, lead_id="lead-0", account_id="account-0", because="renewed", **AGEING)
    )

    await scoring.day(AS_OF + timedelta(days=200), version=10)

    queued = await scoring.rows("SELECT 1 FROM scoring.rescoring WHERE tenant_id = :tenant")
    assert len(queued) == 4
