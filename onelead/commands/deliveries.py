"""`onelead deliveries`: what was told to whom, every attempt; sends again, cancels, switches sinks on."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import orjson
import typer

from onelead import lifecycle
from onelead.console import err, out
from onelead.deliveries.book import Book, Filters, book_of
from onelead.deliveries.changing import Wish
from onelead.deliveries.many import CANCELLING, RETRYING, Changed, Kind, Selection, change
from onelead.deliveries.options import (
    All,
    AsJson,
    Channel,
    File,
    Id,
    Ids,
    Lead,
    Orphaned,
    Purposes,
    Since,
    States,
    Target,
    Tenant,
    Why,
    Yes,
    filters_of,
)
from onelead.deliveries.outlook import Around
from onelead.deliveries.present import (
    counts_text,
    deliveries_table,
    delivery_json,
    delivery_parts,
    shown_json,
    sink_json,
    sinks_table,
    why_none,
)
from onelead.deliveries.targets import targets_if_known
from onelead.edition.edition import DEFAULT_TENANT
from onelead.settings import EditionSettings
from onelead.whose import checked_tenant, user_name
from services.notifier.domain.delivery import State
from shared import clock
from shared.errors import UserError
from shared.settings import load_settings

app = typer.Typer(no_args_is_help=True, help="See what was told to whom; send again, cancel.")
T = TypeVar("T")


@app.command("list")
def list_deliveries(
    *,
    tenant: Tenant = DEFAULT_TENANT,
    state: States = None,
    channel: Channel = "",
    target: Target = "",
    purpose: Purposes = None,
    lead: Lead = "",
    since: Since = "",
    orphaned: Orphaned = False,
    file: File = None,
    limit: Annotated[int, typer.Option(help="at most so many", min=1, max=10_000)] = 100,
    as_json: AsJson = False,
) -> None:
    """Show deliveries, the newest first."""
    filters = filters_of(
        states=state,
        channel=channel,
        target=target,
        purpose=purpose,
        lead=lead,
        since=since,
        limit=limit,
    )
    selection = Selection(filters, orphaned, file)

    async def look(book: Book) -> Any:
        filters = await selection.resolved(book.tenant_id)
        counts = await book.counted(filters)
        return await book.listed(filters), counts, counts or await book.counted(Filters())

    rows, counts, everything = _with(tenant, look)
    if as_json:
        _print_json([delivery_json(row) for row in rows])
    elif rows:
        out.print(deliveries_table(rows, clock.now()))
        err.print(counts_text(counts, len(rows)), markup=False)
    else:
        err.print(why_none(tenant, everything), markup=False)


@app.command("show")
def show(
    delivery: Id, *, tenant: Tenant = DEFAULT_TENANT, file: File = None, as_json: AsJson = False
) -> None:
    """Show one delivery: every attempt, what was answered, and what happens next."""

    async def look(book: Book) -> Any:
        row = await book.called(delivery)
        target = (row.channel, row.target)
        sink = (await book.sink_states([target])).get(target)
        known = await targets_if_known(book.tenant_id, file)
        around = Around(clock.now(), sink, None if known is None else target in known)
        return row, await book.attempts(row.delivery_id), around

    row, attempts, around = _with(tenant, look)
    if as_json:
        _print_json(shown_json(row, attempts, around))
    for part in () if as_json else delivery_parts(row, attempts, around):
        out.print(part)


@app.command("retry")
def retry(
    deliveries: Ids = None,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    every: All = False,
    state: States = None,
    channel: Channel = "",
    target: Target = "",
    purpose: Purposes = None,
    lead: Lead = "",
    since: Since = "",
    why: Why = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Send dead or doubtful deliveries again: by id, or --all of them (the dead ones unless --state).

    An unknown one may have arrived: sent again, somebody may read it twice, so it needs --yes.
    """
    chosen = state or [State.DEAD]
    filters = filters_of(
        states=chosen,
        channel=channel,
        target=target,
        purpose=purpose,
        lead=lead,
        since=since,
    )
    selection = Selection(filters) if every else None
    wish = Wish(user_name(), clock.now(), why, even_if_unsure=yes)
    _change(RETRYING, tenant, deliveries or [], selection, wish, yes=yes, as_json=as_json)


@app.command("cancel")
def cancel(
    deliveries: Ids = None,
    *,
    tenant: Tenant = DEFAULT_TENANT,
    every: All = False,
    state: States = None,
    channel: Channel = "",
    target: Target = "",
    purpose: Purposes = None,
    lead: Lead = "",
    since: Since = "",
    orphaned: Orphaned = False,
    file: File = None,
    why: Why = "",
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Cancel deliveries that wait: by id, or --all that wait and that the options choose."""
    chosen = state or [State.PENDING, State.RETRY]
    filters = filters_of(
        states=chosen,
        channel=channel,
        target=target,
        purpose=purpose,
        lead=lead,
        since=since,
    )
    selection = Selection(filters, orphaned, file) if every or orphaned else None
    wish = Wish(user_name(), clock.now(), why)
    _change(CANCELLING, tenant, deliveries or [], selection, wish, yes=yes, as_json=as_json)


@app.command("sinks")
def sinks(*, tenant: Tenant = DEFAULT_TENANT, as_json: AsJson = False) -> None:
    """Show every sink that was told something: how it fares, what it took, what waits for it."""
    rows = _with(tenant, lambda book: book.sinks())
    if as_json:
        _print_json([sink_json(row, clock.now()) for row in rows])
    elif rows:
        out.print(sinks_table(rows, clock.now()))
    else:
        err.print(f"No sink was ever told anything for tenant {tenant}")


@app.command("enable")
def enable(
    channel: Annotated[str, typer.Argument(help="its channel, as `sinks` shows it")],
    target: Annotated[str, typer.Argument(help="its target, as `sinks` shows it")],
    *,
    tenant: Tenant = DEFAULT_TENANT,
) -> None:
    """Send to a sink again that was switched off or rests; what waited for it goes out."""
    _with(tenant, lambda book: book.enable(channel, target))
    out.print(f"{channel} {target} is sent to again; what died stays dead", markup=False)


def _change(
    kind: Kind,
    tenant: str,
    ids: list[str],
    selection: Selection | None,
    wish: Wish,
    *,
    yes: bool,
    as_json: bool,
) -> None:
    if bool(ids) == (selection is not None):
        raise UserError(f"{kind.verb}: name ids, or --all with options that choose", hint=kind.hint)
    changed: Changed = _with(tenant, lambda book: change(book, kind, ids, selection, wish, yes=yes))
    if as_json:
        _print_json([delivery_json(row) for row in changed.rows])
    for line in () if as_json else changed.lines:
        out.print(line, markup=False, soft_wrap=True)
    for line in changed.warnings:
        err.print(line, markup=False, soft_wrap=True)
    if changed.refused:
        raise SystemExit(1)


def _with(tenant: str, what: Callable[[Book], Awaitable[T]]) -> T:
    async def run(tenant_id: str) -> T:
        async with book_of(load_settings(EditionSettings), tenant_id) as book:
            return await what(book)

    return lifecycle.run(run(checked_tenant(tenant)))


def _print_json(value: object) -> None:
    out.out(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), highlight=False)
