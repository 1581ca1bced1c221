"""A scored lead is news when a subscriber would see a difference, and only then."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.scoring.domain.changes import differs
from shared.events import LeadScored, Priority, Risk, Segment
from tests.support.scoring_builders import (
    AS_OF,
    a_lead,
    a_profile,
    a_score,
    a_scored_lead,
    days_ago,
)

BEFORE = a_scored_lead()


def with_score(**changes: Any) -> LeadScored:
    return a_scored_lead(score=BEFORE.score.model_copy(update=changes))


NEWS = {
    "rounded score": with_score(score=12.3),
    "priority": with_score(priority=Priority.LOW),
    "risk": a_scored_lead(a_lead(risk=Risk.CRITICAL)),
    "lowest value": a_scored_lead(a_lead(estimated_value_min=Decimal(1))),
    "highest value": a_scored_lead(a_lead(estimated_value_max=Decimal(20_001))),
    "a date": a_scored_lead(a_lead(service_end=days_ago(-900)), score=BEFORE.score),
    "support status": a_scored_lead(a_lead(support_status="Expired")),
    "account": a_scored_lead(a_lead(account_id="account-2")),
    "account's name": a_scored_lead(profile=a_profile(name="Apple")),
    "segment": a_scored_lead(profile=a_profile(segment=Segment.GROWTH), score=BEFORE.score),
    "withdrawal": a_scored_lead(state="withdrawn", reason="support_renewed"),
    "episode": a_scored_lead(episode=1, episode_open=True, critical_since=AS_OF),
}

NO_NEWS = {
    "version": a_scored_lead(version=2, causes=("x",), batch_id="b"),
    "unrounded component": with_score(urgency=BEFORE.score.urgency + 0.001),
    "day": with_score(as_of=AS_OF + timedelta(days=1)),
    "rules version": with_score(rules_version="other"),
    "catalogue version": a_scored_lead(a_lead(catalogue_version=2)),
    "spelling of money": a_scored_lead(a_lead(estimated_value_max=Decimal("20000.00"))),
    "profile that changes no score": a_scored_lead(profile=a_profile(items=2)),
}


@pytest.mark.parametrize("what", NEWS)
def test_what_a_subscriber_would_see_is_news(what: str) -> None:
    assert differs(BEFORE, NEWS[what])


@pytest.mark.parametrize("what", NO_NEWS)
def test_what_only_drifts_is_no_news(what: str) -> None:
    assert not differs(BEFORE, NO_NEWS[what])


def test_a_lead_a_day_older_is_news_only_when_its_rounded_score_moves() -> None:
    lead = a_lead(end_of_life=date(2019, 1, 1), service_end=date(2020, 1, 1))
    today, tomorrow = (
        a_scored_lead(lead, score=a_score(lead, as_of=AS_OF + timedelta(days=days)))
        for days in (0, 1)
    )
    assert today.score.urgency != tomorrow.score.urgency
    assert today.score.score == tomorrow.score.score
    assert not differs(today, tomorrow)
