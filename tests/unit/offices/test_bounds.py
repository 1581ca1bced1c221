"""The ends of a range: short numbers are how codes begin, one lost zero comes back, doubt is refused."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.rules.offices import UNASSIGNED
from shared.rules.offices_codes import DIGITS
from shared.rules.offices_lookup import OfficeMap
from tests.support.office_builders import offices

DAY = date(2026, 3, 1)


def in_range(code: str, country: str, first: str, last: str | None = None) -> bool:
    given_range = {"office": "here", "country": country, "from": first, "to": last}
    found = OfficeMap(offices(given_range), DAY).office_of(code, country)
    assert found in {"here", UNASSIGNED}
    return found == "here"


BEGINNINGS = {
    "western states": ("US", "900", "961", ("90000", "96199", "94105-1234"), ("89999", "96200")),
    "one digit of a state": ("US", "9", None, ("90000", "99999"), ("00009", "89999")),
    "Puerto Rico, its zeros written": ("US", "006", "009", ("00601", "00988"), ("00501", "01001")),
    "Frankfurt": ("DE", "60", "65", ("60311", "65999", "D-60311"), ("06031", "66000", "00060")),
    "Leipzig, its zero written": ("DE", "041", "044", ("04109", "4109", "04499"), ("41000",)),
    "four digits with a zero": ("DE", "0410", None, ("04109", "4109"), ("04110", "00410")),
    "Lisbon": ("PT", "1000", "1999", ("1100-001", "1999-999"), ("2000-001", "0001100")),
    "Tokyo": ("JP", "100", "208", ("100-0001", "208-9999"), ("209-0000", "000-0100")),
    "the middle of Switzerland": ("CH", "60", "69", ("6003", "6999"), ("7000", "5999")),
    "three digits of Switzerland": ("CH", "600", "601", ("6003", "6019"), ("6020", "0600")),
    "four digits of Sweden": ("SE", "1135", None, ("113 51",), ("113 61", "01135")),
    "one Indian district": ("IN", "110", None, ("110001",), ("111001", "000110")),
}


@pytest.mark.parametrize(
    ("country", "first", "last", "held", "not_held"), BEGINNINGS.values(), ids=BEGINNINGS
)
def test_a_number_too_short_for_a_code_holds_what_begins_like_it(
    country: str, first: str, last: str | None, held: tuple[str, ...], not_held: tuple[str, ...]
) -> None:
    assert [code for code in held if not in_range(code, country, first, last)] == []
    assert [code for code in not_held if in_range(code, country, first, last)] == []


LOST = {
    "Boston": ("US", "2108", "2199", ("02108", "2108", "02199"), ("21080", "21999")),
    "Dresden": ("DE", "1067", "1328", ("01067", "1067", "01328"), ("10670", "13289")),
    "from a lost zero to a whole code": ("DE", "1067", "99998", ("01067", "60311"), ("01066",)),
    "Darwin": ("AU", "800", "899", ("0800", "800", "0899"), ("8000",)),
}


@pytest.mark.parametrize(("country", "first", "last", "held", "not_held"), LOST.values(), ids=LOST)
def test_a_number_that_lacks_one_digit_gets_its_zero_back(
    country: str, first: str, last: str, held: tuple[str, ...], not_held: tuple[str, ...]
) -> None:
    assert [code for code in held if not in_range(code, country, first, last)] == []
    assert [code for code in not_held if in_range(code, country, first, last)] == []


DOUBTFUL = {
    "two zeros lost and one": ("US", "501", "2799", ("00501", "begins with 501", "02799")),
    "two zeros lost and none": ("US", "501", "14925", ("00501", "begins with 501")),
    "a zero written and one lost": ("DE", "0106", "1067", ("begins with 0106", "01067")),
    "beginnings of two lengths": ("DE", "6", "65", ("begins with 6 ", "begins with 65")),
    "a beginning and a code": ("CH", "600", "6999", ("begins with 600",)),
}


@pytest.mark.parametrize(("country", "first", "last", "said"), DOUBTFUL.values(), ids=DOUBTFUL)
def test_ends_that_can_be_read_in_two_ways_are_refused_with_both(
    country: str, first: str, last: str, said: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError, match="can be read in two ways") as refused:
        in_range("1", country, first, last)
    text = str(refused.value).replace(";", " ;")
    assert [word for word in said if word not in text] == []


@given(st.data(), st.sampled_from(sorted(DIGITS)))
def test_a_beginning_holds_exactly_the_codes_that_begin_like_it(
    data: st.DataObject, country: str
) -> None:
    length = DIGITS[country]
    digits = st.text("0123456789", min_size=length, max_size=length)
    beginning = data.draw(digits)[: data.draw(st.integers(1, length - 2))]
    code = data.draw(digits | digits.map(lambda end: (beginning + end)[:length]))
    assert in_range(code, country, beginning) == code.startswith(beginning)


def test_without_a_country_a_number_is_a_whole_code() -> None:
    lookup = OfficeMap(offices({"office": "here", "from": "900", "to": "961"}), DAY)
    assert [lookup.office_of(code) for code in ("950", "95000")] == ["here", UNASSIGNED]
