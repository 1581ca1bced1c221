"""`onelead notify`: checks who is told what, shows messages as they would go out, sends a test."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from onelead import lifecycle
from onelead.console import err, out
from onelead.edition.edition import DEFAULT_TENANT
from onelead.notify.configured import Configured, configured
from onelead.notify.in_words import plan_json, plan_parts, verdict_json, verdict_parts
from onelead.notify.lead import Asked, alert_called
from onelead.notify.messages import Message, previews, send_test, write_page
from onelead.notify.readable import as_text
from onelead.output import deliver
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant
from services.notifier.channels import CHANNEL_BY_NAME
from services.notifier.domain.attempt import Delivered, Outcome
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Target
from shared import clock
from shared.errors import UserError
from shared.events import LeadType
from shared.rules.refusal import known_names
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="Check, preview and test what is told to whom.")
File = Annotated[
    Path | None, typer.Option("--file", help="a notify file; unset: ONELEAD_NOTIFY_FILE")
]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Lead = Annotated[str, typer.Argument(help="a lead's id, its beginning, or a serial number")]
Tenant = Annotated[str, typer.Option(help="whose lead")]
Type = Annotated[LeadType | None, typer.Option("--type", help="which lead, when a box has several")]
Owner = Annotated[str | None, typer.Option(help="as if this were the lead's owner")]
PurposeOption = Annotated[Purpose, typer.Option(help="what is told of the lead")]


@app.command("check")
def check(
    file: Annotated[Path | None, typer.Argument(help="unset: ONELEAD_NOTIFY_FILE")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Say which sinks there are and who is told what; a file with mistakes is refused with each place."""
    lifecycle.run(_check(file, as_json=as_json))


@app.command("routes")
def routes(
    lead: Lead,
    *,
    purpose: PurposeOption = Purpose.ALERT,
    lead_type: Type = None,
    tenant: Tenant = DEFAULT_TENANT,
    owner: Owner = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Explain which routes a lead takes, why not the others, and who hears of it in the end."""
    asked = Asked(checked_tenant(tenant), lead, lead_type, owner)
    lifecycle.run(_routes(asked, purpose, file, as_json=as_json))


@app.command("preview")
def preview(
    lead: Lead,
    *,
    purpose: PurposeOption = Purpose.ALERT,
    sink: Annotated[str | None, typer.Option(help="only this sink")] = None,
    channel: Annotated[str | None, typer.Option(help="only sinks of this channel")] = None,
    html: Annotated[
        Path | None, typer.Option(help="write a page for each message into this folder")
    ] = None,
    lead_type: Type = None,
    tenant: Tenant = DEFAULT_TENANT,
    owner: Owner = None,
    file: File = None,
    as_json: AsJson = False,
) -> None:
    """Show each message as it would go out, to every sink that it would be told to. Sends nothing."""
    asked = Asked(checked_tenant(tenant), lead, lead_type, owner)
    messages = lifecycle.run(_previews(asked, purpose, sink, channel, file))
    if as_json:
        deliver(orjson.dumps([m.json() for m in messages]).decode() + "\n", None)
    for message in () if as_json else messages:
        out.rule(message.title, align="left")
        out.print(as_text(message.wire), markup=False, soft_wrap=True)
    for message in messages if html is not None else ():
        err.print(f"Written to {write_page(html or Path(), message)}", markup=False)
    if not messages:
        err.print(f"Nobody would be told: onelead notify routes {lead} says why", markup=False)


@app.command("test")
def try_sink(
    sink: Annotated[str, typer.Argument(help="the name of a sink")],
    *,
    to: Annotated[str | None, typer.Option(help="which of its addresses; the first")] = None,
    file: File = None,
) -> None:
    """Send one real message, marked as a test, and say what the sink answered."""
    target, outcome = lifecycle.run(_test(sink, to, file))
    where = f"{sink} ({target.channel} {target.address})"
    if not isinstance(outcome, Delivered):
        raise UserError(f"{where}: {outcome.reason}", exit_code=1)
    note = f": {outcome.note}" if outcome.note else ""
    out.print(f"{where} took the test message{note}", markup=False)


async def _check(file: Path | None, *, as_json: bool) -> None:
    async with configured(file) as found:
        if as_json:
            deliver(orjson.dumps(plan_json(found)).decode() + "\n", None)
            return
        for part in plan_parts(found):
            out.print(part)
        plan = found.plan
        counts = (len(plan.sinks), len(plan.targets), len(plan.routes))
        err.print("In order: {} sinks, {} targets, {} routes".format(*counts))


async def _routes(asked: Asked, purpose: Purpose, file: Path | None, *, as_json: bool) -> None:
    async with configured(file) as found:
        alert = await _alert(asked, found)
        if as_json:
            body = orjson.dumps(verdict_json(found.plan, alert, purpose))
            deliver(body.decode() + "\n", None)
            return
        for part in verdict_parts(found.plan, alert, purpose):
            out.print(part)


async def _previews(
    asked: Asked, purpose: Purpose, sink: str | None, channel: str | None, file: Path | None
) -> list[Message]:
    async with configured(file) as found:
        if sink is not None:
            found.sink_called(sink)
        if channel is not None and channel not in CHANNEL_BY_NAME:
            known = known_names(channel, tuple(CHANNEL_BY_NAME))
            raise UserError(f"there is no channel {channel}", hint=known)
        messages = previews(found, await _alert(asked, found), purpose, clock.now())
        return [
            m
            for m in messages
            if m.sink == (sink or m.sink) and channel in (None, m.target.channel)
        ]


async def _test(name: str, to: str | None, file: Path | None) -> tuple[Target, Outcome]:
    async with configured(file) as found:
        sink = found.sink_called(name)
        targets = [t for t in sink.targets if to in (None, t.address)]
        if not targets:
            known = ", ".join(t.address for t in sink.targets)
            raise UserError(f"sink {name} does not send to {to}", hint=f"it sends to {known}")
        return targets[0], await send_test(found, sink, targets[0])


async def _alert(asked: Asked, found: Configured) -> Alert:
    settings = load_settings(EditionSettings)
    return await alert_called(settings, asked, found.settings.console_url)
