"""The public event is the whole lead; it is news when a subscriber would see a difference."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.recommender.domain.public import differs, to_public
from services.recommender.domain.recommend import Recommendation, recommend
from shared.events import Actor, CatalogueEntry, LeadChanged, LeadScored, Priority, Risk
from shared.rules.load import default_rules
from tests.support.scoring_builders import AS_OF, a_lead, a_profile, a_scored_lead, days_ago
from tests.unit.recommender.catalogue import STORAGE_3PAR

RULES = default_rules().recommendation
SCORED = a_scored_lead(a_lead(product_family="3PAR", end_of_life=days_ago(100)))


def recommended(entries: tuple[CatalogueEntry, ...] = STORAGE_3PAR) -> Recommendation:
    return recommend(SCORED.lead, entries, RULES)


def published(scored: LeadScored = SCORED, **changes: Any) -> LeadChanged:
    return to_public(scored, recommended(), version=7, causes=("c",)).model_copy(update=changes)


def rescored(**changes: Any) -> LeadChanged:
    score = SCORED.score.model_copy(update=changes)
    return published(SCORED.model_copy(update={"score": score}))


def relisted(**changes: Any) -> LeadChanged:
    lead = SCORED.lead.model_copy(update=changes)
    return published(SCORED.model_copy(update={"lead": lead}))


def test_the_public_lead_holds_facts_score_account_and_services() -> None:
    event = published()
    assert (event.version, event.causes) == (7, ("c",))
    assert (event.account, event.account_id, event.territory) == ("Apple Inc", "account-1", "56088")
    assert (event.end_of_life, event.as_of) == (days_ago(100), AS_OF)
    assert (event.score, event.priority) == (SCORED.score.score, SCORED.score.priority)
    assert event.ledger == SCORED.score.ledger
    assert event.services == recommended().services


def test_every_field_of_the_lead_and_score_that_is_public_is_the_same() -> None:
    event = published()
    for source in (SCORED.lead, SCORED.score):
        for name in set(type(source).model_fields) & set(LeadChanged.model_fields):
            assert getattr(event, name) == getattr(source, name), name


def test_actor_office_batch_and_episode_travel_along() -> None:
    scored = a_scored_lead(
        actor=Actor(kind="person", id="ana"),
        office_id="luzern",
        batch_id="b1",
        episode=2,
        episode_open=True,
        critical_since=AS_OF,
    )
    event = published(scored)
    assert (event.actor.id, event.office_id, event.batch_id) == ("ana", "luzern", "b1")
    assert (event.episode, event.episode_open, event.critical_since) == (2, True, AS_OF)


def test_a_withdrawn_lead_carries_its_reason() -> None:
    event = published(a_scored_lead(state="withdrawn", reason="support_renewed"))
    assert (event.state, event.reason) == ("withdrawn", "support_renewed")


def test_the_public_lead_survives_the_way_over_the_topic() -> None:
    event = published()
    assert LeadChanged.model_validate_json(event.model_dump_json()) == event


def test_money_is_decimal_text_on_the_topic() -> None:
    assert '"estimated_value_max":"20000"' in published().model_dump_json()


NEWS = {
    "rounded score": rescored(score=1.0),
    "priority": rescored(priority=Priority.LOW),
    "risk": relisted(risk=Risk.LOW),
    "value": relisted(estimated_value_max=Decimal(7)),
    "support status": relisted(support_status="Active"),
    "a date": relisted(end_of_life=days_ago(99)),
    "account": published(SCORED.model_copy(update={"account": a_profile(name="Apple")})),
    "services": to_public(SCORED, recommended(STORAGE_3PAR[:2]), version=7),
    "no services": to_public(SCORED, recommended(()), version=7),
    "withdrawal": published(SCORED.model_copy(update={"state": "withdrawn", "reason": "gone"})),
    "episode": published(SCORED.model_copy(update={"episode": 1})),
    "office": published(office_id="luzern"),
}

NO_NEWS = {
    "version": published(version=8, causes=("d",), batch_id="b2"),
    "actor": published(actor=Actor(kind="person", id="ana")),
    "day": rescored(as_of=AS_OF + timedelta(days=1), urgency=1.5, ledger=()),
    "rules version": rescored(rules_version="other"),
    "confidence": rescored(confidence=0.1, missing=()),
}


@pytest.mark.parametrize("what", NEWS)
def test_what_a_subscriber_would_see_is_news(what: str) -> None:
    assert differs(published(), NEWS[what])


@pytest.mark.parametrize("what", NO_NEWS)
def test_what_only_drifts_is_no_news(what: str) -> None:
    assert not differs(published(), NO_NEWS[what])
