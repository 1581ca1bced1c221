"""The demo's summary, for a person (tables within 100 columns) and for a program (JSON)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.console import Console, Group
from rich.table import Table

from onelead.demo.results import Results
from onelead.report import rows_table
from shared.events import LeadChanged, LeadType, Priority

_TOP = 10
_SERVICES_SHOWN = 2


@dataclass(frozen=True)
class Measured:
    """What a run took: seconds of Kafka's and PostgreSQL's start, seconds from the command on, MB."""

    start_s: float
    settled_s: float
    peak_rss_mb: int

    def sentence(self) -> str:
        """The numbers in words."""
        return (
            f"Kafka and PostgreSQL were up after {self.start_s:.1f} s, everything had settled "
            f"{self.settled_s:.1f} s after the command; all processes together took at most "
            f"{self.peak_rss_mb} MB (memory they share counted once)."
        )


def as_json(results: Results, measured: Measured) -> dict[str, Any]:
    """The summary as one object."""
    return {
        "rows": results.rows_read(),
        "leads": results.leads_by_type,
        "priorities": results.leads_by_priority,
        "deliveries": results.deliveries,
        "seconds": {
            "start": round(measured.start_s, 1),
            "settled": round(measured.settled_s, 1),
        },
        "peak_rss_mb": measured.peak_rss_mb,
    }


def print_summary(
    console: Console, results: Results, measured: Measured, addresses: Mapping[str, str]
) -> None:
    """Rows, leads by type and priority, the best ten, deliveries, addresses, time and memory."""
    console.print(
        Group(
            rows_table(results.report.rows),
            _matrix(results),
            _top(results),
            _deliveries(results),
            _addresses(addresses),
            "",
            measured.sentence(),
        )
    )


def _matrix(results: Results) -> Table:
    table = Table(title=f"Leads: {len(results.leads)}", title_justify="left")
    table.add_column("type")
    for priority in Priority:
        if priority is not Priority.UNKNOWN:
            table.add_column(priority.value, justify="right")
    table.add_column("all", justify="right")
    for lead_type in LeadType:
        if lead_type is not LeadType.UNKNOWN:
            table.add_row(lead_type.value, *_counts(results, lead_type))
    table.add_section()
    table.add_row("all", *_counts(results, None))
    return table


def _counts(results: Results, lead_type: LeadType | None) -> list[str]:
    leads = [lead for lead in results.leads if lead_type in (None, lead.lead_type)]
    known = [priority for priority in Priority if priority is not Priority.UNKNOWN]
    counts = [sum(lead.priority is priority for lead in leads) for priority in known]
    return [str(count) for count in [*counts, len(leads)]]


def _top(results: Results) -> Table:
    title = f"The best {min(_TOP, len(results.leads))}"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("score", justify="right", no_wrap=True)
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("account", overflow="ellipsis", no_wrap=True, max_width=20)
    table.add_column("lead", overflow="ellipsis", no_wrap=True, max_width=30)
    table.add_column("services", overflow="fold")
    for lead in results.leads[:_TOP]:
        value = f"{lead.estimated_value_max:,.0f} {lead.currency}"
        table.add_row(f"{lead.score:.1f}", value, lead.account, lead.title, _services(lead))
    return table


def _services(lead: LeadChanged) -> str:
    names = [offer.service_type for offer in lead.services[:_SERVICES_SHOWN]]
    if lead.bundle is not None:
        names.append(f"or {lead.bundle.name.replace('_', ' ')}")
    return ", ".join(names) or "none for its family"


def _deliveries(results: Results) -> Table:
    table = Table(title="Alerts delivered", title_justify="left")
    table.add_column("channel")
    table.add_column("sent", justify="right")
    for channel, count in results.deliveries.items():
        table.add_row(channel, str(count))
    return table


def _addresses(addresses: Mapping[str, str]) -> Table:
    table = Table(title="Look at", title_justify="left", show_header=False, box=None)
    for name, address in addresses.items():
        table.add_row(name, address)
    return table
