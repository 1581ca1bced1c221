"""Turns a failed validation of the rules into messages that name place, path, fault and remedy."""

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from shared.errors import UserError
from shared.rules.base import RuleError, UnknownNameError
from shared.rules.document import Document, Path, dotted_path
from shared.rules.overlay import known_keys

MAX_SHOWN = 10

_NUMBER = "a number, without quotes or thousands separators"
_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing_size": "a whole number",
    "float_type": _NUMBER,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": "a finite number",
    "string_type": 'text; put it in quotes if it looks like a number or like yes/no, as in "1"',
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "`name: value` entries",
    "model_type": "`key: value` entries",
    "model_attributes_type": "`key: value` entries",
    "string_pattern_mismatch": "a currency code of three capitals, as in USD",
    "string_too_short": "some text",
    "too_short": "at least one entry",
}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def refusal(error: ValidationError, document: Document) -> UserError:
    """The refusal of `document`: one line for each mistake, with its place."""
    details = _causes(error.errors(include_url=False))
    lines = [_line(detail, document) for detail in details[:MAX_SHOWN]]
    if len(details) > MAX_SHOWN:
        lines.append(f"... and {len(details) - MAX_SHOWN} more")
    return UserError("\n".join(lines))


def _causes(details: Sequence[Any]) -> list[Any]:
    """The faults, without those that only follow from one further inside."""
    locs = [tuple(detail["loc"]) for detail in details]
    return [
        detail
        for detail, loc in zip(details, locs, strict=True)
        if not any(len(other) > len(loc) and other[: len(loc)] == loc for other in locs)
    ]


def _line(detail: Any, document: Document) -> str:
    path, on_key = _path(detail, document)
    place = document.place(path, key=on_key)
    return f"{place}: {dotted_path(path) or 'the rules'}: {_fault(detail, path)}"


def _path(detail: Any, document: Document) -> tuple[Path, bool]:
    """Where the fault lies, and whether the key is at fault rather than its value."""
    loc: Path = tuple(detail["loc"])
    on_key = detail["type"] == "extra_forbidden"
    if loc and loc[-1] == "[key]":
        loc, on_key = loc[:-1], True
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, RuleError):
        loc = (*loc, *cause.path)
        if cause.against and loc not in document.places:
            loc = (*loc[:-1], cause.against)
        on_key = on_key or isinstance(cause, UnknownNameError)
    return loc, on_key and isinstance(loc[-1] if loc else None, str)


def _fault(detail: Any, path: Path) -> str:
    """What is wrong, and what would be right."""
    kind, context = detail["type"], detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, UnknownNameError):
        return f"{cause}; {_known(cause.name, cause.known)}"
    if isinstance(cause, ValueError):
        return str(cause)
    if kind == "extra_forbidden":
        return f"unknown key; {_known(str(path[-1]), known_keys(path[:-1]))}"
    if kind == "missing":
        return "is missing"
    return f"{_shown(detail['input'])} is not allowed here; expected {_expected(detail)}"


def _expected(detail: Any) -> str:
    """What a value must be, in words."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]:,.10g}"
    if kind == "literal_error":
        return str(context["expected"])
    return _EXPECTED.get(kind, str(detail["msg"]))


def _known(name: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    folded = [candidate for candidate in known if candidate.casefold() == name.casefold()]
    suggestion = f"did you mean {(folded or nearest)[0]}? " if folded or nearest else ""
    return f"{suggestion}Known here: {', '.join(known)}" if known else "nothing is known here"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    if value is None:
        return "nothing (null)"
    if isinstance(value, str):
        value = repr(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
