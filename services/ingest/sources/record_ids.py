"""Gives rows their record ids (rules.md §1): serial numbers, project ids, stand-ins, repeats apart."""

from collections.abc import Iterable, Mapping

from services.ingest.sources import cells
from shared.events import JsonScalar, RecordKind

_NO_PROJECT_ID = ("", "#", "not available")
_ID_FIELD = {RecordKind.OPPORTUNITY: "opportunity_id", RecordKind.PROJECT: "project_id"}
_STAND_IN = {
    RecordKind.OPPORTUNITY: "UNKNOWN_OPP",
    RecordKind.PROJECT: "UNKNOWN_PRJ",
    RecordKind.CATALOGUE: "CATALOGUE_ROW",
}


def box_identity(serial_number: JsonScalar, stand_in: str) -> str:
    """Who a box is: its serial number, trimmed and in capitals, or else the stand-in."""
    serial = "" if serial_number is None else (cells.code(serial_number)[0] or "").upper()
    return serial or stand_in.strip().upper()


class RecordIds:
    """Gives ids to the rows of one kind, in the order of one batch; equal rows get equal ids again.

    Every box with a serial number has it as its id, repeats too. Of other rows the first to have an
    id keeps it plain, the k-th becomes `id#k`: an id does not change when a second one appears.
    """

    def __init__(self, kind: RecordKind, missing_values: Iterable[str]) -> None:
        self._kind = kind
        self._missing = {word.casefold() for word in missing_values}
        self._given: set[str] = set()
        self._seen: dict[str, int] = {}

    def of(self, row: int, values: Mapping[str, JsonScalar]) -> str:
        """The id of a row; `row` is its 1-based data row in its sheet."""
        if self._kind is RecordKind.INSTALL_BASE:
            return self._of_box(values)
        field = _ID_FIELD.get(self._kind)
        named = self._text(values, field) if field else ""
        if named.casefold() in _NO_PROJECT_ID:
            named = f"{_STAND_IN[self._kind]}_{row}"
        return self._apart(named)

    def _of_box(self, values: Mapping[str, JsonScalar]) -> str:
        """The serial number; without one territory, product and occurrence tell boxes apart."""
        serial = box_identity(self._text(values, "serial_number"), "")
        if serial:
            return serial
        product = self._text(values, "product_id") or self._text(values, "product_name")
        place = f"NO-SERIAL/{self._text(values, 'territory_id')}/{product}".upper()
        self._seen[place] = self._seen.get(place, 0) + 1
        return f"{place}/{self._seen[place]}"

    def _apart(self, named: str) -> str:
        """The id itself, or `id#k` for the k-th of it; never one that was given already."""
        record_id = named
        while record_id in self._given:
            self._seen[named] = self._seen.get(named, 1) + 1
            record_id = f"{named}#{self._seen[named]}"
        self._given.add(record_id)
        return record_id

    def _text(self, values: Mapping[str, JsonScalar], field: str) -> str:
        raw = values.get(field)
        return "" if cells.is_missing(raw, self._missing) else cells.code(raw)[0] or ""
