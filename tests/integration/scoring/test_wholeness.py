"""A lead is scored when its facts, its account's profile and the rules belong together, in any order."""

import itertools
from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.events import Event, LeadScored, Priority
from shared.rules.influence import derived_by
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.integration.scoring.bench import (
    ACTIVE,
    OLD_BOX,
    Scoring,
    detected,
    marker,
    profiled,
)
from tests.support.builders import changed
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_score, days_ago

R1 = default_rules()
HIGH: dict[str, Any] = {"end_of_life": days_ago(-100), "service_end": days_ago(-10)}
"""A box whose score is HIGH with an active account, and CRITICAL by the rules R2."""
AGEING: dict[str, Any] = {"end_of_life": days_ago(100), "service_end": days_ago(95)}
"""A box whose score is CRITICAL with an active account only."""
SCORE = a_score(a_lead(**HIGH), a_profile(**ACTIVE)).score
R2 = changed(R1, scoring__priorities__critical=SCORE - 1, leads__renewal__ahead_days=90)
"""Rules by which both ingest derives and scoring judges otherwise than by R1."""
DERIVED_ONLY = changed(R1, leads__renewal__ahead_days=90)

assert a_score(a_lead(**HIGH), a_profile(**ACTIVE)).priority is Priority.HIGH
assert a_score(a_lead(**AGEING), a_profile(**ACTIVE)).priority is Priority.CRITICAL
assert a_score(a_lead(**AGEING), a_profile()).priority is Priority.MEDIUM


async def begin(scoring: Scoring, by: Rules = R1, leads: int = 1) -> list[LeadScored]:
    """An active account whose leads are HIGH, told by R1."""
    told = [detected(1, lead_id=f"lead-{n}", by=by, **HIGH) for n in range(1, leads + 1)]
    return await scoring.hear(profiled(1, **ACTIVE), *told)


async def causes(scoring: Scoring) -> list[str]:
    rows = await scoring.rows(
        "SELECT cause FROM scoring.score_history WHERE tenant_id = :tenant ORDER BY version"
    )
    return [row.cause for row in rows]


async def apply(scoring: Scoring, rules: Rules, version: int) -> list[LeadScored]:
    await scoring.apply_rules(rules, version)
    return await scoring.rescore()


async def test_a_lead_that_new_rules_end_is_never_critical_meanwhile(scoring: Scoring) -> None:
    await begin(scoring)

    assert await apply(scoring, R2, version=5) == []

    gone = await scoring.hear(detected(2, by=R2, because="its rule does not hold", **HIGH))
    assert [(e.state, e.episode) for e in gone] == [("withdrawn", 0)]


async def test_a_lead_that_new_rules_leave_is_judged_by_them_when_ingest_says_so(
    scoring: Scoring,
) -> None:
    await begin(scoring)
    assert await apply(scoring, R2, version=5) == []

    told = await scoring.hear(marker(20, by=R2))

    assert [e.score.priority for e in told] == [Priority.CRITICAL]
    assert await causes(scoring) == ["first", "rules"]


async def test_a_marker_before_the_rules_waits_for_them(scoring: Scoring) -> None:
    await begin(scoring)
    assert await scoring.hear(marker(20, by=R2)) == []

    told = await apply(scoring, R2, version=5)

    assert [e.score.priority for e in told] == [Priority.CRITICAL]
    assert await causes(scoring) == ["first", "rules"]


async def test_facts_of_new_rules_are_not_judged_by_the_old_ones(scoring: Scoring) -> None:
    await begin(scoring)
    worse = {**OLD_BOX, "action": "Call"}
    assert await scoring.hear(detected(2, by=R2, **worse)) == []

    told = await apply(scoring, R2, version=5)

    assert [e.lead.action for e in told] == ["Call"]


async def test_facts_wait_for_rules_by_which_nothing_is_scored(scoring: Scoring) -> None:
    await begin(scoring)
    assert await scoring.hear(detected(2, by=DERIVED_ONLY, **OLD_BOX)) == []

    told = await apply(scoring, DERIVED_ONLY, version=5)

    assert [e.score.priority for e in told] == [Priority.CRITICAL]


