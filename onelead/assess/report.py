"""An assessment for people: what was read, what is wrong, which leads there are; 100 columns."""

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onelead.assess.as_json import REVIEW_NOTE
from onelead.assess.assessment import AssessedLead, Assessment
from services.ingest.sources.layout import NAMES
from shared.events import FindingGroup, LeadType, Priority, RecordKind, RowCounts

_TOP = 10
_FAULTS = 8
_QUESTIONS = 5
_TYPES = [each for each in LeadType if each is not LeadType.UNKNOWN]
_PRIORITIES = [each for each in Priority if each is not Priority.UNKNOWN]


def report(assessment: Assessment) -> Iterator[RenderableType]:
    """What to print, piece by piece."""
    yield Text(f"Leads as of {assessment.as_of}, by rules {assessment.rules_version}", style="bold")
    yield Text(f"Note: {REVIEW_NOTE}.")
    yield from (Text(f"Note: {note}.") for note in assessment.notes)
    yield _rows(assessment)
    if assessment.finding_groups:
        yield _faults(assessment)
    yield _leads(assessment)
    if assessment.leads:
        yield _top(assessment)
    if assessment.candidates:
        yield _questions(assessment)


def row_notes(
    rows: Sequence[RowCounts], notes: Sequence[str], faults: Sequence[FindingGroup]
) -> Iterator[str]:
    """The report on the rows in lines, for beside the leads: counts, notes, the commonest faults."""
    for each in rows:
        counts = f"{each.read:,} read, {each.used:,} used, {each.degraded:,} degraded"
        yield f"{NAMES[RecordKind(each.kind)]}: {counts}, {each.quarantined:,} quarantined"
    yield from (f"Note: {note}." for note in notes)
    for fault in faults[:_FAULTS]:
        first = fault.first
        where = ", ".join(filter(None, (first.file, first.sheet, first.column)))
        yield f"{fault.count:,} × {first.outcome}: {first.reason} ({where}; first row {first.row})"


def _table(title: str, *columns: str, numbers: tuple[str, ...] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    return table


def _rows(assessment: Assessment) -> Table:
    numbers = ("read", "used", "degraded", "quarantined")
    table = _table("Rows", "", *numbers, numbers=numbers)
    for each in assessment.rows:
        values = (each.read, each.used, each.degraded, each.quarantined)
        table.add_row(NAMES[RecordKind(each.kind)], *(f"{value:,}" for value in values))
    return table


def _faults(assessment: Assessment) -> Table:
    """The findings by what they say, the commonest first, with the first place of each."""
    faults = assessment.finding_groups
    table = _table("What is wrong with them", "rows", "sheet, column", "what", "first row")
    for fault in faults[:_FAULTS]:
        first, raw = fault.first, fault.first.raw_value
        example = "" if raw is None else f": {str(raw)[:30]!r}"
        where = f"{first.sheet}, {first.column}" if first.column else first.sheet
        what = f"{first.outcome}: {first.reason}"
        table.add_row(f"{fault.count:,}", where, what, f"{first.row}{example}")
    if len(faults) > _FAULTS:
        table.add_row("…", f"{len(faults) - _FAULTS} more kinds of findings: see --json", "", "")
    return table


def _leads(assessment: Assessment) -> Table:
    counts = Counter((each.lead.lead_type, each.score.priority) for each in assessment.leads)
    columns = (*(each.value for each in _PRIORITIES), "all")
    table = _table("Leads", "", *columns, numbers=columns)
    for lead_type in _TYPES:
        line = [counts[lead_type, priority] for priority in _PRIORITIES]
        table.add_row(lead_type.value, *(str(value) for value in (*line, sum(line))))
    sums = [sum(counts[each, priority] for each in _TYPES) for priority in _PRIORITIES]
    table.add_section()
    table.add_row("all", *(str(value) for value in (*sums, sum(sums))))
    pipeline = _money(assessment.open_pipeline)
    currency = next((each.lead.currency for each in assessment.leads), "")
    table.caption = f"Open pipeline, each box counted once: {pipeline} {currency}".rstrip()
    table.caption_justify = "left"
    return table


def _top(assessment: Assessment) -> Table:
    title = f"The first {min(_TOP, len(assessment.leads))}"
    table = _table(title, "score", "lead", "account", "value up to", "offer")
    table.columns[0].no_wrap = table.columns[1].no_wrap = True
    table.columns[2].overflow = "fold"
    table.columns[3].justify = "right"
    for each in assessment.leads[:_TOP]:
        lead, score = each.lead, each.score
        table.add_row(
            f"{score.score:.1f}\n{score.priority.value}",
            f"{lead.lead_type.value}\n{lead.product_name}",
            f"{lead.account_name}\n{lead.territory_id or ''}",
            _money(lead.estimated_value_max),
            _offer(each),
        )
    return table


def _offer(assessed: AssessedLead) -> str:
    """The best two services; the reason in words where there is none."""
    offer = assessed.recommendation
    names = [service.service_type for service in offer.services[:2]]
    return "\n".join(names) or (offer.no_service_reason or "").replace("_", " ")


def _questions(assessment: Assessment) -> Table:
    asked = assessment.candidates
    table = _table(
        f"{len(asked)} names may be accounts that exist; nothing was linked",
        *("name", "may be", "because"),
    )
    for each in asked[:_QUESTIONS]:
        table.add_row(each.name, each.founder, each.evidence)
    return table


def _money(amount: Decimal) -> str:
    return f"{amount:,.0f}"
