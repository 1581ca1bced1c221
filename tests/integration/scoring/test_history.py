"""The history keeps each score with its cause: what changed, from, to."""

from datetime import timedelta
from typing import Any

from services.scoring.domain.causes import Cause, Change, PastScore
from services.scoring.repository import ScoringRepository
from shared.events import Priority
from shared.rules.load import default_rules, rules_version
from tests.integration.scoring.bench import ACTIVE, OLD_BOX, Scoring, detected, profiled
from tests.support.builders import changed
from tests.support.scoring_builders import AS_OF, days_ago

AGEING: dict[str, Any] = {"end_of_life": days_ago(100), "service_end": days_ago(95)}


async def history(scoring: Scoring, lead_id: str = "lead-1") -> list[PastScore]:
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        return await ScoringRepository().history(connection, scoring.tenant, lead_id)


async def test_every_way_to_a_score_is_kept_with_what_changed(scoring: Scoring) -> None:
    rules = changed(default_rules(), scoring__priorities__critical=90)
    old, new = rules_version(default_rules()), rules_version(rules)
    day = AS_OF + timedelta(days=120)
    await scoring.hear(profiled(1, items=4), detected(1, **AGEING))
    await scoring.hear(profiled(2, items=60))
    await scoring.hear(detected(3, **{**AGEING, "end_of_life": days_ago(4_000)}))
    await scoring.day(day, version=4)
    await scoring.rescore()
    await scoring.apply_rules(rules, version=5)
    await scoring.rescore()
    await scoring.hear(detected(6, as_of=day, because="renewed", **AGEING))

    kept = await history(scoring)

    far, near = str(days_ago(4_000)), str(days_ago(100))
    assert [each.cause for each in kept[:4]] == [
        Cause("first"),
        Cause("account", (Change("account", "items", 4, 60),)),
        Cause("lead", (Change("lead", "end_of_life", near, far),)),
        Cause("day", (Change("day", "as_of", AS_OF.isoformat(), day.isoformat()),)),
    ]
    assert kept[-1].cause.kind == "lead"
    assert kept[-1].cause.changes[:2] == (
        Change("lead", "state", "open", "withdrawn"),
        Change("lead", "reason", None, "renewed"),
    )
    assert Change("rules", "rules_version", old, new) in kept[-1].cause.changes or (
        Cause("rules", (Change("rules", "rules_version", old, new),)) == kept[4].cause
    )


async def test_the_history_tells_each_score_in_order_as_it_was_emitted(scoring: Scoring) -> None:
    first = await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX))
    second = await scoring.hear(profiled(2))

    kept = await history(scoring)

    assert [(e.version, e.score, e.priority, e.as_of, e.rules_version) for e in kept] == [
        (e.version, e.score.score, e.score.priority, e.score.as_of, e.score.rules_version)
        for e in (*first, *second)
    ]
    assert [e.state for e in kept] == ["open", "open"]
    assert kept[0].priority is Priority.CRITICAL
    assert kept[0].scored_at <= kept[1].scored_at
    assert await history(scoring, "lead-2") == []


async def test_rules_that_change_a_priority_are_a_cause(scoring: Scoring) -> None:
    await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX))
    rules = changed(default_rules(), scoring__priorities__critical=99)

    await scoring.apply_rules(rules, version=5)
    await scoring.rescore()

    versions = rules_version(default_rules()), rules_version(rules)
    assert (await history(scoring))[-1].cause == Cause(
        "rules", (Change("rules", "rules_version", *versions),)
    )


async def test_several_changes_at_once_are_all_told(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, **OLD_BOX))
    day = AS_OF + timedelta(days=1)

    await scoring.hear(profiled(2, as_of=day, **ACTIVE))

    changes = (await history(scoring))[-1].cause.changes
    assert [(c.about, c.field, c.before, c.after) for c in changes] == [
        ("account", "items", 1, 60),
        ("account", "open_opportunities", 0, 6),
        ("account", "won", 0, 8),
        ("account", "lost", 0, 2),
        ("account", "win_rate", None, 0.8),
        ("account", "last_project_date", None, str(days_ago(10))),
        ("day", "as_of", str(AS_OF), str(day)),
    ]
