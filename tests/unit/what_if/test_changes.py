"""What becomes of each lead, and which of them would be alerted."""

from decimal import Decimal
from typing import Any

import pytest

from onelead.what_if.changes import Change, Effect, Standing, changes, effect_of
from onelead.what_if.side import Judged
from services.scoring.domain.episodes import EpisodeState
from shared.events import LeadType, Priority
from tests.support.builders import AS_OF, a_lead, an_entry, changed, days_ago
from tests.support.scoring_builders import a_server
from tests.unit.what_if.sides import RULES, judged

LEAD = a_lead(end_of_life=days_ago(400), service_end=days_ago(100))
NOW = judged(LEAD)
OPEN = EpisodeState(2, open=True, critical_since=AS_OF)
ENDED = EpisodeState(2)


def scored(score: float, priority: Priority) -> Judged:
    update = {"score": score, "priority": priority}
    return Judged(LEAD, NOW.account, NOW.score.model_copy(update=update), NOW.offer)


CRITICAL, HIGH = scored(80.0, Priority.CRITICAL), scored(70.0, Priority.HIGH)
MEDIUM, LOW = scored(50.0, Priority.MEDIUM), scored(10.0, Priority.LOW)


def only(
    before: Judged | None, after: Judged | None, episode: EpisodeState | None = None
) -> Change:
    (change,) = changes(
        {"lead-1": before} if before else {},
        {"lead-1": after} if after else {},
        {"lead-1": episode} if episode else {},
    )
    return change


@pytest.mark.parametrize(
    ("before", "after", "effect"),
    [
        (None, LOW, Effect.APPEARS),
        (LOW, None, Effect.DISAPPEARS),
        (HIGH, CRITICAL, Effect.RAISED),
        (LOW, MEDIUM, Effect.RAISED),
        (CRITICAL, HIGH, Effect.LOWERED),
        (HIGH, LOW, Effect.LOWERED),
        (HIGH, scored(70.1, Priority.HIGH), Effect.OTHER_SCORE),
        (HIGH, HIGH, None),
    ],
)
def test_the_greatest_difference_names_the_effect(
    before: Judged | None, after: Judged | None, effect: Effect | None
) -> None:
    assert effect_of(before, after) is effect


def with_lead(**facts: Any) -> Judged:
    return Judged(LEAD.model_copy(update=facts), NOW.account, NOW.score, NOW.offer)


@pytest.mark.parametrize(
    ("after", "effect"),
    [
        (with_lead(estimated_value_min=Decimal(1)), Effect.OTHER_VALUE),
        (with_lead(estimated_value_max=Decimal(1)), Effect.OTHER_VALUE),
        (with_lead(currency="EUR"), Effect.OTHER_VALUE),
        (judged(LEAD, services=[an_entry("Upgrade")]), Effect.OTHER_OFFER),
        (with_lead(action="Replace it"), Effect.OTHER_FACTS),
    ],
)
def test_without_another_score_value_offer_or_facts_may_differ(
    after: Judged, effect: Effect
) -> None:
    assert effect_of(NOW, after) is effect


def test_a_lead_that_stands_as_it_stood_is_no_change() -> None:
    assert list(changes({"lead-1": NOW}, {"lead-1": NOW}, {})) == []


@pytest.mark.parametrize(
    ("before", "after", "episode", "alert"),
    [
        (HIGH, CRITICAL, None, True),
        (HIGH, CRITICAL, ENDED, True),
        (HIGH, CRITICAL, OPEN, False),
        (None, CRITICAL, None, True),
        (None, HIGH, None, False),
        (CRITICAL, HIGH, OPEN, False),
        (CRITICAL, None, OPEN, False),
        (CRITICAL, scored(90.0, Priority.CRITICAL), OPEN, False),
    ],
)
def test_an_alert_goes_out_when_an_episode_begins(
    before: Judged | None, after: Judged | None, episode: EpisodeState | None, alert: bool
) -> None:
    assert only(before, after, episode).alert is alert


def test_what_would_be_alerted_by_the_rules_in_force_is_not_the_new_rules_doing() -> None:
    assert not only(CRITICAL, scored(90.0, Priority.CRITICAL), ENDED).alert


def test_a_change_tells_both_standings_and_the_lead() -> None:
    bundled = changed(RULES, recommendation__bundles__families=("PRIMERA",))
    after = judged(LEAD, rules=bundled, services=[an_entry("Health Check")])
    change = only(NOW, after)
    assert change.before == Standing(
        NOW.score.priority, NOW.score.score, Decimal(20_000), "Apple Inc", None, None
    )
    assert change.after is not None
    assert (change.after.service, change.after.bundle) == ("Health Check", "renewal_basic")
    assert (change.lead_id, change.lead_type, change.box_id) == ("lead-1", "renewal", "2M26314KR1")
    assert (change.account, change.account_id, change.territory) == (
        "Apple Inc",
        "account-1",
        "56088",
    )
    assert (change.title, change.currency) == ("Support Renewal: HPE Primera 650", "USD")


def test_leads_come_in_the_order_of_their_ids() -> None:
    leads = {key: judged(a_server(lead_id=key)) for key in ("c", "a", "b")}
    assert [each.lead_id for each in changes({}, leads, {})] == ["a", "b", "c"]


def test_who_comes_and_goes_says_why() -> None:
    assert only(None, NOW).why.facts == ("its rule holds: Renew the support",)
    assert only(NOW, None).why.facts == ("its rule does not hold any more",)
    assert only(NOW, None).lead_type == LeadType.RENEWAL.value
