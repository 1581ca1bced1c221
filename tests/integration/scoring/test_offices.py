"""A lead that goes to another office is news although its score is the same."""

from datetime import date
from typing import Any

from services.scoring.domain.causes import Change
from services.scoring.repository import ScoringRepository
from shared.events import LeadDetected
from tests.integration.scoring.bench import Scoring, detected, profiled
from tests.support.builders import AS_OF, days_ago

OLD_BOX: dict[str, Any] = {"end_of_life": days_ago(4_000), "service_end": days_ago(500)}


def of_office(version: int, office_id: str | None, as_of: date = AS_OF) -> LeadDetected:
    fact = detected(version, as_of=as_of, **OLD_BOX)
    return fact.model_copy(update={"office_id": office_id})


async def test_another_office_is_told_once_with_the_reason(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), of_office(1, None))

    [moved] = await scoring.hear(of_office(2, "luzern"))
    assert moved.office_id == "luzern"
    assert await scoring.hear(of_office(3, "luzern")) == []
    [again] = await scoring.hear(of_office(4, "romandie"))
    assert (again.office_id, again.score.score) == ("romandie", moved.score.score)
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        past = await ScoringRepository().history(connection, scoring.tenant, "lead-1")
    assert past[-1].cause.changes == (Change("lead", "office_id", "luzern", "romandie"),)
