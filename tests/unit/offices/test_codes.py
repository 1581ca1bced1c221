"""Postal codes as keys: however they are written, and in the order that people know."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.rules.offices_codes import DIGITS, END, alike, has_digits, key_of

SAME = {
    "blanks": (" 6003 ", "6003", None),
    "a country prefix": ("CH-6003", "6003", None),
    "a country prefix without a hyphen": ("CH 6003", "6003", None),
    "an old prefix": ("D-01067", "01067", None),
    "wide digits": ("\uff16\uff10\uff10\uff13", "6003", None),
    "lower case of the Netherlands": ("1012 ab", "1012AB", "NL"),
    "a British code without its blank": ("sw1a1aa", "SW1A 1AA", "GB"),
    "a Canadian code": ("k1a-0b1", "K1A 0B1", "CA"),
    "a Swedish code": ("113 51", "11351", "SE"),
    "a Polish code": ("00-950", "00950", "PL"),
    "ZIP+4": ("12345-6789", "12345", "US"),
    "a zero lost in Germany": ("1067", "01067", "DE"),
    "a zero lost in France": ("1000", "01000", "FR"),
    "zeros lost in the USA": ("501", "00501", "US"),
}


@pytest.mark.parametrize(("one", "other", "country"), SAME.values(), ids=SAME)
def test_spellings_of_one_code_are_one_key(one: str, other: str, country: str | None) -> None:
    assert key_of(one, country) == key_of(other, country)
    assert key_of(one, country) is not None


APART = {
    "a lost zero, where nobody says the country": ("1067", "01067", None),
    "Switzerland's four digits and Germany's five": ("6003", "60031", None),
    "districts of London": ("SW1 1AA", "SW11 1AA", "GB"),
    "letters of the Netherlands": ("1012AB", "1012AC", "NL"),
    "a code of Latvia and one without its prefix's digits": ("LV-1010", "1011", None),
}


@pytest.mark.parametrize(("one", "other", "country"), APART.values(), ids=APART)
def test_different_codes_are_different_keys(one: str, other: str, country: str | None) -> None:
    assert key_of(one, country) != key_of(other, country)


@pytest.mark.parametrize(
    "codes",
    [
        ("999", "1000", "1001", "6999", "10000"),
        ("SW1A 1AA", "SW2 1AA", "SW9 1AA", "SW10 1AA", "SW20 1AA"),
        ("E20 1AA", "EC1A 1AA", "SW1 1AA"),
        ("1012AB", "1012AC", "1013AA"),
        ("K1A 0B1", "K1B 0A1", "K2A 0A1", "L1A 0A1"),
    ],
)
def test_codes_come_in_the_order_of_people(codes: tuple[str, ...]) -> None:
    keys = [key_of(code) for code in codes]
    assert all(one is not None and two is not None and one < two for one, two in pairwise(keys))


@pytest.mark.parametrize("word", ["", "  ", "???", "6003/6004", "Zürich", "1" * 21, "١٢٣٤"])
def test_what_cannot_be_a_code_has_no_key(word: str) -> None:
    assert key_of(word) is None


def test_a_word_is_no_whole_code_but_a_beginning_may_be() -> None:
    assert not has_digits(key_of("unknown") or ())
    assert has_digits(key_of("SW1") or ())


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("6000", "6999", True),
        ("SW1", "SW20", True),
        ("SW1A", "SW1Z", True),
        ("999", "1000", False),
        ("SW1", "SW1A", False),
        ("1000", "1000AA", False),
        ("1000", "A1000", False),
    ],
)
def test_bounds_are_alike_when_codes_can_lie_between_them(
    one: str, other: str, expected: bool
) -> None:
    assert alike(key_of(one) or (), key_of(other) or ()) is expected


@given(st.text(max_size=30), st.sampled_from([None, *DIGITS]))
def test_no_text_makes_it_raise_and_every_key_can_be_compared(
    text: str, country: str | None
) -> None:
    key = key_of(text, country)
    if key is not None:
        assert key < key + END
        assert (key < (key_of("6000") or ())) in {True, False}
        assert (key < (key_of("SW1A 1AA") or ())) in {True, False}


@given(st.integers(0, 99_999))
def test_a_number_gets_its_zeros_back_whatever_its_length(number: int) -> None:
    assert key_of(str(number), "DE") == key_of(f"{number:05d}", "DE")
