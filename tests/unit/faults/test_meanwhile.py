"""What was otherwise for a while may have been told of; at the end it may not stand."""

from dataclasses import replace

import pytest

from services.ingest.domain.ids import account_id_of_territory
from tests.faults.checker import check
from tests.faults.expectation import OTHER_RULES, content, expected, firing, office_of
from tests.faults.generator import marker
from tests.faults.history import Entry, Input, Merged, OtherRules, Told

VALUES = marker("a", "BOX", 1).values or {}
INPUT = Input("a", "BOX", 1, VALUES, "BOX|1")
OWN = account_id_of_territory("a", VALUES["territory_id"])
LEADS = expected([INPUT])
RIGHT = [
    Told("a", lead_id, 3, "open", lead.final or "", f"{lead_id}+")
    for lead_id, lead in LEADS.items()
]
AS_ANOTHERS = [
    replace(each, version=2, content=each.content.replace(OWN, "other"), news=f"{each.lead_id}-")
    for each in RIGHT
]
BY_OTHER_RULES = [
    Told(
        "a",
        each.lead.lead_id,
        2,
        "open",
        content(each.lead, each.score, office_of(INPUT)),
        "otherwise",
    )
    for each in firing("a", [INPUT], OTHER_RULES)
]
MERGED, RULED = Merged("a", OWN, "other"), OtherRules("a")


def kinds(*entries: Entry) -> set[str]:
    """What is wrong with what was told; nobody was alerted here."""
    found = check([INPUT, *entries]).violations
    return {each.kind for each in found if "alerted" not in each.what}


def test_other_rules_give_other_scores() -> None:
    assert {each.content for each in BY_OTHER_RULES}.isdisjoint(each.content for each in RIGHT)


@pytest.mark.parametrize(
    ("meanwhile", "why"), [(AS_ANOTHERS, MERGED), (BY_OTHER_RULES, RULED)], ids=["merged", "ruled"]
)
def test_what_was_so_for_a_while_may_be_told_then_and_not_stand_at_the_end(
    meanwhile: list[Told], why: Entry
) -> None:
    assert kinds(why, *meanwhile, *RIGHT) == set()
    assert kinds(*meanwhile, *RIGHT) == {"wrong"}
    last = [replace(each, version=4) for each in meanwhile]
    assert kinds(why, *RIGHT, *last) == {"stale"}


def test_what_was_so_for_another_tenant_is_wrong() -> None:
    assert kinds(OtherRules("b"), *BY_OTHER_RULES, *RIGHT) == {"wrong"}
    assert kinds(replace(MERGED, tenant="b"), *AS_ANOTHERS, *RIGHT) == {"wrong"}
