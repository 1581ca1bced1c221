"""`onelead deliveries`: what was told to whom, every attempt; sends again, cancels, switches sinks on."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, TypeVar

import orjson
import typer

from onelead import lifecycle
from onelead.console import err, out
from onelead.deliveries.book import Book, Filters, book_of
from onelead.deliveries.present import (
    attempt_json,
    attempts_table,
    deliveries_table,
    delivery_json,
    sink_json,
    sinks_table,
)
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, user_name
from services.notifier.domain.delivery import State
from shared import clock
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="See what was told to whom; send again, cancel.")
T = TypeVar("T")
Tenant = Annotated[str, typer.Option(help="whose deliveries")]
AsJson = Annotated[bool, typer.Option("--json", help="as JSON, for programs")]
Id = Annotated[str, typer.Argument(help="a delivery's id, or the beginning of it")]


@app.command("list")
def list_deliveries(
    *,
    tenant: Tenant = DEFAULT_TENANT,
    state: Annotated[str, typer.Option(help="pending, retry, sent, dead, unknown, …")] = "",
    channel: Annotated[str, typer.Option(help="slack, email, salesforce, …")] = "",
    lead: Annotated[str, typer.Option(help="a lead's id, or the beginning of it")] = "",
    since: Annotated[str, typer.Option(help="a day (2025-10-09), or so long ago: 3h, 2d")] = "",
    limit: Annotated[int, typer.Option(help="at most so many", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show deliveries, the newest first."""
    if state and state not in {each.value for each in State}:
        raise UserError(f"no delivery is ever {state!r}", hint=f"states: {', '.join(State)}")
    filters = Filters(state, channel, lead.lower(), _since(since), limit)
    rows = _with(tenant, lambda book: book.listed(filters))
    if as_json:
        _print_json([delivery_json(row) for row in rows])
    elif rows:
        out.print(deliveries_table(rows))
    else:
        err.print("No deliveries")


@app.command("show")
def show(delivery: Id, *, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Show one delivery with every attempt: when, how long, what was answered."""

    async def both(book: Book) -> Any:
        row = await book.called(delivery)
        return row, await book.attempts(row.delivery_id)

    row, attempts = _with(tenant, both)
    if as_json:
        _print_json({**delivery_json(row), "attempts": [attempt_json(each) for each in attempts]})
        return
    out.print(deliveries_table([row]))
    out.print(f"id {row.delivery_id}, lead {row.lead_id or '(about many)'}", markup=False)
    out.print(attempts_table(attempts))


@app.command("retry")
def retry(
    delivery: Id,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    yes: Annotated[bool, typer.Option("--yes", help="even if it may have arrived")] = False,
) -> None:
    """Send a dead or doubtful delivery again."""

    async def again(book: Book) -> str:
        row = await book.called(delivery)
        await book.retry(row, even_if_unsure=yes)
        return str(row.delivery_id)

    out.print(f"{_with(tenant, again)} will be sent again", markup=False)


@app.command("cancel")
def cancel(
    delivery: Id,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    why: Annotated[str, typer.Option(help="the reason, kept with it")] = "",
) -> None:
    """Cancel a delivery that waits."""
    note = f"cancelled by {user_name()}" + (f": {why}" if why else "")

    async def off(book: Book) -> str:
        row = await book.called(delivery)
        await book.cancel(row, note)
        return str(row.delivery_id)

    out.print(f"{_with(tenant, off)} is cancelled", markup=False)


@app.command("sinks")
def sinks(*, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Show the sinks that failed, rest, or were switched off."""
    rows = _with(tenant, lambda book: book.sinks())
    if as_json:
        _print_json([sink_json(row) for row in rows])
    elif rows:
        out.print(sinks_table(rows))
    else:
        err.print("No sink has failed")


@app.command("enable")
def enable(
    channel: Annotated[str, typer.Argument(help="its channel, as `sinks` shows it")],
    target: Annotated[str, typer.Argument(help="its target, as `sinks` shows it")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Send to a sink again that was switched off or rests; what waited for it goes out."""
    _with(tenant, lambda book: book.enable(channel, target))
    out.print(f"{channel} {target} is sent to again", markup=False)


def _with(tenant: str, what: Callable[[Book], Awaitable[T]]) -> T:
    async def run(tenant_id: str) -> T:
        async with book_of(load_settings(EditionSettings), tenant_id) as book:
            return await what(book)

    return lifecycle.run(run(checked_tenant(tenant)))


def _since(wish: str) -> datetime | None:
    if not wish:
        return None
    units = {"h": "hours", "d": "days", "m": "minutes"}
    if wish[:-1].isdecimal() and wish[-1] in units and len(wish) < 8:
        return clock.now() - timedelta(**{units[wish[-1]]: int(wish[:-1])})
    try:
        return datetime.fromisoformat(wish).replace(tzinfo=UTC)
    except ValueError:
        raise UserError(f"--since: {wish!r} is no day like 2025-10-09, nor like 3h or 2d") from None


def _print_json(value: object) -> None:
    out.out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)
