"""Lead facts and profiles meet in any order, any number of times, and give one score."""

from random import Random

import pytest

from shared.events import Priority
from shared.ops import metrics
from tests.integration.scoring.bench import (
    ACTIVE,
    OLD_BOX,
    Scoring,
    detected,
    known,
    profiled,
)
from tests.support.scoring_builders import a_lead, a_profile, a_score


async def test_the_lead_first_gives_the_score_of_the_profile_first(scoring: Scoring) -> None:
    assert await scoring.hear(detected(1, **OLD_BOX)) == []
    lead_first = await scoring.hear(profiled(1, **ACTIVE))

    assert await scoring.hear(profiled(1, "account-2", **ACTIVE)) == []
    profile_first = await scoring.hear(
        detected(1, lead_id="lead-2", account_id="account-2", **OLD_BOX)
    )

    expected = a_score(a_lead(**OLD_BOX), a_profile(**ACTIVE))
    assert [e.score.score for e in (*lead_first, *profile_first)] == [expected.score] * 2
    assert [e.score.ledger for e in (*lead_first, *profile_first)] == [expected.ledger] * 2
    assert [e.version > 0 for e in (*lead_first, *profile_first)] == [True, True]
    assert lead_first[0].causes == (
        f"com.onelead.lead.detected.v1|{scoring.tenant}|lead-1|1",
        f"com.onelead.account.profiled.v1|{scoring.tenant}|account-1|1",
    )


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_repetition_ends_with_the_newest_of_both(
    scoring: Scoring, seed: int
) -> None:
    random = Random(seed)  # noqa: S311 - test data, not a secret
    told = [
        *(profiled(1), profiled(2, items=30), profiled(3, **ACTIVE)),
        *(detected(1, 1), detected(2, 2, **OLD_BOX), detected(3, 3, **OLD_BOX, generation=9)),
    ]
    arriving = [*told, *random.choices(told, k=6)]
    random.shuffle(arriving)
    while arriving:
        size = random.randint(1, 3)
        await scoring.hear(*arriving[:size])
        arriving = arriving[size:]

    latest = (await scoring.latest())["lead-1"]
    assert latest.lead == a_lead(**OLD_BOX, generation=9)
    assert latest.account == a_profile(**ACTIVE)
    assert latest.score.score == a_score(latest.lead, latest.account).score
    assert await scoring.hear(*told) == []


async def test_a_lead_waits_for_the_profile_it_names(scoring: Scoring) -> None:
    async def waiting() -> float:
        await scoring.tick().count_waiting_leads()
        return float(metrics.WAITING_LEADS.labels("account")._value.get())

    before = await waiting()
    await scoring.hear(profiled(4, **ACTIVE))
    assert await scoring.hear(detected(1, account_version=5, **OLD_BOX)) == []
    assert await waiting() == before + 1

    emitted = await scoring.hear(profiled(6, **ACTIVE))

    assert [e.score.priority for e in emitted] == [Priority.CRITICAL]
    assert await waiting() == before


async def test_a_profile_older_than_the_one_held_changes_nothing(scoring: Scoring) -> None:
    await scoring.hear(profiled(5, **ACTIVE), detected(1, **OLD_BOX))
    await scoring.emitted()

    assert await scoring.hear(profiled(4)) == []
    assert await scoring.hear(detected(1)) == []
    held = await scoring.rows("SELECT version FROM scoring.accounts WHERE tenant_id = :tenant")
    assert [row.version for row in held] == [5]


async def test_of_a_batch_only_the_newest_counts(scoring: Scoring) -> None:
    await scoring.hear(profiled(2, **ACTIVE), profiled(1), profiled(2, **ACTIVE))

    emitted = await scoring.hear(detected(3, **OLD_BOX), detected(2), detected(1))

    assert [(e.lead, e.account) for e in emitted] == [(a_lead(**OLD_BOX), a_profile(**ACTIVE))]


