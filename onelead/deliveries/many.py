"""Changes one or many deliveries by a person's word: finds them, judges each, says what became of it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Row

from onelead.deliveries.book import Book, Filters
from onelead.deliveries.changing import Wish, send_again, take_back
from onelead.deliveries.outlook import Around, held_up, moment
from onelead.deliveries.targets import targets_of
from services.notifier.domain.delivery import State
from shared.errors import UserError


@dataclass(frozen=True)
class Selection:
    """Which deliveries are meant; `orphaned`: of these what waits for a sink no longer configured."""

    filters: Filters
    orphaned: bool = False
    file: Path | None = None

    async def resolved(self, tenant_id: str) -> Filters:
        """The filters, with the sinks that are configured. Raises UserError when nobody can say."""
        if not self.orphaned:
            return self.filters
        return replace(self.filters, not_to=await targets_of(tenant_id, self.file))


@dataclass(frozen=True)
class Kind:
    """A change that people ask for, in words and as what it does."""

    verb: str
    done: str
    hint: str
    apply: Callable[[Book, Row[Any], Wish], Awaitable[datetime | None]]


RETRYING = Kind(
    "retry",
    "will be sent again",
    "like `retry --all --channel slack --since 2d`",
    send_again,
)
CANCELLING = Kind(
    "cancel",
    "is cancelled",
    "like `cancel --all --channel slack`, or `cancel --orphaned`",
    take_back,
)


@dataclass
class Changed:
    """What became of it: the rows as they are now, lines to read, warnings, how many were refused."""

    rows: list[Row[Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    refused: int = 0


async def change(
    book: Book,
    kind: Kind,
    ids: Sequence[str],
    selection: Selection | None,
    wish: Wish,
    *,
    yes: bool,
) -> Changed:
    """Changes the named or chosen deliveries, each that may be.

    Raises UserError for an id that is none, for a single one that is refused, and, before anything
    is changed, for a selection without --yes.
    """
    rows = await _rows(book, ids, selection)
    if not rows:
        return Changed(warnings=["No such deliveries; nothing was changed"])
    if selection is not None and not yes:
        raise UserError(
            f"{len(rows):,} deliveries are meant; nothing was changed",
            hint=f"`onelead deliveries list` with the same options shows them; --yes: {kind.verb}",
            exit_code=1,
        )
    found = Changed()
    for row in rows:
        try:
            due_at = await kind.apply(book, row, wish)
        except UserError as error:
            if len(rows) == 1:
                raise
            found.refused += 1
            found.warnings.append(f"Refused: {error.message}")
        else:
            line = f"{row.delivery_id} {kind.done}{_later(due_at, wish.now)}"
            _note(found, await book.called(row.delivery_id), was=row.state, line=line)
    if kind is RETRYING:
        found.warnings += await _held_up(book, found.rows, wish.now)
    if selection is not None:
        found.warnings.append(f"{len(found.rows):,} of {len(rows):,} changed")
    return found


def _note(found: Changed, row: Row[Any], *, was: str, line: str) -> None:
    """Keeps what was done, and the warning that belongs to it."""
    found.rows.append(row)
    found.lines.append(line)
    if was == State.UNKNOWN.value:
        found.warnings.append(
            f"Warning: {row.delivery_id[:8]} may have arrived already; "
            f"{row.channel} {row.target} may get it twice"
        )


async def _rows(book: Book, ids: Sequence[str], selection: Selection | None) -> Sequence[Row[Any]]:
    if selection is not None:
        return await book.listed(await selection.resolved(book.tenant_id))
    found = {row.delivery_id: row for row in [await book.called(name) for name in ids]}
    return list(found.values())


async def _held_up(book: Book, rows: Sequence[Row[Any]], now: datetime) -> list[str]:
    """A line for each sink that is switched off: nothing goes out to it, whatever is asked for."""
    first = {(row.channel, row.target): row for row in rows}
    sinks = await book.sink_states(first)
    held = [held_up(row, Around(now, sinks.get(target))) for target, row in first.items()]
    return [
        f"Warning: {row.channel} {row.target}: {line}"
        for line, row in zip(held, first.values(), strict=True)
        if line is not None
    ]


def _later(due_at: datetime | None, now: datetime) -> str:
    if due_at is None or due_at <= now:
        return ""
    return f", not before {moment(due_at)}: the account is not to be contacted until then"
