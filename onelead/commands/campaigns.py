"""`onelead campaigns`: begins drip campaigns for contacts, shows how they stand, ends them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.table import Table
from sqlalchemy import Row

from onelead import lifecycle
from onelead.campaigns import enrolling
from onelead.campaigns.contacts import contact_of, contacts_in
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, user_name
from services.notifier.domain.campaigns import CAMPAIGNS, STANDARD
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Write to customers in steps: day 0, 3, 7, then a call."
)
Tenant = Annotated[str, typer.Option(help="whose campaigns")]
Address = Annotated[str, typer.Argument(help="a mail address")]


@app.command("start")
def start(
    lead: Annotated[
        str, typer.Argument(help="a lead's id, its beginning, or a serial number")
    ] = "",
    *,
    to: Annotated[str, typer.Option(help="the customer's mail address")] = "",
    contacts: Annotated[
        Path | None, typer.Option(help="CSV file with the columns lead,contact: all of them")
    ] = None,
    campaign: Annotated[str, typer.Option(help="which campaign")] = STANDARD.name,
    tenant: Tenant = DEFAULT_TENANT,
    by: Annotated[str, typer.Option(help="who begins it; your user name by default")] = "",
) -> None:
    """Begin a campaign for one contact, or for every row of a file; all of them or none."""
    if campaign not in CAMPAIGNS:
        raise UserError(
            f"no campaign is called {campaign!r}", hint=f"known: {', '.join(CAMPAIGNS)}"
        )
    if (contacts is None) == (not lead or not to):
        raise UserError("name a lead and --to ADDRESS, or give --contacts FILE")
    wanted = [contact_of(lead, to, "--to")] if contacts is None else contacts_in(contacts)
    settings = load_settings(EditionSettings)
    begun = lifecycle.run(
        enrolling.begin(settings, checked_tenant(tenant), campaign, wanted, by or user_name())
    )
    for each in begun:
        out.print(f"{each.contact}: {each.title} ({each.lead_id})", markup=False, soft_wrap=True)
    err.print(f"begun for {len(begun):,}; `onelead campaigns list` shows how they stand")


@app.command("list")
def list_campaigns(
    tenant: Tenant = DEFAULT_TENANT,
    limit: Annotated[int, typer.Option(help="at most so many", min=1, max=10_000)] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON, for programs")] = False,
) -> None:
    """Show the campaigns, the running ones first."""
    rows = lifecycle.run(
        enrolling.all_of(load_settings(EditionSettings), checked_tenant(tenant), limit)
    )
    if as_json:
        found = [_as_json(row) for row in rows]
        out.out(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode(), highlight=False)
    elif rows:
        out.print(_table(rows))
    else:
        err.print("No campaigns")


@app.command("stop")
def stop(
    lead: Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")],
    *,
    why: Annotated[
        str, typer.Option(help="the reason, kept with the campaign")
    ] = "stopped by hand",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """End the campaigns about a lead; mails that were not begun are not sent."""
    settings = load_settings(EditionSettings)
    lead_id = lifecycle.run(enrolling.stop(settings, checked_tenant(tenant), lead, why))
    out.print(f"stopped: {lead_id}", markup=False)


@app.command("unsubscribe")
def unsubscribe(address: Address, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Write to an address no more: its campaigns end, none can be begun."""
    contact = contact_of("any", address, "the address").address
    settings = load_settings(EditionSettings)
    lifecycle.run(enrolling.unsubscribe(settings, checked_tenant(tenant), contact))
    out.print(f"nobody writes to {contact} any more", markup=False)


@app.command("allow")
def allow(address: Address, *, tenant: Tenant = DEFAULT_TENANT) -> None:
    """Take an address off the list of those nobody writes to, at its owner's wish."""
    contact = contact_of("any", address, "the address").address
    settings = load_settings(EditionSettings)
    lifecycle.run(enrolling.allow_again(settings, checked_tenant(tenant), contact))
    out.print(f"{contact} may be written to again", markup=False)


def _table(rows: Sequence[Row[Any]]) -> Table:
    table = Table(title=f"Campaigns: {len(rows):,}")
    for column in ("Contact", "Lead", "Campaign", "Steps done", "Next", "Ended"):
        table.add_column(column, overflow="fold")
    for row in rows:
        following = row.next_at.strftime("%Y-%m-%d %H:%M UTC") if row.next_at else ""
        steps = f"{row.next_step} of {len(CAMPAIGNS[row.campaign].steps)}"
        table.add_row(row.contact, row.lead_id, row.campaign, steps, following, row.ended or "")
    return table


def _as_json(row: Row[Any]) -> dict[str, Any]:
    return {
        "contact": row.contact,
        "lead_id": row.lead_id,
        "campaign": row.campaign,
        "started_at": row.started_at.isoformat(),
        "steps_done": row.next_step,
        "next_at": row.next_at.isoformat() if row.next_at else None,
        "ended": row.ended,
        "by": row.actor,
    }