async def test_a_profile_does_not_meet_facts_of_the_one_before(scoring: Scoring) -> None:
    """What was an account's box a moment ago is still its lead: ingest has yet to tell."""
    await scoring.hear(profiled(1), detected(1, by=R1, **AGEING))

    assert await scoring.hear(profiled(2, **ACTIVE)) == []
    gone = await scoring.hear(detected(2, 2, by=R1, because="the box left", **AGEING))

    assert [(e.state, e.episode) for e in gone] == [("withdrawn", 0)]


async def test_a_profile_alone_is_judged_when_ingest_says_that_the_facts_stay(
    scoring: Scoring,
) -> None:
    await scoring.hear(profiled(1), detected(1, by=R1, **AGEING))
    assert await scoring.hear(profiled(2, **ACTIVE)) == []

    told = await scoring.hear(marker(20, by=R1, profile=2, cause="account"))

    assert [e.score.priority for e in told] == [Priority.CRITICAL]
    assert await causes(scoring) == ["first", "account"]


async def test_a_marker_before_its_profile_waits_for_it(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), detected(1, by=R1, **AGEING))
    assert await scoring.hear(marker(20, by=R1, profile=2)) == []

    told = await scoring.hear(profiled(2, **ACTIVE))

    assert [e.score.priority for e in told] == [Priority.CRITICAL]


R2_TOLD: dict[str, Event] = {
    "profile": profiled(2, **{**ACTIVE, "items": 90}),
    "ended": detected(2, 2, "lead-1", by=R2, because="its rule does not hold", **HIGH),
    "changed": detected(2, 2, "lead-2", by=R2, **{**HIGH, "action": "Call"}),
    "marker": marker(20, by=R2, profile=2),
}


@pytest.mark.parametrize("order", list(itertools.permutations(("profile", "rules", "facts"))))
async def test_in_whatever_order_they_come_only_what_belongs_together_is_told(
    scoring: Scoring, order: tuple[str, ...]
) -> None:
    await begin(scoring, leads=3)
    for what in order:
        if what == "rules":
            await scoring.apply_rules(R2, version=5)
        for name in {"profile": ["profile"], "facts": ["ended", "changed", "marker"]}.get(what, []):
            await scoring.hear(R2_TOLD[name])
        await scoring.rescore()

    rows = await scoring.rows(
        "SELECT lead_id, event ->> 'state' AS state, event ->> 'episode' AS episode"
        " FROM scoring.score_history WHERE tenant_id = :tenant AND cause <> 'first'"
    )
    assert sorted(map(tuple, rows)) == [
        ("lead-1", "withdrawn", "0"),
        ("lead-2", "open", "1"),
        ("lead-3", "open", "1"),
    ]
    again = [*R2_TOLD.values(), *reversed(R2_TOLD.values())]
    assert [e for each in again for e in await scoring.hear(each)] == []


async def test_rules_that_go_and_come_back_leave_nobody_waiting(scoring: Scoring) -> None:
    await begin(scoring, leads=2)
    await apply(scoring, R2, version=5)
    await scoring.hear(detected(2, lead_id="lead-1", by=R2, action="Call", **HIGH))
    assert len(await scoring.hear(marker(20, by=R2))) == 1

    back = await apply(scoring, R1, version=6)
    assert [(e.lead.lead_id, e.score.priority) for e in back] == [("lead-2", Priority.HIGH)]
    back = await scoring.hear(detected(3, lead_id="lead-1", by=R1, **HIGH), marker(30, by=R1))
    assert [(e.lead.lead_id, e.score.priority) for e in back] == [("lead-1", Priority.HIGH)]


async def test_rules_that_scoring_never_saw_leave_nobody_waiting(scoring: Scoring) -> None:
    """The topic is compacted: of rules that were soon replaced scoring may hear nothing."""
    await begin(scoring)
    assert await scoring.hear(detected(2, by=R2, action="Call", **HIGH), marker(20, by=R2)) == []

    told = await scoring.hear(marker(30, by=R1))

    assert [e.lead.action for e in told] == ["Call"]


async def test_an_older_marker_and_one_that_comes_again_change_nothing(scoring: Scoring) -> None:
    await begin(scoring)
    await apply(scoring, R2, version=5)
    assert len(await scoring.hear(marker(20, by=R2))) == 1

    assert await scoring.hear(marker(20, by=R2), marker(15, by=R1, profile=9)) == []
    assert await scoring.hear(marker(19, by=R1)) == []

    assert len(await scoring.hear(profiled(1, **ACTIVE), detected(3, by=R2, action="Call"))) == 1


