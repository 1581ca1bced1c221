"""Reads one raw cell (rules.md §1): gives its value, or says why the cell cannot be understood.

Every reader takes a cell that is not missing and returns (value, problem); one of the two is None.
"""

import math
import re
from collections.abc import Callable, Collection
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from shared.events import JsonScalar

_Found = tuple[Any, str | None]
Reader = Callable[[JsonScalar], _Found]

_DAY = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)
_EXCEL_DAY_0 = date(1899, 12, 30)
_EXCEL_DAYS = range(20_000, 80_000)
"""Excel's day numbers of 1954 to 2119: a date cell that lost its format."""

_MONEY = re.compile(
    r"(?P<open>\()?(?P<minus>-)?\s*[$€£¥]?\s*(?P<minus2>-)?"
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)\s*(?P<close>\))?",
    re.ASCII,
)
_MONEY_LIMIT = Decimal("1e15")
_SYMBOLS = {
    "$": ("USD", "AUD", "CAD", "HKD", "MXN", "NZD", "SGD"),
    "€": ("EUR",),
    "£": ("GBP",),
    "¥": ("JPY", "CNY"),
}
_WHOLE_AS_TEXT = re.compile(r"(\d+)\.0+", re.ASCII)
_QUANTITY_LIMIT = 1_000_000_000
_BEFORE_DOMAIN = re.compile(r"^(?:[a-z]+://)?(?:[^@/]*@)?(?:www\.)?")

NOT_A_DATE = "not a date that can be read"
NOT_MONEY = "not an amount of money"
NOT_A_QUANTITY = "not a whole number; counted as 1"
NOT_A_MARGIN = "not a share between 0 and 1"


@lru_cache(maxsize=20_000, typed=True)
def _read_once(reader: Reader, raw: JsonScalar, words: tuple[str, ...]) -> _Found:
    return (None, None) if is_missing(raw, set(map(str.casefold, words))) else reader(raw)


def read(reader: Reader, raw: JsonScalar, words: tuple[str, ...]) -> _Found:
    """What a reader makes of a cell; a missing one is (None, None). Short ones are remembered."""
    long = isinstance(raw, str) and len(raw) > 100
    return (_read_once.__wrapped__ if long else _read_once)(reader, raw, words)


def is_missing(raw: JsonScalar, missing_values: Collection[str]) -> bool:
    """Whether the cell says nothing. `missing_values` are the words for it, casefolded."""
    if isinstance(raw, str):
        text = raw.strip()
        return not text or text.casefold() in missing_values
    return raw is None or (isinstance(raw, float) and math.isnan(raw))


def text(raw: JsonScalar) -> tuple[str | None, str | None]:
    """Text without blanks around it; a number as it would be written, 5.0 as 5."""
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < 1e15:
        return str(int(raw)), None
    return str(raw).strip(), None


def code(raw: JsonScalar) -> tuple[str | None, str | None]:
    """An id, number or text, without the `.0` that a spreadsheet adds."""
    found, _ = text(raw)
    whole = _WHOLE_AS_TEXT.fullmatch(found or "")
    return (whole[1] if whole else found), None


def name(raw: JsonScalar) -> tuple[str | None, str | None]:
    """An account's name as it is spelled; `#` stands for none."""
    found, _ = text(raw)
    return (None if found == "#" else found), None


def currency(raw: JsonScalar) -> tuple[str | None, str | None]:
    """A currency code in capitals."""
    return str(raw).strip().upper(), None


def domain(raw: JsonScalar) -> tuple[str | None, str | None]:
    """A web domain, also out of an address or an e-mail: `https://www.Example.com/x`."""
    host = _BEFORE_DOMAIN.sub("", str(raw).strip().casefold()).split("/")[0].split(":")[0]
    return host.rstrip(".") or None, None


def day(raw: JsonScalar) -> tuple[date | None, str | None]:
    """A day from ISO text, with or without a time, or from an Excel day number."""
    if isinstance(raw, str) and (found := _DAY.fullmatch(raw.strip())):
        try:
            return date.fromisoformat(found[1]), None
        except ValueError:
            return None, NOT_A_DATE
    number = None if isinstance(raw, str) else _decimal(raw)
    if number is not None and number.is_finite() and int(number) in _EXCEL_DAYS:
        return _EXCEL_DAY_0 + timedelta(days=int(number)), None
    return None, NOT_A_DATE


def money(raw: JsonScalar) -> tuple[Decimal | None, str | None]:
    """An amount: a number, `$28,000.00`, `6,200`, `(500)` for −500; nothing is guessed."""
    amount = _decimal(raw)
    if amount is None or not amount.is_finite() or abs(amount) >= _MONEY_LIMIT:
        return None, NOT_MONEY
    return amount, None


def _decimal(raw: JsonScalar) -> Decimal | None:
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, int | float):
        return Decimal(str(raw))
    found = _MONEY.fullmatch(raw.strip().replace("−", "-"))
    if found is None or bool(found["open"]) != bool(found["close"]):
        return None
    signs = sum(1 for sign in ("open", "minus", "minus2") if found[sign])
    amount = Decimal(found["number"].replace(",", ""))
    return None if signs > 1 else amount * (-1 if signs else 1)


def written_currency(raw: JsonScalar, expected: str) -> str:
    """The currency an amount is in: the expected one, unless a symbol beside it says otherwise."""
    for symbol, codes in _SYMBOLS.items():
        if isinstance(raw, str) and symbol in raw and expected not in codes:
            return codes[0]
    return expected


def quantity(raw: JsonScalar) -> tuple[int | None, str | None]:
    """How many boxes a row stands for; less than 1 counts as 1."""
    amount, problem = money(raw)
    if problem or amount is None or amount != int(amount) or amount > _QUANTITY_LIMIT:
        return None, NOT_A_QUANTITY
    return max(1, int(amount)), None


def share(raw: JsonScalar) -> tuple[float | None, str | None]:
    """A margin between 0 and 1, also written as a percentage."""
    percent = isinstance(raw, str) and raw.rstrip().endswith("%")
    amount = _decimal(str(raw).rstrip().removesuffix("%")) if percent else _decimal(raw)
    if amount is None or not amount.is_finite():
        return None, NOT_A_MARGIN
    found = float(amount / 100 if percent else amount)
    return (found, None) if 0 <= found <= 1 else (None, NOT_A_MARGIN)
