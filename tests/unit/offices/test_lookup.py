"""Which office has a postal code on a day; at most one, whatever the ranges."""

from datetime import date, timedelta
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.rules.base import RuleError
from shared.rules.offices import UNASSIGNED, OfficeRange, Offices, Span, spans
from shared.rules.offices_codes import key_of
from shared.rules.offices_lookup import OfficeMap, office_map
from shared.rules.offices_overlap import first_overlap
from tests.support.office_builders import EGELI, LUZERN, ROMANDIE, SWISS, offices

DAY = date(2026, 3, 1)


def office(
    code: str | None, *ranges: Any, country: str | None = None, on: date = DAY
) -> str | None:
    return OfficeMap(offices(*ranges), on).office_of(code, country)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("6000", "luzern"),
        ("6999", "luzern"),
        ("5999", "egeli"),
        ("7000", "egeli"),
        ("1000", "romandie"),
        ("2999", "romandie"),
        ("3000", "egeli"),
        ("3899", "egeli"),
        ("3900", "romandie"),
        ("3999", "romandie"),
        ("4000", "egeli"),
        ("0999", "egeli"),
        ("60031", "egeli"),
        ("CH-6003", "luzern"),
        (None, UNASSIGNED),
        ("", UNASSIGNED),
        ("unknown", UNASSIGNED),
    ],
)
def test_the_offices_of_the_rules(code: str | None, expected: str) -> None:
    assert office(code, *SWISS) == expected


def test_without_ranges_there_are_no_offices() -> None:
    assert office("6003") is None
    assert office(None) is None


def test_a_code_in_a_gap_is_unassigned() -> None:
    assert office("3500", LUZERN, ROMANDIE) == UNASSIGNED


BRITAIN = (
    {"office": "west", "from": "SW1", "to": "SW10"},
    {"office": "city", "from": "EC1", "to": "EC4"},
    {"office": "east", "from": "E"},
    {"office": "palace", "from": "SW11A", "to": "SW11C"},
)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("SW1A 1AA", "west"),
        ("SW2 1AA", "west"),
        ("SW10 9ZZ", "west"),
        ("SW11 1AA", UNASSIGNED),
        ("SW11B 1AA", "palace"),
        ("ec1v9hq", "city"),
        ("E1 6AN", "east"),
        ("EN1 1AA", UNASSIGNED),
        ("S1 1AA", UNASSIGNED),
    ],
)
def test_ranges_of_british_districts(code: str, expected: str) -> None:
    assert office(code, *BRITAIN) == expected
    assert office(code, *BRITAIN, country="United Kingdom") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("1012 AB", "centre"), ("1019zz", "centre"), ("1020 AA", UNASSIGNED), ("1012", "centre")],
)
def test_ranges_of_numbers_hold_the_letters_behind_them(code: str, expected: str) -> None:
    assert office(code, {"office": "centre", "from": 1012, "to": 1019}, country="NL") == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [("K1A 0B1", "ottawa"), ("k1z9z9", "ottawa"), ("K2A 1A1", UNASSIGNED), ("L1A 1A1", UNASSIGNED)],
)
def test_ranges_of_canadian_areas(code: str, expected: str) -> None:
    assert office(code, {"office": "ottawa", "from": "K1A", "to": "K1Z"}, country="CA") == expected


@pytest.mark.parametrize("code", ["1067", "01067", "D-01067"])
@pytest.mark.parametrize("country", ["DE", "Germany", "deutschland", None])
def test_a_lost_zero_comes_back_where_the_country_is_known(code: str, country: str | None) -> None:
    dresden = {"office": "dresden", "country": "DE", "from": "01000", "to": "01999"}
    assert office(code, dresden, country=country) == "dresden"


def test_countries_with_the_same_numbers_have_their_own_offices() -> None:
    ranges = (
        {"office": "bern", "country": "CH", "from": 3000, "to": 3999},
        {"office": "bregenz", "country": "AT", "from": 3000, "to": 6999},
        {"office": "swiss", "country": "CH"},
        EGELI,
    )
    found = {
        country: [office(code, *ranges, country=country) for code in ("3001", "6900")]
        for country in ("CH", "Austria", "Narnia")
    }
    assert found == {
        "CH": ["bern", "swiss"],
        "Austria": ["bregenz", "bregenz"],
        "Narnia": ["egeli", "egeli"],
    }


