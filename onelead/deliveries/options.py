"""The options that choose deliveries on the command line, and the filters they stand for."""

from pathlib import Path
from typing import Annotated

import typer

from onelead.deliveries.book import Filters
from onelead.deliveries.since import since_called
from services.notifier.channels import CHANNEL_BY_NAME
from services.notifier.domain.delivery import Purpose, State
from shared import clock
from shared.errors import UserError
from shared.rules.refusal import known_names

Tenant = Annotated[str, typer.Option(help="whose deliveries")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Id = Annotated[str, typer.Argument(help="a delivery's id, or the beginning of it")]
Ids = Annotated[list[str] | None, typer.Argument(help="ids, or the beginnings of them")]
States = Annotated[list[State] | None, typer.Option(help="in this state; may be given twice")]
Channel = Annotated[str, typer.Option(help="slack, email, salesforce, …")]
Target = Annotated[str, typer.Option(help="to this target, as `sinks` shows it")]
Purposes = Annotated[Purpose | None, typer.Option(help="what was told")]
Lead = Annotated[str, typer.Option(help="a lead's id, its beginning, or a serial number")]
Since = Annotated[str, typer.Option(help="a day (2025-10-09), or so long ago: 3h, 2d")]
Orphaned = Annotated[bool, typer.Option("--orphaned", help="waits for a sink no longer configured")]
File = Annotated[
    Path | None, typer.Option("--file", help="a notify file; unset: ONELEAD_NOTIFY_FILE")
]
All = Annotated[bool, typer.Option("--all", help="all that the options choose, not single ids")]
Yes = Annotated[bool, typer.Option("--yes", help="do it, several at once or in doubt though it is")]
Why = Annotated[str, typer.Option(help="the reason, kept with it")]


def filters_of(
    *,
    states: list[State] | None,
    channel: str,
    target: str,
    purpose: Purpose | None,
    lead: str,
    since: str,
    limit: int = 10_000,
) -> Filters:
    """The filters. Raises UserError for a channel or a moment that is none."""
    if channel and channel not in CHANNEL_BY_NAME:
        known = known_names(channel, tuple(CHANNEL_BY_NAME))
        raise UserError(f"there is no channel {channel!r}", hint=known)
    return Filters(
        states=tuple(each.value for each in states or ()),
        channel=channel,
        target=target,
        purpose=purpose.value if purpose else "",
        lead=lead,
        since=since_called(since, clock.now()),
        limit=limit,
    )
