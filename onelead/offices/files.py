"""Reads an offices file, YAML or CSV, over the rules in force; writes the offices in force as one."""

from dataclasses import replace
from pathlib import Path

import yaml

from onelead.offices.csv_file import csv_of, document_of_csv
from shared.errors import UserError
from shared.rules.document import MAX_BYTES, Document, read_document
from shared.rules.load import changed_rules, default_rules, rules_document
from shared.rules.model import Rules
from shared.rules.offices import Offices
from shared.rules.refusal import mistake, refused

_PART = "offices"


def offices_over(rules: Rules, file: Path) -> Rules:
    """Rules with the offices of a file in place of their own: what the file does not say is the default.

    A CSV file can say ranges only: the country and the words for countries stay.

    Raises UserError: each mistake with file, line or row, column, and what is right.
    """
    found = _document(file)
    if _is_csv(file):
        return changed_rules(rules, found)
    before = rules.model_copy(update={_PART: default_rules().offices})
    return changed_rules(before, found)


def as_yaml(offices: Offices) -> str:
    """The offices as a file that `onelead offices apply` and `onelead rules apply` read."""
    whole = rules_document(default_rules().model_copy(update={_PART: offices}))[_PART]
    usual = rules_document(default_rules())[_PART]
    kept = {
        name: value
        for name, value in whole.items()
        if name == "ranges" or (value is not None and value != usual[name])
    }
    kept["ranges"] = [
        {name: value for name, value in each.items() if value is not None}
        for each in whole["ranges"]
    ]
    written: str = yaml.safe_dump({_PART: kept}, sort_keys=False, allow_unicode=True, width=120)
    return written


def as_csv(offices: Offices) -> str:
    """The ranges as a table; the country of those that name none is written out."""
    home = offices.country
    ranges = (
        each.model_copy(update={"country": each.country or home}) if each.first else each
        for each in offices.ranges
    )
    return csv_of(tuple(ranges))


def _is_csv(file: Path) -> bool:
    return file.suffix.lower() in {".csv", ".tsv", ".txt"}


def _document(file: Path) -> Document:
    try:
        with file.open("rb") as opened:
            content = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise UserError(
            f"{file}: cannot read the offices file: {error.strerror}",
            hint="samples/offices.yaml shows what one looks like",
        ) from error
    if len(content) > MAX_BYTES:
        raise UserError(f"{file}: larger than {MAX_BYTES:,} bytes; this is not an offices file")
    if _is_csv(file):
        return document_of_csv(content, str(file))
    return _only_offices(read_document(content, str(file), "offices file"))


def _only_offices(document: Document) -> Document:
    """The document, which may say nothing but offices; `ranges` may stand there without the heading."""
    values = document.values
    if "ranges" in values and _PART not in values:
        places = {(_PART, *path): place for path, place in document.places.items()}
        keys = {(_PART, *path): place for path, place in document.key_places.items()}
        return replace(document, values={_PART: values}, places=places, key_places=keys)
    if others := [name for name in values if name != _PART]:
        fault = "unknown key; an offices file holds `offices:` only, the rest goes to `rules apply`"
        raise refused([mistake(document, (name,), fault, key=True) for name in others])
    return document