def test_a_range_holds_from_its_first_day_to_its_last() -> None:
    moved = (
        {**LUZERN, "valid_until": "2026-02-28"},
        {"office": "zug", "from": 6000, "to": 6999, "valid_from": "2026-03-01"},
    )
    days = [date(2026, 2, 28), date(2026, 3, 1)]
    assert [office("6003", *moved, on=day) for day in days] == ["luzern", "zug"]
    later = ({**LUZERN, "valid_from": "2026-03-02"},)
    assert office("6003", *later) == UNASSIGNED


def test_a_map_is_made_once_for_the_same_rules_and_day() -> None:
    swiss = offices(*SWISS)
    assert office_map(swiss, DAY) is office_map(swiss, DAY)
    assert office_map(swiss, DAY) is not office_map(swiss, DAY + timedelta(days=1))
    assert office_map(offices(*SWISS), DAY) is not office_map(swiss, DAY)


numbers = st.integers(0, 40)
days = st.one_of(st.none(), st.integers(0, 8).map(lambda n: DAY + timedelta(days=n)))
bounds = st.one_of(
    st.tuples(numbers, numbers).map(lambda p: (f"{min(p):04d}", f"{max(p):04d}")),
    st.tuples(numbers, numbers).map(lambda p: (f"SW{min(p)}", f"SW{max(p)}")),
    st.sampled_from([("S", "S"), ("SW", "SW"), ("SW1A", "SW1C"), (None, None)]),
)
ranges = st.builds(
    lambda office, country, pair, first, last: {
        "office": office,
        "country": country,
        "from": pair[0],
        "to": pair[1],
        "valid_from": first,
        "valid_until": last,
    },
    st.sampled_from(["a", "b", "c"]),
    st.sampled_from([None, "CH", "GB"]),
    bounds,
    days,
    days,
)
codes = st.one_of(
    st.integers(0, 45).map(lambda n: f"{n:04d}"),
    st.integers(0, 45).map(lambda n: f"SW{n} 1AA"),
    st.sampled_from(["SW1A 1AA", "SW1D 1AA", "S1 1AA", "00011"]),
)


@given(st.lists(ranges, max_size=6), codes, st.sampled_from([None, "CH", "GB"]), days)
def test_every_code_has_at_most_one_office_on_any_day(
    written: list[dict[str, Any]], code: str, country: str | None, day: date | None
) -> None:
    try:
        found = offices(*written)
    except ValidationError:
        assume(False)
    on, lookup = day or DAY, OfficeMap(found, day or DAY)
    of = lookup.country_called(country)
    key = key_of(code, of)
    holding = [
        span
        for span in spans(found)
        if span.of.holds_on(on)
        and span.first is not None
        and span.last is not None
        and key is not None
        and span.first <= key < span.last
        and span.country in {of, None}
    ]
    assert len(holding) <= 1
    if holding:
        assert lookup.office_of(code, country) == holding[0].of.office
    else:
        rest = {span.of.office for span in spans(found) if span.first is None}
        assert lookup.office_of(code, country) in {*rest, UNASSIGNED, None}


def share_a_code_and_a_day(one: Span, other: Span) -> bool:
    """Looked at by themselves, without any order."""
    days_meet = max(one.of.begins, other.of.begins) <= min(one.of.ends, other.of.ends)
    if one.first is None or other.first is None:
        alike = one.first is other.first and one.country == other.country
    else:
        assert one.last is not None
        assert other.last is not None
        countries_meet = one.country == other.country or None in {one.country, other.country}
        alike = countries_meet and max(one.first, other.first) < min(one.last, other.last)
    return alike and days_meet


@given(st.lists(ranges, max_size=8))
def test_ranges_are_refused_if_and_only_if_two_share_a_code_and_a_day(
    written: list[dict[str, Any]],
) -> None:
    try:
        each = tuple(OfficeRange.model_validate(one) for one in written)
        found = list(spans(Offices.model_construct(country=None, country_names={}, ranges=each)))
    except (ValidationError, RuleError):
        assume(False)
    pairs = {
        (one.index, other.index)
        for one, other in combinations(found, 2)
        if share_a_code_and_a_day(one, other)
    }
    named = first_overlap(found)
    assert (named is None) is (not pairs)
    if named is not None:
        assert (named[0].index, named[1].index) in pairs
