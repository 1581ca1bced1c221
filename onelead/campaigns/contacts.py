"""Reads who is to be written to about which lead: from the command's own words, or from a CSV file."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from shared.errors import UserError

MAX_CONTACTS = 5_000
_ADDRESS = re.compile(r"[^\s@<>,;\"]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_COLUMNS = ("lead", "contact")


@dataclass(frozen=True)
class Contact:
    """A lead as people call it, and the mail address to write to about it. `place`: where that was said."""

    lead: str
    address: str
    place: str


def contact_of(lead: str, address: str, place: str) -> Contact:
    """A contact with its address in lower case. Raises UserError naming the place of a wrong one."""
    if not lead.strip():
        raise UserError(f"{place}: no lead is named")
    if not _ADDRESS.fullmatch(address.strip()):
        raise UserError(f"{place}: {address!r} is not a mail address like name@example.com")
    return Contact(lead.strip(), address.strip().lower(), place)


def contacts_in(path: Path) -> list[Contact]:
    """The contacts of a CSV file with the columns `lead` and `contact`; all of them or none.

    Raises UserError naming file and row for what cannot be read, is wrong, or stands there twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"cannot read {path}: {error}") from None
    if not rows or any(column not in rows[0] for column in _COLUMNS):
        raise UserError(f"{path}: a header `lead,contact` and a row for each contact are needed")
    if len(rows) > MAX_CONTACTS:
        raise UserError(f"{path}: {len(rows):,} rows; at most {MAX_CONTACTS:,} at a time")
    found = [_row(path, number, row) for number, row in enumerate(rows, start=2)]
    return _once(found)


def _row(path: Path, number: int, row: dict[str, str | None]) -> Contact:
    lead, address = (row.get(column) or "" for column in _COLUMNS)
    return contact_of(lead, address, f"{path}, row {number}")


def _once(found: list[Contact]) -> list[Contact]:
    seen: dict[tuple[str, str], Contact] = {}
    for contact in found:
        first = seen.setdefault((contact.lead, contact.address), contact)
        if first is not contact:
            raise UserError(f"{contact.place}: stands in {first.place} already")
    return found