async def test_of_a_batch_the_newest_marker_counts(scoring: Scoring) -> None:
    await begin(scoring)
    await apply(scoring, R2, version=5)

    assert len(await scoring.hear(marker(20, by=R2), marker(19, by=R1))) == 1


async def test_a_withdrawal_waits_for_nothing(scoring: Scoring) -> None:
    """The account was merged, and nobody speaks of it any more."""
    await begin(scoring)
    await apply(scoring, R2, version=5)
    merged = profiled(2, merged_into="account-2")

    gone = await scoring.hear(merged, detected(2, 9, by=R1, because="the box left", **HIGH))

    assert [e.state for e in gone] == ["withdrawn"]


async def test_what_was_stored_before_the_upgrade_is_judged_as_it_comes(scoring: Scoring) -> None:
    await scoring.hear(profiled(1, **ACTIVE), detected(1, **HIGH))

    told = await apply(scoring, R2, version=5)

    assert [e.score.priority for e in told] == [Priority.CRITICAL]


async def test_a_lead_that_moves_waits_with_the_account_it_comes_to(scoring: Scoring) -> None:
    await begin(scoring)
    assert await scoring.hear(profiled(2, **{**ACTIVE, "items": 1})) == []
    moved = detected(2, 5, by=R1, account_id="account-2", **HIGH)
    assert (
        await scoring.hear(marker(20, by=R1, profile=2), moved, marker(21, by=R1, profile=2)) == []
    )

    told = await scoring.hear(profiled(5, "account-2", name="Beta", **ACTIVE))

    assert [e.account.name for e in told] == ["Beta"]


async def test_the_leads_of_a_large_account_are_queued_by_its_marker(scoring: Scoring) -> None:
    await begin(scoring, leads=5)
    await apply(scoring, R2, version=5)
    small = scoring.handlers()
    small._at_once = 3
    async with scoring.base.database.transaction({scoring.tenant}) as connection:
        await small.on_detected(connection, scoring.messages(marker(20, by=R2)))
    assert await scoring.emitted() == []

    counts = []
    while await scoring.tick().step():
        counts.append(len(await scoring.emitted()))

    assert counts == [2, 2, 1]
    assert set(await causes(scoring)) == {"first", "rules"}


async def test_a_day_that_ends_before_an_account_is_marked_is_not_lost(scoring: Scoring) -> None:
    await begin(scoring)
    day = AS_OF + timedelta(days=120)
    await scoring.hear(profiled(2, as_of=day, **ACTIVE))
    await scoring.day(day, version=10)
    assert await scoring.rescore() == []

    told = await scoring.hear(marker(20, by=R1, profile=2, cause="account"))

    assert [e.score.as_of for e in told] == [day]


async def test_scores_do_not_depend_on_how_long_scoring_was_away(scoring: Scoring) -> None:
    """All that was told while it was away comes in one batch of each topic."""
    await begin(scoring, leads=3)
    await scoring.apply_rules(R2, version=5)
    told = [e for e in R2_TOLD.values() if e is not R2_TOLD["profile"]]
    await scoring.hear(R2_TOLD["profile"], *told)
    await scoring.rescore()

    latest = await scoring.latest()
    assert {key: (e.state, e.episode) for key, e in latest.items()} == {
        "lead-1": ("withdrawn", 0),
        "lead-2": ("open", 1),
        "lead-3": ("open", 1),
    }


async def test_a_release_judges_what_the_one_before_left_and_nothing_else(scoring: Scoring) -> None:
    await begin(scoring)
    await scoring.day(AS_OF, version=3)
    await scoring.rescore()
    # As a release takes it that reads the rules otherwise: the lead is stored, and left as it was.
    assert await scoring.hear(detected(clock.now_us(), by=R2, **AGEING)) == []
    await scoring.rows(
        "UPDATE scoring.leads SET event = jsonb_set(event, '{derived_by}',"
        f" to_jsonb(CAST('{derived_by(R1)}' AS text))) WHERE tenant_id = :tenant RETURNING 1"
    )

    await scoring.tick().catch_up()
    told = await scoring.rescore()

    assert [e.lead.service_end for e in told] == [AGEING["service_end"]]
    await scoring.tick().catch_up()
    assert not await scoring.rows("SELECT 1 FROM scoring.rescoring WHERE tenant_id = :tenant")
