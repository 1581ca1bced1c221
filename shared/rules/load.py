"""Reads the rules: the defaults, a tenant's file over them, a tenant's document from an event.

Every refusal is a UserError that names file, line and column, dotted path, fault and remedy.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from shared.errors import UserError
from shared.rules.digest import digest
from shared.rules.document import Document, read_document
from shared.rules.model import Rules
from shared.rules.overlay import overlay
from shared.rules.refusal import refusal

DEFAULT_FILE = Path(__file__).with_name("default.yaml")


def load_rules(path: Path | None) -> Rules:
    """The defaults with a tenant's file laid over them key by key; without a file, the defaults.

    Lists are replaced, tables of names are merged, null takes one of their entries away.
    Raises UserError for a file that cannot be read or whose rules cannot hold.
    """
    if path is None:
        return default_rules()
    document = _read(path)
    return _validated(overlay(_defaults().values, document.values, merge_tables=True), document)


def with_offices_of(rules: Rules, path: Path, in_force: Rules) -> Rules:
    """The rules of a file, with the offices in force where the file has no ranges of its own."""
    offices = _read(path).values.get("offices")
    if isinstance(offices, dict) and offices.get("ranges"):
        return rules
    return rules.model_copy(update={"offices": in_force.offices})


@cache
def default_rules() -> Rules:
    """The rules as they are delivered (shared/rules/default.yaml)."""
    document = _defaults()
    return _validated(document.values, document)


def parse_rules(document: dict[str, Any]) -> Rules:
    """The rules in a whole document, as `rules_document` wrote it and an event carries it.

    What a document of an older release does not know yet comes from the defaults. Raises UserError.
    """
    whole = overlay(_defaults().values, document, merge_tables=False)
    return _validated(whole, Document("rules document", document, {}, {}))


def changed_rules(rules: Rules, document: Document) -> Rules:
    """Rules with a document laid over them as a tenant's file is over the defaults. Raises UserError."""
    values = overlay(rules_document(rules), document.values, merge_tables=True)
    return _validated(values, document)


def rules_document(rules: Rules) -> dict[str, Any]:
    """The whole rules as JSON values, for the event that publishes them."""
    return rules.model_dump(mode="json")


def rules_version(rules: Rules) -> str:
    """A short digest of the content: equal rules have equal versions, however they are written."""
    return digest(rules.model_dump())


@cache
def _defaults() -> Document:
    return _read(DEFAULT_FILE)


def _read(path: Path) -> Document:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"{path}: cannot read the rules file: {error.strerror}",
            hint="give the path of a YAML file",
        ) from error
    return read_document(content, str(path))


def _validated(values: dict[str, Any], document: Document) -> Rules:
    """The values as rules, checked strictly: no text for a number, no 1 for true."""
    try:
        return Rules.model_validate_json(json.dumps(values), strict=True)
    except ValidationError as error:
        raise refusal(error, document) from None
