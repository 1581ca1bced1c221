"""Judges one observed row (rules.md §1): used, degraded or quarantined, with its findings."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from services.ingest.domain.records import AnyRecord, Box, CatalogueRow, Opportunity, Project
from services.ingest.sources import cells
from services.ingest.sources.record_ids import box_identity
from shared.events import BatchPart, Finding, JsonScalar, RecordKind, RecordObserved
from shared.rules.model import Rules

Outcome = Literal["used", "degraded", "quarantined"]
NOTED = "noted"
"""The outcome of a finding about a row that is used as it stands."""

_CUSTOMER: dict[str, cells.Reader] = {
    "account_name": cells.name,
    "domain": cells.domain,
    "currency": cells.currency,
    **dict.fromkeys(("territory_id", "postal_code", "company_size"), cells.code),
    **dict.fromkeys(("country", "industry", "owner"), cells.text),
}
_READERS: dict[RecordKind, dict[str, cells.Reader]] = {
    RecordKind.INSTALL_BASE: {
        **_CUSTOMER,
        **dict.fromkeys(("serial_number", "product_id", "agreement_id"), cells.code),
        **dict.fromkeys(("product_name", "platform", "support_status"), cells.text),
        **dict.fromkeys(("end_of_life", "service_start", "service_end"), cells.day),
        "quantity": cells.quantity,
    },
    RecordKind.OPPORTUNITY: {
        **_CUSTOMER,
        "opportunity_id": cells.code,
        **dict.fromkeys(("opportunity_name", "product_line", "stage"), cells.text),
        "amount": cells.money,
        **dict.fromkeys(("created", "close"), cells.day),
    },
    RecordKind.PROJECT: {
        **_CUSTOMER,
        "project_id": cells.code,
        **dict.fromkeys(("description", "status"), cells.text),
        **dict.fromkeys(("amount", "labor_cost"), cells.money),
        **dict.fromkeys(("start", "updated"), cells.day),
    },
    RecordKind.CATALOGUE: {
        **dict.fromkeys(("product", "category", "service"), cells.text),
        "sku": cells.code,
        "list_price": cells.money,
        "margin": cells.share,
        "currency": cells.currency,
    },
}
_RECORD_TYPES: dict[RecordKind, type[Box | Opportunity | Project]] = {
    RecordKind.INSTALL_BASE: Box,
    RecordKind.OPPORTUNITY: Opportunity,
    RecordKind.PROJECT: Project,
}
_PRICED_BY = {
    RecordKind.OPPORTUNITY: "amount",
    RecordKind.PROJECT: "amount",
    RecordKind.CATALOGUE: "list_price",
}
_BETWEEN_SKUS = re.compile(r"[\r\n,]+")


@dataclass(frozen=True)
class Judgement:
    """What became of a row: the record, unless it is quarantined, and what is wrong with it."""

    record: AnyRecord | None
    outcome: Outcome
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class Place:
    """Where a row stands: a finding names file, sheet, row and column as a person sees them."""

    file: str
    sheet: str
    row: int
    headers: Mapping[str, str]

    def finding(
        self,
        field: str | None,
        raw: JsonScalar,
        reason: str,
        outcome: str = "degraded",
        detail: str = "",
    ) -> Finding:
        """A finding at this row; `field` is the canonical name, None for the row as a whole."""
        return Finding(
            file=self.file,
            sheet=self.sheet,
            row=self.row,
            column=self.headers.get(field, field) if field else None,
            raw_value=raw,
            reason=reason,
            outcome=outcome,
            detail=detail,
        )

    @property
    def of_row(self) -> str:
        """The row as a person finds it."""
        return f"row {self.row} of {self.file}, {self.sheet}"


def place_of(part: BatchPart | None, row: int, kind: RecordKind, source: str) -> Place:
    """The place of a data row of a batch's part; without a part, of a single change of a source."""
    if part is None:
        return Place(source, kind.value, row, {})
    return Place(part.file, part.sheet, part.first_row + row - 1, part.headers)


def judge_record(observed: RecordObserved, part: BatchPart | None, rules: Rules) -> Judgement:
    """The normalised record of a row, or why it cannot be used; no content makes it raise."""
    place = place_of(part, observed.row, observed.kind, observed.source)
    fields, findings = _read(observed, place, rules)
    if reason := _unusable(observed.kind, fields):
        return Judgement(None, "quarantined", (place.finding(None, None, reason, "quarantined"),))
    if (price := _PRICED_BY.get(observed.kind)) and fields.get(price) is not None:
        findings += _settle_currency(fields, observed.values.get(price), place, rules.currency)
    findings += _gaps(observed.kind, fields, place)
    record = _build(observed, fields)
    return Judgement(record, "degraded" if findings else "used", tuple(findings))


