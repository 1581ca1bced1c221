"""An explanation shows the arithmetic as it is in the event, and what would change it."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO
from typing import Any

from rich.console import Console

from onelead.explaining.as_json import explanation_json, not_alone
from onelead.explaining.finding import Explained, names_of
from onelead.explaining.past import cause_in_words
from onelead.explaining.present import parts
from services.ingest.domain.ids import lead_id
from services.recommender.domain.public import to_public
from services.recommender.domain.recommend import recommend
from services.scoring.domain.causes import Cause, Change, PastScore
from services.scoring.domain.outlook.assemble import with_outlook
from shared.events import LeadScored, LeadType, Priority
from shared.rules.load import default_rules
from tests.support.scoring_builders import (
    AS_OF,
    a_lead,
    a_profile,
    a_score,
    a_scored_lead,
    an_entry,
    days_ago,
)

RULES = default_rules()


def past(version: int, score: float, priority: Priority, cause: Cause) -> PastScore:
    at = datetime(2025, 10, version, 12, 30, tzinfo=UTC)
    return PastScore(version, at, AS_OF, "r1", score, priority, "open", cause)


ITEMS = Change("account", "items", 3, 51)
HISTORY = (
    past(1, 49.8, Priority.MEDIUM, Cause("first")),
    past(2, 61.0, Priority.HIGH, Cause("account", (ITEMS,))),
)


def scored(lead_changes: dict[str, Any], profile_changes: dict[str, Any]) -> LeadScored:
    lead, profile = a_lead(**lead_changes), a_profile(**profile_changes)
    score = with_outlook(
        a_score(lead, profile), lead, profile, RULES.scoring, products=RULES.products
    )
    return a_scored_lead(lead, profile, score=score)


def explanation(event: LeadScored, *services: str) -> Explained:
    entries = [an_entry(service) for service in services]
    offered = recommend(event.lead, entries, RULES.recommendation)
    return Explained(event, to_public(event, offered, version=1), HISTORY)


HIGH = scored(
    {"end_of_life": days_ago(-200), "estimated_value_max": Decimal(120_000)},
    {"items": 51, "open_opportunities": 6, "last_project_date": days_ago(400)},
)
CRITICAL = scored(
    {
        "end_of_life": days_ago(3_000),
        "service_end": days_ago(3_000),
        "estimated_value_max": Decimal(300_000),
    },
    {"items": 60, "open_opportunities": 9},
)


def printed(found: Explained) -> str:
    console = Console(width=110, record=True, file=StringIO())
    for part in parts(found):
        console.print(part)
    return console.export_text()


def test_every_line_of_the_ledger_and_every_sum_is_shown() -> None:
    text = printed(explanation(HIGH, "Health Check"))
    for line in HIGH.score.ledger[:-1]:
        assert line.reason in text
        assert f"{line.points:+.2f}" in text
    for name in ("urgency", "value", "propensity", "strategic_fit"):
        points, weight = getattr(HIGH.score, name), getattr(HIGH.score.weights, name)
        assert f"{points * weight:.4f}" in text
    assert f"{HIGH.score.ledger[-1].input:.4f}" in text
    assert f"{HIGH.score.score} {HIGH.score.priority}" in text
    assert "Health Check" in text


def test_confidence_and_missing_inputs_are_told() -> None:
    text = printed(explanation(HIGH))
    assert f"Confidence {HIGH.score.confidence:.0%}" in text
    assert "service end, average closed amount" in text
    assert "Services: none (no_service_for_family)" in text


def test_what_would_change_it_is_told() -> None:
    outlook = HIGH.score.outlook
    assert outlook is not None
    assert outlook.crossings
    assert outlook.to_critical
    assert outlook.missing_dates
    text = " ".join(printed(explanation(HIGH)).split())
    for change in outlook.to_critical:
        assert str(change.needed) in text
    for crossing in outlook.crossings:
        assert f"{crossing.on}" in text
        assert f"{crossing.before} → {crossing.after}" in text
    for missing in outlook.missing_dates:
        assert f"{missing.lowest} to {missing.highest}" in text
    others = ", ".join(not_alone(explanation(HIGH))).replace("_", " ")
    assert f"Not alone: {others}." in text


def test_a_critical_lead_is_told_to_be_so_and_by_how_long() -> None:
    text = printed(explanation(CRITICAL))
    assert "It is CRITICAL already." in text
    assert "By itself it stays CRITICAL until 2028-10-08." in text
    assert not_alone(explanation(CRITICAL)) == ()


def test_a_withdrawn_lead_says_why_and_looks_no_further() -> None:
    event = HIGH.model_copy(update={"state": "withdrawn", "reason": "the box is gone"})
    text = printed(replace(explanation(HIGH), scored=event))
    assert "Withdrawn: the box is gone" in text
    assert "Not alone" not in text


def test_a_lead_without_outlook_or_services_is_explained_too() -> None:
    found = Explained(a_scored_lead(), None, ())
    assert "49.8 MEDIUM" in printed(found)
    assert explanation_json(found)["services"] == []
    assert not_alone(found) == ()


def test_the_history_tells_from_what_to_what_and_why() -> None:
    text = printed(explanation(HIGH))
    assert "2025-10-02 12:30" in text
    assert "49.8 → 61.0" in text
    assert "MEDIUM → HIGH" in text
    assert "first score" in text
    assert "the account: items 3 → 51" in text


def test_of_many_changes_the_first_are_told() -> None:
    changes = tuple(Change("account", f"f{n}", None, n) for n in range(7))
    told = cause_in_words(past(3, 1.0, Priority.LOW, Cause("rules", changes)))
    assert told == "the rules: f0 none → 0, f1 none → 1, f2 none → 2, f3 none → 3, and 3 more"


def test_the_json_is_the_data_of_the_event() -> None:
    found = explanation_json(explanation(HIGH, "Health Check"))
    assert found["score"] == HIGH.score.model_dump(mode="json")
    assert found["lead"]["lead_id"] == HIGH.lead.lead_id
    assert found["services"][0]["service_type"] == "Health Check"
    assert set(found["not_alone"]).isdisjoint(
        each["input"] for each in found["score"]["outlook"]["to_critical"]
    )
    assert [(each["score_from"], each["score_to"]) for each in found["history"]] == [
        (None, 49.8),
        (49.8, 61.0),
    ]
    assert found["history"][1]["changes"] == [ITEMS.as_json()]


def test_a_name_may_be_an_id_its_beginning_or_a_serial_number() -> None:
    renewal = lead_id("t", "USE3256NX0", LeadType.RENEWAL)
    assert renewal in names_of("t", " use3256nx0 ")["ids"]
    assert names_of("t", " use3256nx0 ")["prefix"] is None
    assert names_of("t", renewal.upper())["ids"][0] == renewal
    assert names_of("t", renewal[:4])["prefix"] == renewal[:4]
    assert names_of("t", renewal[:3])["prefix"] is None
