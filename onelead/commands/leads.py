"""`onelead leads`: lists leads and how they stand with people, changes it, and shows its history."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead import lifecycle
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.leads import changing, present
from onelead.leads.moments import zone_called
from onelead.leads.options import AsJson, Choice, Name, OfType, Tenant, Zone
from onelead.leads.reading import (
    Entry,
    Filters,
    LeadRow,
    history_of,
    lead_called,
    leads_listed,
    state_called,
)
from onelead.output import check_output, deliver
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from shared import clock
from shared.events import LeadType, Priority
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Work on leads: states, owners, reminders, history.")


@app.command("list")
def list_leads(
    *,
    state: Choice = None,
    owner: Choice = None,
    priority: Annotated[list[Priority] | None, typer.Option(case_sensitive=False)] = None,
    lead_type: Annotated[list[LeadType] | None, typer.Option("--type")] = None,
    territory: Choice = None,
    office: Choice = None,
    overdue: Annotated[bool, typer.Option("--overdue", help="their follow-up is due")] = False,
    snoozed: Annotated[bool, typer.Option("--snoozed", help="those snoozed now")] = False,
    everything: Annotated[bool, typer.Option("--all", help="closed, withdrawn ones too")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="so many leads")] = 50,
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    as_json: AsJson = False,
    csv: Annotated[bool, typer.Option("--csv", help="a line for each lead")] = False,
    output: Annotated[Path | None, typer.Option("--out", help="write JSON or CSV here")] = None,
) -> None:
    """List the leads that people work on, the best first; --state or --all shows others too."""
    check_output(json=as_json, csv=csv, output=output)
    filters = Filters(
        states=[state_called(each) for each in state or ()],
        owners=owner or (),
        priorities=[each.value for each in priority or ()],
        types=[each.value for each in lead_type or ()],
        territories=territory or (),
        offices=office or (),
        overdue=overdue,
        snoozed=snoozed,
        everything=everything,
    )
    in_zone, now, settings = zone_called(zone), clock.now(), load_settings(EditionSettings)
    listing = leads_listed(settings, checked_tenant(tenant), filters, now, limit)
    rows, more = lifecycle.run(listing)
    if csv or as_json:
        found = [present.as_json(row) for row in rows]
        deliver(present.as_csv(rows) if csv else _json(found), output)
    elif rows:
        out.print(present.leads_table(rows, now, in_zone))
    err.print(_counted(len(rows), more=more))


@app.command("show")
def show(
    lead: Name,
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    as_json: AsJson = False,
) -> None:
    """Show how a lead stands, and where it may be moved."""
    row = lifecycle.run(_found(tenant, lead, lead_type))
    if as_json:
        deliver(_json(present.as_json(row)), None)
    else:
        out.print(present.lead_table(row, clock.now(), zone_called(zone)))


@app.command("history")
def history(
    lead: Name,
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    as_json: AsJson = False,
) -> None:
    """Show everything that changed about a lead: when, from, to, who and why."""

    async def entries() -> list[Entry]:
        row = await _found(tenant, lead, lead_type)
        return await history_of(load_settings(EditionSettings), tenant, row.lead_id)

    found = lifecycle.run(entries())
    if as_json:
        deliver(_json([present.entry_json(entry) for entry in found]), None)
    else:
        out.print(present.history_table(found, zone_called(zone)))


for _name, _change in (
    ("move", changing.move),
    ("assign", changing.assign),
    ("snooze", changing.snooze),
    ("follow-up", changing.follow_up),
    ("do-not-contact", changing.do_not_contact),
):
    app.command(_name)(_change)


def _counted(shown: int, *, more: bool) -> str:
    if more:
        return f"The first {shown:,}; --limit shows more"
    return f"{shown:,} leads" if shown else "No such leads"


async def _found(tenant: str, lead: str, lead_type: LeadType | None) -> LeadRow:
    settings = load_settings(EditionSettings)
    return await lead_called(settings, checked_tenant(tenant), lead, lead_type)


def _json(value: object) -> str:
    return orjson.dumps(value).decode() + "\n"
