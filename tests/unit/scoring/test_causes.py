"""The cause of a score: what made us look, and every value that differs, from and to."""

import json
from decimal import Decimal

import pytest

from services.scoring.domain.causes import Cause, Change, cause_of
from shared.events import LeadFacts, LeadScored, Risk, Segment
from shared.rules.load import default_rules
from tests.support.builders import changed
from tests.support.scoring_builders import (
    AS_OF,
    a_lead,
    a_profile,
    a_score,
    a_scored_lead,
    days_ago,
    territory_average,
)

BEFORE = a_scored_lead()


def told(new: LeadScored, before: LeadScored = BEFORE) -> dict[str, tuple[object, object]]:
    """`about.field` → (from, to)."""
    cause = cause_of("lead", before, new)
    return {f"{c.about}.{c.field}": (c.before, c.after) for c in cause.changes}


def test_the_first_score_of_a_lead_has_no_other_cause() -> None:
    assert cause_of("day", None, BEFORE) == Cause("first")


def test_the_trigger_is_told_beside_all_that_differs() -> None:
    new = a_scored_lead(a_lead(risk=Risk.CRITICAL), a_profile(items=14, segment=Segment.GROWTH))

    cause = cause_of("account", BEFORE, new)

    assert cause.kind == "account"
    assert cause.changes == (
        Change("lead", "risk", "HIGH", "CRITICAL"),
        Change("account", "items", 1, 14),
        Change("account", "segment", "unknown", "GROWTH"),
    )


def test_nothing_that_is_equal_is_told() -> None:
    assert told(a_scored_lead(version=9, causes=("x",))) == {}
    assert told(a_scored_lead(a_lead(catalogue_version=2))) == {}


def test_dates_are_told_as_dates_and_money_exactly() -> None:
    before = a_scored_lead(a_lead(end_of_life=days_ago(10)))
    lead = a_lead(end_of_life=days_ago(9), estimated_value_max=Decimal("20000.50"))
    assert told(a_scored_lead(lead), before) == {
        "lead.end_of_life": ("2025-09-29", "2025-09-30"),
        "lead.estimated_value_max": ("20000", "20000.50"),
    }


def test_a_withdrawal_is_told_with_its_reason() -> None:
    gone = a_scored_lead(state="withdrawn", reason="the box left the install base")
    assert told(gone) == {
        "lead.state": ("open", "withdrawn"),
        "lead.reason": (None, "the box left the install base"),
    }


def test_a_lead_that_moves_names_both_accounts() -> None:
    moved = a_scored_lead(
        a_lead(account_id="account-2", account_name="Beta"),
        a_profile(account_id="account-2", name="Beta"),
    )
    assert told(moved) == {
        "lead.account_id": ("account-1", "account-2"),
        "account.name": ("Apple Inc", "Beta"),
    }


def test_a_day_and_rules_are_told() -> None:
    day = days_ago(-1)
    assert day is not None
    rules = changed(
        default_rules(),
        scoring__profile="classic",
        scoring__weights={
            "urgency": 0.4,
            "value": 0.25,
            "propensity": 0.2,
            "strategic_fit": 0.15,
        },
    )
    score = a_score(rules=rules, as_of=day).model_copy(update={"rules_version": "new"})
    assert told(a_scored_lead(score=score)) == {
        "day.as_of": (AS_OF.isoformat(), "2025-10-10"),
        "rules.rules_version": ("test", "new"),
        "rules.profile": ("default", "classic"),
        "rules.weights.urgency": (0.35, 0.4),
        "rules.weights.value": (0.3, 0.25),
    }


def test_of_the_territories_the_one_of_the_box_is_told() -> None:
    there = a_scored_lead(profile=a_profile(territory_averages=territory_average("80000.5")))
    assert told(there) == {"account.territory_average": (None, "80000.5")}
    elsewhere = territory_average(7, territory_id="1")
    assert told(a_scored_lead(profile=a_profile(territory_averages=elsewhere))) == {}


def test_amounts_of_projects_are_told_as_a_list() -> None:
    new = a_scored_lead(profile=a_profile(recent_closed_amounts=(Decimal("1.5"), Decimal(2))))
    assert told(new) == {"account.recent_closed_amounts": ([], ["1.5", "2"])}


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
def test_every_fact_of_a_lead_can_be_a_cause_but_what_is_told_elsewhere() -> None:
    before = a_lead().model_dump(mode="json")
    silent = set()
    for field in LeadFacts.model_fields:
        other = a_lead().model_copy(update={field: "other"})
        new = BEFORE.model_copy(update={"lead": other})
        if f"lead.{field}" not in told(new):
            silent.add(field)
    assert before.keys() >= silent
    assert silent == {"lead_id", "account_name", "catalogue_version"}


def test_a_change_is_stored_as_from_and_to_and_comes_back() -> None:
    change = Change("account", "items", 12, 14)
    stored = json.loads(json.dumps(change.as_json()))
    assert stored == {"about": "account", "field": "items", "from": 12, "to": 14}
    assert Change.of_json(stored) == change
