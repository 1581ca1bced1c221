"""`onelead campaigns`: begins drip campaigns for contacts, shows how they stand, ends them."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead import lifecycle
from onelead.campaigns import enrolling
from onelead.campaigns.contacts import contact_of, contacts_in
from onelead.campaigns.enrolling import Start
from onelead.campaigns.present import campaign_json, campaigns_table, refused_json, refused_table
from onelead.campaigns.previewing import planned
from onelead.campaigns.running import Wanted, campaigns_of, refused_of
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.notify.lead import Asked
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, user_name
from services.notifier.domain.campaigns import CAMPAIGNS, STANDARD, Campaign
from services.notifier.domain.message import plain
from shared.errors import UserError
from shared.events import LeadType
from shared.settings import load_settings

app = typer.Typer(
    no_args_is_help=True, help="Write to customers in steps: day 0, 3, 7, then a call."
)
Tenant = Annotated[str, typer.Option(help="whose campaigns")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Type = Annotated[LeadType | None, typer.Option("--type", help="which lead, when a box has several")]
CALL = "A call task: somebody should call, nobody answered."
Address = Annotated[str, typer.Argument(help="a mail address")]


@app.command("start")
def start_campaign(
    lead: Annotated[
        str, typer.Argument(help="a lead's id, its beginning, or a serial number")
    ] = "",
    *,
    to: Annotated[str, typer.Option(help="the customer's mail address")] = "",
    contacts: Annotated[
        Path | None, typer.Option(help="CSV file with the columns lead,contact: all of them")
    ] = None,
    lead_type: Type = None,
    campaign: Annotated[str, typer.Option(help="which campaign")] = STANDARD.name,
    tenant: Tenant = DEFAULT_TENANT,
    by: Annotated[str, typer.Option(help="who begins it; your user name by default")] = "",
) -> None:
    """Begin a campaign for one contact, or for every row of a file; all of them or none."""
    _known(campaign)
    if (contacts is None) == (not lead or not to):
        raise UserError("name a lead and --to ADDRESS, or give --contacts FILE")
    wanted = [contact_of(lead, to, "--to")] if contacts is None else contacts_in(contacts)
    settings = load_settings(EditionSettings)
    start = Start(checked_tenant(tenant), campaign, by or user_name(), lead_type)
    begun = lifecycle.run(enrolling.begin(settings, start, wanted))
    for each in begun:
        out.print(f"{each.contact}: {each.title} ({each.lead_id})", markup=False, soft_wrap=True)
    err.print(f"begun for {len(begun):,}; `onelead campaigns list` shows how they stand")


@app.command("preview")
def preview(
    lead: Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")],
    *,
    to: Annotated[str, typer.Option(help="the customer's mail address")] = "name@example.com",
    lead_type: Type = None,
    campaign: Annotated[str, typer.Option(help="which campaign")] = STANDARD.name,
    tenant: Tenant = DEFAULT_TENANT,
    as_json: AsJson = False,
) -> None:
    """Show every mail of a campaign about a lead, with its day, if it began now. Sends nothing."""
    contact = contact_of(lead, to, "--to")
    asked = Asked(checked_tenant(tenant), lead, lead_type)
    settings = load_settings(EditionSettings)
    steps = lifecycle.run(planned(settings, asked, contact.address, _known(campaign)))
    if as_json:
        _print_json([step.json() for step in steps])
        return
    for step in steps:
        out.rule(f"day {step.day}, {step.due_at:%Y-%m-%d}", align="left")
        said = f"Subject: {step.mail.subject}\n\n{step.mail.text}" if step.mail else CALL
        out.print(said, markup=False, soft_wrap=True)


@app.command("list")
def list_campaigns(
    *,
    tenant: Tenant = DEFAULT_TENANT,
    running: Annotated[bool, typer.Option("--running", help="without those that are over")] = False,
    lead: Annotated[str, typer.Option(help="a lead's id, its beginning, or a serial number")] = "",
    to: Annotated[str, typer.Option(help="only this mail address")] = "",
    limit: Annotated[int, typer.Option(help="at most so many", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show the campaigns, the running ones first: what was done, what comes next, why one ended."""
    wanted = Wanted(running, lead, to, limit)
    rows = lifecycle.run(
        campaigns_of(load_settings(EditionSettings), checked_tenant(tenant), wanted)
    )
    if as_json:
        _print_json([campaign_json(row) for row in rows])
    elif rows:
        out.print(campaigns_table(rows))
    else:
        such = "No such campaign" if wanted != Wanted(limit=limit) else "No campaign was ever begun"
        err.print(f"{such}; `onelead campaigns start LEAD --to ADDRESS` begins one", markup=False)


@app.command("stop")
def stop(
    lead: Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")],
    *,
    to: Annotated[str, typer.Option(help="only for this mail address; unset: for all")] = "",
    lead_type: Type = None,
    why: Annotated[
        str, typer.Option(help="the reason, kept with the campaign")
    ] = "stopped by hand",
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """End the campaigns about a lead; mails that were not begun are not sent."""
    settings = load_settings(EditionSettings)
    reason = plain(why) or "stopped by hand"
    asked = Asked(checked_tenant(tenant), lead, lead_type)
    ended = lifecycle.run(enrolling.stop(settings, asked, reason, to=to))
    for each in ended:
        out.print(f"stopped for {each.contact}: {each.title} ({each.lead_id})", markup=False)


@app.command("refused")
def refused(*, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Show the addresses nobody writes to: unsubscribed, bounced, or entered by hand."""
    rows = lifecycle.run(refused_of(load_settings(EditionSettings), checked_tenant(tenant)))
    if as_json:
        _print_json([refused_json(row) for row in rows])
    elif rows:
        out.print(refused_table(rows))
    else:
        err.print("Every address may be written to")


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


def _known(campaign: str) -> Campaign:
    if campaign not in CAMPAIGNS:
        raise UserError(
            f"no campaign is called {campaign!r}", hint=f"known: {', '.join(CAMPAIGNS)}"
        )
    return CAMPAIGNS[campaign]


def _print_json(value: object) -> None:
    out.out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)
