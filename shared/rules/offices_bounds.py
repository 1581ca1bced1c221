"""Reads the two ends of a range as keys: numbers that are too short for a code are how codes begin.

Only a number that lacks one digit, in a country some of whose codes begin with 0, is a whole code that
lost its zero in a spreadsheet.
"""

from shared.rules.base import RuleError
from shared.rules.offices_codes import DIGITS, Key, alike, bare, key_of
from shared.rules.offices_ranges import OfficeRange

_NO_CODE_BEGINS_WITH_ZERO = frozenset(
    (
        *("AT", "BE", "BG", "CH", "CZ", "EE", "GR", "HR", "HU"),
        *("IN", "LI", "LU", "PT", "RS", "RU", "SE", "TH"),
    )
)


def ends_of(each: OfficeRange, country: str | None, index: int) -> tuple[Key, Key]:
    """The keys of the first and the last code of a range with codes.

    Raises RuleError for ends between which no codes can lie, or that can be read in two ways.
    """
    low, high = each.first or "", each.last or each.first or ""
    first, last = _bare(low, index, "from"), _bare(high, index, "to")
    if country in DIGITS and first.isdigit() and last.isdigit():
        first, last = _whole(first, last, country, index)
    one, other = key_of(first, country) or (), key_of(last, country) or ()
    if not alike(one, other):
        raise RuleError(
            f"{low} and {high} are not codes of one form, so nothing lies between "
            "them; write both with the same digits and letters, as in 6000 and 6999 or SW1 and SW20",
            "ranges",
            index,
            "to",
        )
    if other < one:
        raise RuleError(f"{high} comes before {low}", "ranges", index, "to")
    return one, other


def _bare(written: str, index: int, name: str) -> str:
    text = bare(written)
    if text is None:
        raise RuleError(
            f"{written!r} is no postal code; letters, digits, blanks and hyphens make one",
            "ranges",
            index,
            name,
        )
    return text


def _whole(first: str, last: str, country: str, index: int) -> tuple[str, str]:
    """Two numbers as whole codes of a country: 900 and 961 are 90000 and 96199 in the USA."""
    length = DIGITS[country]
    begin = [_is_beginning(number, country) for number in (first, last)]
    if not any(begin):
        return first.zfill(length), last.zfill(length)
    if not all(begin) or len(first) != len(last):
        short = dict.fromkeys(number for number in (first, last) if len(number) < length)
        readings = "; ".join(
            f"{number} may be {number.zfill(length)} or every code that begins with {number}"
            for number in short
        )
        raise RuleError(
            f"{first} and {last} can be read in two ways, as codes of {country} have {length} digits:"
            f" {readings}. Write both with {length} digits",
            "ranges",
            index,
            "to",
        )
    return first.ljust(length, "0"), last.ljust(length, "9")


def _is_beginning(number: str, country: str) -> bool:
    """Whether a number is how codes begin, rather than one of them."""
    missing = DIGITS[country] - len(number)
    kept_its_zero = number.startswith("0") or country in _NO_CODE_BEGINS_WITH_ZERO
    return missing > 1 or (missing == 1 and kept_its_zero)
