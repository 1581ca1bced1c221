"""Turns a failed validation of a YAML file into messages that name place, path, fault and remedy."""

import difflib
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from shared.errors import UserError
from shared.rules.base import CURRENCY_PATTERN, RuleError, UnknownNameError
from shared.rules.document import Document, Path, dotted_path
from shared.rules.model import Rules
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
    "string_too_short": "some text",
    "too_short": "at least one entry",
}
_PATTERNS = {CURRENCY_PATTERN: "a currency code of three capitals, as in USD"}
_BOUNDS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def refusal(error: ValidationError, document: Document) -> UserError:
    """The refusal of a rules file: one line for each mistake, with its place."""
    return refused(mistakes(error, document))


def refused(lines: Sequence[str]) -> UserError:
    """The refusal that says the first MAX_SHOWN of these lines."""
    more = [f"... and {len(lines) - MAX_SHOWN} more"] if len(lines) > MAX_SHOWN else []
    return UserError("\n".join([*lines[:MAX_SHOWN], *more]))


def mistakes(
    error: ValidationError, document: Document, model: type[BaseModel] = Rules, at: Path = ()
) -> list[str]:
    """One line for each mistake in the part of `document` at `at`, which was to be a `model`."""
    details = _causes(error.errors(include_url=False))
    return [_line(detail, document, model, at) for detail in details]


def mistake(document: Document, path: Path, fault: str, *, key: bool = False) -> str:
    """A line that says a fault with its place: that of the value at `path`, or of its key."""
    line = f"{document.place(path, key=key)}: {dotted_path(path) or 'the file'}: {fault}"
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def _causes(details: Sequence[Any]) -> list[Any]:
    """The faults, without those that only follow from one further inside."""
    locs = [tuple(detail["loc"]) for detail in details]
    return [
        detail
        for detail, loc in zip(details, locs, strict=True)
        if not any(len(other) > len(loc) and other[: len(loc)] == loc for other in locs)
    ]


def _line(detail: Any, document: Document, model: type[BaseModel], at: Path) -> str:
    path, on_key = _path(detail, document, at)
    fault = _fault(detail, path[len(at) :], model)
    return mistake(document, path, fault, key=on_key)


def _path(detail: Any, document: Document, at: Path) -> tuple[Path, bool]:
    """Where the fault lies, and whether the key is at fault rather than its value."""
    loc: Path = (*at, *detail["loc"])
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


def _fault(detail: Any, path: Path, model: type[BaseModel]) -> str:
    """What is wrong, and what would be right; `path` begins at the model."""
    kind, context = detail["type"], detail.get("ctx", {})
    cause = context.get("error")
    if isinstance(cause, UnknownNameError):
        return f"{cause}; {known_names(cause.name, cause.known)}"
    if isinstance(cause, ValueError):
        return str(cause)
    if kind == "extra_forbidden":
        return f"unknown key; {known_names(str(path[-1]), known_keys(path[:-1], model))}"
    if kind == "missing":
        return "is missing"
    return f"{_shown(detail['input'])} is not allowed here; expected {_expected(detail)}"


def _expected(detail: Any) -> str:
    """What a value must be, in words."""
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{words} {context[key]:,.10g}"
    if kind == "string_pattern_mismatch":
        return _PATTERNS.get(context["pattern"], f"text that fits {context['pattern']}")
    if kind in {"literal_error", "enum"}:
        return str(context["expected"])
    return _EXPECTED.get(kind, str(detail["msg"]))


def known_names(name: str, known: Sequence[str]) -> str:
    """Which of the known names may have been meant, and all of them."""
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