def repeat_finding(
    dropped: Box,
    kept: Box,
    part: BatchPart | None,
    source: str = "",
    *,
    kept_part: BatchPart | None = None,
) -> Finding:
    """The finding for a box that is there twice (rules.md §1); `kept_part`: if it is another one."""
    place = place_of(part, dropped.row, RecordKind.INSTALL_BASE, source)
    other = place_of(kept_part or part, kept.row, RecordKind.INSTALL_BASE, source)
    reason = "repeats a box; its row with the latest service end is kept"
    detail = f"{dropped.record_id} is in {other.of_row}"
    return place.finding("serial_number", dropped.serial_number, reason, "quarantined", detail)


def keep_latest_service(one: Box, other: Box) -> tuple[Box, Box]:
    """Of two rows of one box (kept, dropped): the latest service end wins, then the earlier row."""
    if (other.service_end or date.min) > (one.service_end or date.min):
        return other, one
    return one, other


def _read(
    observed: RecordObserved, place: Place, rules: Rules
) -> tuple[dict[str, Any], list[Finding]]:
    fields: dict[str, Any] = {}
    findings = []
    for field, reader in _READERS[observed.kind].items():
        if (raw := observed.values.get(field)) is None:
            continue
        value, problem = cells.read(reader, raw, rules.reading.missing_values)
        if problem:
            findings.append(place.finding(field, raw, problem))
        elif value is not None:
            fields[field] = value
    return fields, findings


def _unusable(kind: RecordKind, fields: Mapping[str, Any]) -> str | None:
    """Why nothing can be made of the row, or None."""
    if not fields:
        return "no known column has a value"
    if kind is RecordKind.INSTALL_BASE:
        known = fields.keys() & {"serial_number", "product_id", "product_name"}
        return None if known else "neither a serial number nor a product: no box can be told"
    if kind is RecordKind.CATALOGUE:
        if "product" not in fields:
            return "no product family, here or above"
        return None if fields.keys() & {"service", "sku"} else "neither a service nor a SKU"
    return None


def _settle_currency(
    fields: dict[str, Any], raw: JsonScalar, place: Place, ours: str
) -> list[Finding]:
    """Sets the currency of the row's money; another than ours is kept, not counted, and told."""
    written = fields.get("currency")
    found = cells.written_currency(raw, written or ours)
    if found == ours:
        return []
    fields["currency"] = found
    reason = f"in {found}, not in {ours}: kept, but left out of averages and sums"
    return [place.finding("currency" if written else None, written or raw, reason)]


def _gaps(kind: RecordKind, fields: Mapping[str, Any], place: Place) -> list[Finding]:
    """Findings for what a usable row lacks."""
    if kind is RecordKind.CATALOGUE:
        return []
    found = []
    if kind is RecordKind.INSTALL_BASE and "serial_number" not in fields:
        reason = "no serial number: the box is told by territory, product and position"
        found.append(place.finding("serial_number", None, reason))
    if "account_name" not in fields and "territory_id" not in fields:
        reason = "neither an account name nor a territory: kept without an account"
        found.append(place.finding("account_name", None, reason))
    return found


def _build(observed: RecordObserved, fields: dict[str, Any]) -> AnyRecord:
    record_id = observed.record_id
    if observed.kind is RecordKind.INSTALL_BASE:
        record_id = box_identity(fields.get("serial_number"), record_id)
    if observed.kind is RecordKind.CATALOGUE:
        return _catalogue_row(observed, fields)
    return _RECORD_TYPES[observed.kind](record_id=record_id, row=observed.row, **fields)


def _catalogue_row(observed: RecordObserved, fields: Mapping[str, Any]) -> CatalogueRow:
    skus = (part.strip() for part in _BETWEEN_SKUS.split(fields.get("sku", "")))
    return CatalogueRow(
        record_id=observed.record_id,
        row=observed.row,
        currency=fields.get("currency"),
        family=fields["product"].upper(),
        category=fields.get("category"),
        service=fields.get("service"),
        skus=tuple(dict.fromkeys(sku for sku in skus if sku)),
        list_price=fields.get("list_price"),
        margin=fields.get("margin"),
    )
