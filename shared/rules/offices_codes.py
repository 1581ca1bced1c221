"""Reads a postal code as a key that can be compared: blanks, case, country prefix and lost zeros aside.

A key is a tuple of the runs of digits and letters of the code, so that ranges follow the order that
people know: SW9 before SW10, and 6000–6999 without the codes of five digits between them.
"""

import re
import unicodedata
from functools import lru_cache

Key = tuple[tuple[int, int, int | str], ...]
END: Key = ((2, 0, 0),)
"""Comes after every run: a bound with it stands behind all the codes that begin with the bound."""

MAX_LENGTH = 20
DIGITS = {
    **dict.fromkeys(("AT", "AU", "BE", "BG", "CH", "DK", "HU", "LI", "LU", "NO", "NZ"), 4),
    **dict.fromkeys(("DE", "ES", "FI", "FR", "HR", "IT", "MX", "MY", "PL", "TR", "UA", "US"), 5),
    **dict.fromkeys(("CZ", "EE", "GR", "LT", "RS", "SE", "SK", "TH"), 5),
    **dict.fromkeys(("CN", "IN", "RO", "RU", "SG"), 6),
    **dict.fromkeys(("JP", "PT"), 7),
    "BR": 8,
}
"""How many digits the codes of a country have: a spreadsheet drops the zeros they begin with."""

_SEPARATORS = re.compile(r"[\s.\u2010-\u2015\u2212-]+")
_COUNTRY_PREFIX = re.compile(r"[A-Z]{1,3}-(?=\d)|(?:CH|FL|LI|DE|AT|FR|IT|LU|BE)\s?(?=\d{4,5}$)")
_ZIP_PLUS_4 = re.compile(r"(\d{5})-\d{4}", re.ASCII)
_OF_BRITAIN = re.compile(r"([A-Z]{1,2}\d[A-Z\d]?)(\d[A-Z]{2})", re.ASCII)
_RUN = re.compile(r"[A-Z]+|\d+", re.ASCII)
_WHOLE = re.compile(r"[A-Z0-9]+", re.ASCII)


@lru_cache(maxsize=50_000)
def key_of(written: str, country: str | None = None) -> Key | None:
    """The key of a postal code, or of its beginning; None for what cannot be one.

    With the country (two letters), a number gets back the zeros that it began with.
    """
    if (text := bare(written)) is None:
        return None
    if text.isdigit() and country in DIGITS:
        text = text.zfill(DIGITS[country])
    parts = whole.groups() if (whole := _OF_BRITAIN.fullmatch(text)) else (text,)
    runs = [run for part in parts for run in _RUN.findall(part)]
    return tuple(_comparable(run, first=not place) for place, run in enumerate(runs))


def bare(written: str) -> str | None:
    """The digits and capitals of a postal code, and nothing else; None for what cannot be one."""
    text = unicodedata.normalize("NFKC", written).strip().upper()
    if len(text) > MAX_LENGTH:
        return None
    text = text.removeprefix(found[0]) if (found := _COUNTRY_PREFIX.match(text)) else text
    if plus_4 := _ZIP_PLUS_4.fullmatch(text):
        text = plus_4[1]
    text = _SEPARATORS.sub("", text)
    return text if _WHOLE.fullmatch(text) else None


def has_digits(key: Key) -> bool:
    """Whether a key can be that of a whole code: a word is none."""
    return any(kind == 0 for kind, _, _ in key)


def alike(one: Key, other: Key) -> bool:
    """Whether two keys are of one form (6000 and 6999, SW1 and SW20), so that codes lie between them."""
    return len(one) == len(other) and all(a[:2] == b[:2] for a, b in zip(one, other, strict=True))


def _comparable(run: str, *, first: bool) -> tuple[int, int, int | str]:
    """Digits before letters; where a code begins with digits, the shorter number before the longer."""
    if run.isdigit():
        return 0, len(run) if first else 0, int(run)
    return 1, 0, run
