"""What a set of ranges may not say, and that the refusal names it."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from shared.rules.load import default_rules, parse_rules, rules_document, rules_version
from shared.rules.offices import MAX_RANGES
from tests.support.office_builders import EGELI, LUZERN, ROMANDIE, SWISS, offices, with_offices

INSIDE = {"office": "zug", "from": "6300", "to": "6319"}
FROM_2026 = {"valid_from": "2026-01-01"}
UNTIL_2026 = {"valid_until": "2025-12-31"}

REFUSED: dict[str, tuple[tuple[dict[str, Any], ...], str]] = {
    "one range inside another": (
        (LUZERN, INSIDE),
        "zug 6300–6319 overlaps luzern 6000–6999, range 1",
    ),
    "the later line first in order": (
        (INSIDE, LUZERN),
        "luzern 6000–6999 overlaps zug 6300–6319, range 1",
    ),
    "one code in common": (
        (LUZERN, {"office": "zug", "from": "6999", "to": "7100"}),
        "zug 6999–7100 overlaps",
    ),
    "a single code": ((LUZERN, {"office": "zug", "from": "6300"}), "zug 6300 overlaps"),
    "the same office twice": ((LUZERN, LUZERN), "luzern 6000–6999 overlaps luzern 6000–6999"),
    "one day in common": (
        ({**LUZERN, **FROM_2026}, {**INSIDE, "valid_until": "2026-01-01"}),
        "zug 6300–6319 until 2026-01-01 overlaps luzern 6000–6999 from 2026-01-01",
    ),
    "two for every other code": ((EGELI, {"office": "rest"}), "rest every other code overlaps"),
    "a district inside an area": (
        ({"office": "a", "from": "SW"}, {"office": "b", "from": "SW1", "to": "SW3"}),
        "b SW1–SW3 overlaps a SW",
    ),
    "all of a country and of every one": (
        (LUZERN, {**INSIDE, "country": "AT"}, {"office": "a", "country": "CH", "from": 1}),
        "zug 6300–6319 (AT) overlaps luzern 6000–6999",
    ),
    "a wide range and one far behind its first neighbour": (
        (
            {"office": "a", "from": 1000, "to": 9000, **FROM_2026},
            {"office": "b", "from": 1000, "to": 1000, **UNTIL_2026},
            {"office": "c", "from": 8000, "to": 8100},
        ),
        "c 8000–8100 overlaps a 1000–9000 from 2026-01-01",
    ),
    "a last code before the first": (
        ({"office": "a", "from": "6999", "to": "6000"},),
        "6000 comes before 6999",
    ),
    "codes of two forms": (
        ({"office": "a", "from": "999", "to": "6000"},),
        "999 and 6000 are not codes of one form",
    ),
    "no postal code": (({"office": "a", "from": "60/61"},), "'60/61' is no postal code"),
    "an end without a beginning": (({"office": "a", "to": "6000"},), "must begin somewhere"),
    "an end before the beginning": (
        ({**LUZERN, "valid_from": "2026-02-01", "valid_until": "2026-01-31"},),
        "ends on 2026-01-31, before it begins on 2026-02-01",
    ),
    "the name of no office": (({"office": "Unassigned", "from": 1},), "what leads of no office"),
    "two spellings": ((LUZERN, {"office": "Luzern", "from": 7000}), "is written luzern above"),
    "a country in words": (({**LUZERN, "country": "Schweiz"},), "country"),
    "a name over two lines": (({**LUZERN, "office": "a\nb"},), "office"),
    "an unknown key": (({**LUZERN, "until": "2026-01-01"},), "until"),
    "yes for a code": (({"office": "a", "from": True},), "from"),
}


@pytest.mark.parametrize(("ranges", "said"), REFUSED.values(), ids=REFUSED)
def test_ranges_that_cannot_hold_are_refused(ranges: tuple[dict[str, Any], ...], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        offices(*ranges)
    assert said in str(refused.value)


ALLOWED: dict[str, tuple[dict[str, Any], ...]] = {
    "those of the rules": SWISS,
    "one after the other": (LUZERN, {"office": "zug", "from": "7000", "to": "7100"}),
    "the same codes on other days": ({**LUZERN, **UNTIL_2026}, {**INSIDE, **FROM_2026}),
    "the same codes in other countries": (
        {**LUZERN, "country": "CH"},
        {**INSIDE, "country": "AT"},
    ),
    "every other code day after day": ({**EGELI, **UNTIL_2026}, {"office": "rest", **FROM_2026}),
    "every other code of a country, and of all": (EGELI, {"office": "swiss", "country": "CH"}),
    "four digits within five": (LUZERN, {"office": "a", "from": "60000", "to": "69999"}),
}


@pytest.mark.parametrize("ranges", ALLOWED.values(), ids=ALLOWED)
def test_ranges_that_share_no_code_on_no_day_are_taken(ranges: tuple[dict[str, Any], ...]) -> None:
    assert len(offices(*ranges).ranges) == len(ranges)


def test_there_may_not_be_endlessly_many() -> None:
    ranges = [{"office": "a", "from": f"{n:05d}"} for n in range(MAX_RANGES + 1)]
    assert len(offices(*ranges[:-1]).ranges) == MAX_RANGES
    with pytest.raises(ValidationError, match="at most 5000"):
        offices(*ranges)


def test_offices_survive_the_event_that_carries_them() -> None:
    rules = with_offices(*SWISS, {**ROMANDIE, "from": "4000", "to": "4100", **FROM_2026})
    again = parse_rules(rules_document(rules))
    assert again.offices == rules.offices
    assert again.offices.ranges[-1].valid_from == date(2026, 1, 1)
    assert rules_version(again) == rules_version(rules) != rules_version(default_rules())


def test_there_are_none_by_default() -> None:
    assert default_rules().offices.ranges == ()
