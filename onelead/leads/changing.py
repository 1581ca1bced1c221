"""The commands of `onelead leads` that change a lead: each asks lifecycle and says what came of it."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from onelead import lifecycle
from onelead.console import out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.leads.asked import Asked
from onelead.leads.moments import NEVER, moment_called, zone_called
from onelead.leads.options import AsJson, Name, OfType, Tenant, Zone
from onelead.leads.present import sentence
from onelead.leads.reading import state_called
from onelead.output import deliver
from onelead.whose import checked_tenant
from services.lifecycle.domain.states import STATES
from shared import clock
from shared.events import LeadAction

Until = Annotated[str, typer.Argument(help="2025-11-01, 2025-11-01T09:00, 4h, 3d, 2w; or none")]
Why = Annotated[str, typer.Option(help="the reason, kept in the history")]
By = Annotated[str, typer.Option(help="who does it; your user name by default")]
Wait = Annotated[float, typer.Option(help="seconds to wait for the answer", min=1)]


def move(
    lead: Name,
    state: Annotated[str, typer.Argument(help=f"one of: {', '.join(STATES)}")],
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 30,
    as_json: AsJson = False,
) -> None:
    """Move a lead to another state: any later one, one back with --why, rejected with a reason.

    Reasons: wrong segment, data inaccurate, already a customer, duplicate, other ("other: …").
    """
    wish = {"action": LeadAction.MOVE, "to": state_called(state), "why": why}
    _ask(Asked(lead, lead_type, tenant, by, wait, as_json), wish)


def assign(
    lead: Name,
    owner: Annotated[str, typer.Argument(help="who takes it; none: nobody")],
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    why: Why = "",
    by: By = "",
    wait: Wait = 30,
    as_json: AsJson = False,
) -> None:
    """Give a lead an owner; a new lead becomes assigned with it."""
    to = None if owner.strip().casefold() == NEVER else owner
    wish = {"action": LeadAction.ASSIGN, "owner": to, "why": why}
    _ask(Asked(lead, lead_type, tenant, by, wait, as_json), wish)


def snooze(
    lead: Name,
    until: Until,
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    why: Why = "",
    by: By = "",
    wait: Wait = 30,
    as_json: AsJson = False,
) -> None:
    """Leave people in peace about a lead until a moment; nothing about it is told until then."""
    wish = {"action": LeadAction.SNOOZE, **_until(until, zone), "why": why}
    _ask(Asked(lead, lead_type, tenant, by, wait, as_json, zone), wish)


def follow_up(
    lead: Name,
    at: Until,
    *,
    lead_type: OfType = None,
    note: Annotated[str, typer.Option(help="what to do then")] = "",
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    why: Why = "",
    by: By = "",
    wait: Wait = 30,
    as_json: AsJson = False,
) -> None:
    """Be reminded of a lead at a moment; `none` when it is done."""
    wish = {"action": LeadAction.FOLLOW_UP, **_until(at, zone), "note": note, "why": why}
    _ask(Asked(lead, lead_type, tenant, by, wait, as_json, zone), wish)


def do_not_contact(
    lead: Name,
    until: Until,
    *,
    lead_type: OfType = None,
    tenant: Tenant = DEFAULT_TENANT,
    zone: Zone = "UTC",
    why: Why = "",
    by: By = "",
    wait: Wait = 30,
    as_json: AsJson = False,
) -> None:
    """Leave a lead's account alone until a moment: all its leads, in all offices of the tenant."""
    wish = {"action": LeadAction.DO_NOT_CONTACT, **_until(until, zone), "why": why}
    _ask(Asked(lead, lead_type, tenant, by, wait, as_json, zone), wish)


def _until(text: str, zone: str) -> dict[str, Any]:
    return {"until": moment_called(text, clock.now(), zone_called(zone))}


def _ask(asked: Asked, wish: Mapping[str, Any]) -> None:
    """Carries a wish out and says what came of it. Raises UserError when it is refused."""
    zone = zone_called(asked.zone)
    fact = lifecycle.run(asked.carried_out(checked_tenant(asked.tenant), wish))
    if asked.as_json:
        deliver(fact.model_dump_json() + "\n", None)
    else:
        out.print(f"{fact.lead_id}: {sentence(fact, zone)}", markup=False, soft_wrap=True)
