"""Two transactions on the two inputs of a score end with the newest of both, and never deadlock."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from services.scoring.inputs import ScoreInputs
from services.scoring.repository import Key, ScoringRepository
from shared.events import DayDerived, Event
from shared.rules.load import default_rules
from tests.integration.scoring.bench import ACTIVE, OLD_BOX, Scoring, detected, profiled
from tests.support.builders import changed
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score

COMPONENTS = ("urgency", "value", "propensity", "strategic_fit")


async def both_at_once(scoring: Scoring, first: Event, second: Event) -> None:
    """The second transaction begins before the first commits."""
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await scoring.take(connection, first)
        other = asyncio.create_task(scoring.hear(second))
        await asyncio.wait({other}, timeout=0.3)
    await other


async def test_a_profile_and_a_lead_that_meet_are_both_scored(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1))

    await both_at_once(scoring, profiled(2, **ACTIVE), detected(2, **OLD_BOX))
    latest = (await scoring.latest())["lead-1"]
    assert (latest.lead, latest.account) == (a_lead(**OLD_BOX), a_profile(**ACTIVE))

    await both_at_once(scoring, detected(3), profiled(3))
    latest = (await scoring.latest())["lead-1"]
    assert (latest.lead, latest.account) == (a_lead(), a_profile())


async def test_a_first_lead_and_a_first_profile_that_meet_are_scored(scoring: Scoring) -> None:
    await both_at_once(scoring, profiled(1), detected(1))
    await both_at_once(
        scoring,
        detected(1, lead_id="lead-2", account_id="account-2"),
        profiled(1, "account-2"),
    )

    assert (await scoring.latest()).keys() == {"lead-1", "lead-2"}


class SlowRepository(ScoringRepository):
    """Waits between asking for the leads of an account and reading their inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def inputs(
        self, connection: AsyncConnection, leads: Collection[Key]
    ) -> list[ScoreInputs]:
        self.asked.set()
        await self.go_on.wait()
        return await super().inputs(connection, leads)


async def test_a_lead_that_leaves_while_its_old_account_changes_stays_with_the_new_one(
    scoring: Scoring,
) -> None:
    await scoring.hear(profiled(1), profiled(1, "account-2", name="Beta"), detected(1))
    slow = SlowRepository()

    async def old_account_changes() -> None:
        messages = scoring.messages(profiled(2, **ACTIVE))
        async with scoring.base.database.transaction({scoring.tenant}) as connection:
            await scoring.handlers(slow).on_accounts(connection, messages)

    change = asyncio.create_task(old_account_changes())
    await slow.asked.wait()
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await scoring.take(connection, detected(2, account_id="account-2"))
        slow.go_on.set()
        await asyncio.wait({change}, timeout=0.3)
    await change

    assert (await scoring.latest())["lead-1"].account.name == "Beta"


async def test_batches_in_opposite_order_do_not_deadlock(scoring: Scoring) -> None:
    accounts = [f"account-{n}" for n in range(20)]
    await scoring.hear(*(profiled(1, a) for a in accounts))

    for version in range(2, 12):
        profiles = [profiled(version, a, name=f"Acme {version}") for a in accounts]
        leads = [
            detected(version, lead_id=f"lead-{a}", account_id=a, action=f"call {version}")
            for a in reversed(accounts)
        ]
        await asyncio.gather(
            scoring.hear(*profiles), scoring.hear(*leads), scoring.hear(*reversed(profiles))
        )

    latest = await scoring.latest()
    assert {(e.lead.action, e.account.name) for e in latest.values()} == {("call 11", "Acme 11")}
    assert len(latest) == 20


async def test_rules_that_come_while_a_first_lead_is_scored_reach_it(scoring: Scoring) -> None:
    await scoring.hear(profiled(1))
    rules = changed(default_rules(), scoring__weights=dict.fromkeys(COMPONENTS, 0.25))
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await scoring.take(connection, detected(1, **OLD_BOX))
        other = asyncio.create_task(scoring.apply_rules(rules, version=5))
        await asyncio.wait({other}, timeout=0.3)
    await other
    await scoring.rescore()

    expected = a_score(a_lead(**OLD_BOX), rules=rules).score
    assert (await scoring.latest())["lead-1"].score.score == expected


class SlowLocks(ScoringRepository):
    """Waits before accounts are locked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go_on = asyncio.Event(), asyncio.Event()

    async def lock_accounts(self, connection: AsyncConnection, accounts: Collection[Key]) -> None:
        self.asked.set()
        await self.go_on.wait()
        await super().lock_accounts(connection, accounts)


async def test_a_new_day_and_a_rescoring_that_meet_do_not_deadlock(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, **OLD_BOX))
    await scoring.day(AS_OF + timedelta(days=400), version=10)
    slow = SlowLocks()

    rescoring = asyncio.create_task(scoring.tick(scoring.handlers(slow)).step())
    await slow.asked.wait()
    day = DayDerived(version=20, as_of=AS_OF + timedelta(days=800))
    hearing = asyncio.create_task(scoring.hear(detected(15, action="Call", **OLD_BOX), day))
    await asyncio.wait({hearing}, timeout=0.3)
    slow.go_on.set()
    await asyncio.gather(rescoring, hearing)
    await scoring.rescore()

    latest = (await scoring.latest())["lead-1"]
    assert (latest.lead.action, latest.score.as_of) == ("Call", day.as_of)
