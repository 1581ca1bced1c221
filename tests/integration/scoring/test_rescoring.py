"""A new day and new rules rescore a tenant in steps that may end at any point."""

from datetime import timedelta
from typing import Any

import pytest

from services.scoring.handlers import ScoringHandlers
from services.scoring.repository import ScoringRepository
from shared.events import LeadScored
from shared.messaging.outbox import Outbox
from shared.rules.load import default_rules
from tests.integration.scoring.bench import OLD_BOX, Scoring, detected, profiled
from tests.support.builders import changed
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, days_ago

LATER = AS_OF + timedelta(days=120)
AGEING: dict[str, Any] = {"end_of_life": days_ago(100), "service_end": days_ago(95)}


class Killed(BaseException):
    """The process ended here."""


class KilledOutbox(Outbox):
    """Ends the process when something was written."""

    def __init__(self, inner: Outbox) -> None:
        self._inner = inner

    async def add(self, connection: object, messages: object) -> None:
        await self._inner.add(connection, messages)  # type: ignore[arg-type]
        raise Killed


async def five_accounts(scoring: Scoring) -> list[LeadScored]:
    accounts = [f"account-{n}" for n in range(5)]
    leads = [detected(1, lead_id=f"lead-{a}", account_id=a, **AGEING) for a in accounts]
    return await scoring.hear(*(profiled(1, a) for a in accounts), *leads)


async def test_a_new_day_rescores_every_lead_once_in_steps(scoring: Scoring) -> None:
    first = await five_accounts(scoring)
    assert len(first) == 5

    assert await scoring.day(LATER, version=10) == []
    counts = []
    while await scoring.tick().step():
        counts.append(len(await scoring.emitted()))

    assert counts == [2, 2, 1]
    expected = a_score(a_lead(**AGEING), a_profile(), as_of=LATER).score
    latest = (await scoring.latest()).values()
    assert {(e.score.score, e.score.as_of) for e in latest} == {(expected, LATER)}
    assert expected not in {e.score.score for e in first}


async def test_a_killed_step_is_taken_again(scoring: Scoring) -> None:
    await five_accounts(scoring)
    await scoring.day(LATER, version=10)
    await scoring.tick().step()
    killed = ScoringHandlers(ScoringRepository(), KilledOutbox(scoring.base.outbox))

    with pytest.raises(Killed):
        await scoring.tick(killed).step()

    assert len(await scoring.rescore()) == 5
    kept = await scoring.rows(
        "SELECT lead_id, cause FROM scoring.score_history WHERE tenant_id = :tenant"
    )
    assert sorted(row.cause for row in kept) == ["day"] * 5 + ["first"] * 5


async def test_a_day_that_comes_again_or_late_rescores_nothing(scoring: Scoring) -> None:
    await five_accounts(scoring)
    await scoring.day(LATER, version=10)
    await scoring.rescore()

    assert await scoring.day(LATER, version=10) == []
    assert await scoring.day(AS_OF, version=9) == []
    assert await scoring.rescore() == []


async def test_a_day_that_is_set_back_is_scored_as_that_day(scoring: Scoring) -> None:
    first = await five_accounts(scoring)
    await scoring.day(LATER, version=10)
    await scoring.rescore()

    await scoring.day(AS_OF, version=11)

    back = await scoring.rescore()
    assert {e.score.as_of for e in back} == {AS_OF}
    assert {e.score.score for e in back} == {e.score.score for e in first}


async def test_a_lead_of_a_newer_day_is_scored_as_that_day(scoring: Scoring) -> None:
    """Ingest tells of the day's leads before it tells that the day is derived."""
    await scoring.day(AS_OF, version=10)
    await scoring.hear(profiled(11), detected(12, as_of=LATER, **AGEING))

    latest = (await scoring.latest())["lead-1"]
    assert latest.score.as_of == LATER


async def test_new_rules_rescore_the_tenant(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, **OLD_BOX))
    weights = {"urgency": 0.7, "value": 0.1, "propensity": 0.1, "strategic_fit": 0.1}
    rules = changed(default_rules(), scoring__weights=weights)

    await scoring.apply_rules(rules, version=5)

    emitted = await scoring.rescore()
    expected = a_score(a_lead(**OLD_BOX), rules=rules).score
    assert [e.score.score for e in emitted] == [expected]
    await scoring.apply_rules(default_rules(), version=4)
    assert await scoring.rescore() == []