async def test_nothing_goes_out_that_tells_a_reader_nothing_new(scoring: Scoring) -> None:
    await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX, catalogue_version=1))

    assert await scoring.hear(detected(2, **OLD_BOX, catalogue_version=2)) == []
    assert await scoring.hear(profiled(2, **ACTIVE, projects=3)) == []
    assert len(await scoring.hear(profiled(3, **ACTIVE, name="Apple"))) == 1
    assert len(await scoring.hear(detected(3, **OLD_BOX, action="Call"))) == 1


async def test_a_withdrawal_goes_out_once(scoring: Scoring) -> None:
    await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX))

    gone = await scoring.hear(detected(2, **OLD_BOX, because="renewed"))
    assert [(e.state, e.reason, e.episode_open) for e in gone] == [("withdrawn", "renewed", False)]

    assert await scoring.hear(detected(3, **OLD_BOX, because="the box left")) == []
    assert await scoring.hear(profiled(2)) == []
    assert await scoring.hear(detected(1, lead_id="lead-2", because="never open")) == []


async def test_a_withdrawal_does_not_wait_for_a_profile(scoring: Scoring) -> None:
    await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX))

    gone = await scoring.hear(detected(2, account_version=9, because="renewed"))

    assert [e.state for e in gone] == ["withdrawn"]


async def test_a_lead_that_moves_is_scored_with_its_new_account(scoring: Scoring) -> None:
    await scoring.hear(profiled(1), profiled(1, "account-2", name="Beta", **ACTIVE))
    await scoring.hear(detected(1, **OLD_BOX))

    moved = await scoring.hear(detected(2, account_id="account-2", **OLD_BOX))

    assert [e.account.name for e in moved] == ["Beta"]
    assert await scoring.hear(profiled(2, **ACTIVE)) == []
    assert len(await scoring.hear(profiled(2, "account-2"))) == 1


async def test_a_lead_whose_account_is_merged_waits_for_its_move_and_keeps_its_episode(
    scoring: Scoring,
) -> None:
    await scoring.hear(profiled(1, **ACTIVE), profiled(1, "account-2", name="Beta", **ACTIVE))
    [first] = await scoring.hear(detected(1, **OLD_BOX))

    assert await scoring.hear(profiled(2, merged_into="account-2", items=0)) == []

    [moved] = await scoring.hear(detected(2, account_id="account-2", **OLD_BOX))
    assert moved.account.name == "Beta"
    assert (moved.episode, moved.episode_open) == (first.episode, first.episode_open)


async def test_episodes_are_counted_across_all_that_changes_a_score(scoring: Scoring) -> None:
    first = await scoring.hear(profiled(1, **ACTIVE), detected(1, **OLD_BOX))
    fallen = await scoring.hear(detected(2, lead_id="lead-1"), profiled(2))
    again = await scoring.hear(detected(3, **OLD_BOX), profiled(3, **ACTIVE))
    gone = await scoring.hear(detected(4, **OLD_BOX, because="renewed"))
    back = await scoring.hear(detected(5, **OLD_BOX))

    ends = [events[-1] for events in (first, fallen, again, gone, back)]
    assert [(e.episode, e.episode_open) for e in ends] == [
        *((1, True), (1, False), (2, True), (2, False), (3, True)),
    ]
    assert [e.version for e in ends] == sorted({e.version for e in ends})


async def test_every_score_is_kept_with_its_inputs_and_its_cause(scoring: Scoring) -> None:
    await scoring.hear(profiled(7, **ACTIVE))
    await scoring.hear(detected(3, **OLD_BOX))
    await scoring.hear(profiled(8, name="Apple", **ACTIVE))
    emitted = list((await scoring.latest()).values())

    kept = await scoring.rows(
        "SELECT * FROM scoring.score_history WHERE tenant_id = :tenant ORDER BY version"
    )
    assert [(r.cause, r.lead_version, r.account_version) for r in kept] == [
        ("first", 3, 7),
        ("account", 3, 8),
    ]
    last = kept[-1]
    assert known([type(emitted[0]).model_validate(last.event)]) == known(emitted)
    assert (last.version, last.rules_version) == (
        emitted[0].version,
        emitted[0].score.rules_version,
    )
    assert last.as_of == emitted[0].score.as_of
