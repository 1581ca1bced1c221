"""Keeps the usable rows of an assessment on disk and gives them back account by account.

SQLite unlinks its nameless database when it opens it: however the process ends, nothing is left.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from services.ingest.domain.accounts.directory import NameUse, own_name
from services.ingest.domain.profile import AccountRows
from services.ingest.domain.records import (
    AnyRecord,
    Box,
    CatalogueRow,
    Opportunity,
    Project,
)
from shared.errors import UserError
from shared.events import RecordKind

_CACHE_KB = 64_000
_CHUNK_ROWS = 2_000
_KINDS: Mapping[type[Any], RecordKind] = {
    Box: RecordKind.INSTALL_BASE,
    Opportunity: RecordKind.OPPORTUNITY,
    Project: RecordKind.PROJECT,
    CatalogueRow: RecordKind.CATALOGUE,
}
_TYPES: dict[str, Any] = {kind.value: record_type for record_type, kind in _KINDS.items()}
_TABLES = """
CREATE TABLE row (
    position INTEGER PRIMARY KEY, kind TEXT, record_id TEXT, part INTEGER, number INTEGER,
    place INTEGER, created TEXT, postal_code TEXT, domain TEXT,
    degraded INTEGER, doubtful INTEGER, content BLOB);
CREATE TABLE place (place INTEGER PRIMARY KEY, account INTEGER)
"""
_ADD = f"INSERT INTO row VALUES ({', '.join('?' * 12)})"
_COUNTS = "SELECT kind, count(*), sum(degraded) FROM row GROUP BY kind"
_OF_KIND = "SELECT kind, content FROM row WHERE kind = ? ORDER BY position"
_DOUBTFUL = "SELECT position, part, kind, content FROM row WHERE doubtful ORDER BY kind, position"
_REPEATED = """
SELECT position, part, kind, content, first FROM row JOIN (
    SELECT record_id, min(position) AS first FROM row WHERE kind = 'install_base'
    GROUP BY record_id HAVING count(*) > 1
) USING (record_id) WHERE kind = 'install_base' ORDER BY first, position
"""
_USES = """
SELECT place, count(*), count(*) FILTER (WHERE kind = 'opportunity'), max(created),
    coalesce(min(number) FILTER (WHERE kind = 'opportunity'), min(number)),
    min(postal_code), min(domain)
FROM row WHERE place IS NOT NULL GROUP BY place
"""
_BY_ACCOUNT = """
SELECT account, kind, content FROM row JOIN place USING (place)
WHERE account IS NOT NULL {which} ORDER BY account, position
"""

Place = tuple[str | None, str | None]
"""The name a row is reconciled by, and its territory."""
_R = TypeVar("_R", bound=AnyRecord)


class Kept(NamedTuple):
    """A usable row with its position among all, and the number of the table it stood in."""

    position: int
    part: int
    record: AnyRecord


class Spill:
    """The usable rows. Memory grows with names and territories, not with rows.

    Every method raises UserError when the disk is full.
    """

    def __init__(self) -> None:
        self._places: dict[Place, int] = {}
        self._waiting: list[tuple[object, ...]] = []
        self._added = 0
        self._database = sqlite3.connect("", isolation_level=None)
        for pragma in (f"cache_size = -{_CACHE_KB}", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {pragma}")
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")

    def __enter__(self) -> "Spill":
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, record: AnyRecord, part: int, *, degraded: bool, doubtful: bool) -> None:
        """Keeps a row; `doubtful`: it holds a contradiction that is to be told later."""
        place: int | None = None
        use: tuple[object, ...] = (None, None, None)
        if not isinstance(record, CatalogueRow):
            name = own_name(record)
            key = (name, record.territory_id)
            place = self._places.setdefault(key, len(self._places))
            if name is not None:
                use = (getattr(record, "created", None), record.postal_code, record.domain)
        self._added += 1
        self._waiting.append(
            (
                *(self._added, _KINDS[type(record)].value, record.record_id, part, record.row),
                *(place, *use, degraded, doubtful, record.model_dump_json(exclude_none=True)),
            )
        )
        if len(self._waiting) >= _CHUNK_ROWS:
            self._flush()

    def counts(self) -> dict[str, tuple[int, int]]:
        """Kind → (rows, degraded ones among them)."""
        return {kind: (rows, degraded) for kind, rows, degraded in self._all(_COUNTS)}

    def of_type(self, record_type: type[_R]) -> Iterator[_R]:
        """The rows of one type, in the order they were added."""
        for kind, content in self._all(_OF_KIND, _KINDS[record_type].value):
            yield _TYPES[kind].model_validate_json(content)

    def doubtful(self) -> Iterator[Kept]:
        """The rows that were marked so, boxes first."""
        return (_kept(row) for row in self._all(_DOUBTFUL))

    def repeats(self) -> Iterator[list[Kept]]:
        """The rows of each box that has several, in the order they were added."""
        for _, rows in groupby(self._all(_REPEATED), key=itemgetter(4)):
            yield [_kept(row[:4]) for row in rows]

    def keep_only(self, winner: Kept, rows: list[Kept]) -> None:
        """Drops the other rows of a box; the winner takes the place of the first."""
        gone = [(each.position,) for each in rows if each is not winner]
        with _told():
            self._database.executemany("DELETE FROM row WHERE position = ?", gone)
            moved = (rows[0].position, winner.position)
            self._database.execute("UPDATE row SET position = ? WHERE position = ?", moved)

    def name_uses(self) -> list[NameUse]:
        """The uses of all names, in order of spelling and territory, as ingest counts them."""
        places = list(self._places)
        uses = (
            NameUse(
                raw_name=name,
                territory_id=territory,
                rows=rows,
                opportunity_rows=deals,
                latest_created=created,
                first_row=first,
                postal_code=postal_code,
                domain=domain,
            )
            for place, rows, deals, created, first, postal_code, domain in self._all(_USES)
            for name, territory in (places[place],)
            if name is not None
        )
        return sorted(uses, key=lambda use: (use.raw_name, use.territory_id or ""))

    @property
    def places(self) -> list[Place]:
        """Every pair of name and territory that a row has."""
        return list(self._places)

    def group(self, accounts: Mapping[Place, int]) -> None:
        """Says which account, by its number, the rows of a place belong to."""
        numbers = [(self._places[place], account) for place, account in accounts.items()]
        with _told():
            self._database.executemany("INSERT INTO place VALUES (?, ?)", numbers)

    def by_account(self, only: type[AnyRecord] | None = None) -> Iterator[tuple[int, AccountRows]]:
        """(account, its rows in the order they were added), account after account."""
        which = f"AND kind = '{_KINDS[only].value}'" if only else ""
        rows = self._all(_BY_ACCOUNT.format(which=which))
        for account, group in groupby(rows, key=itemgetter(0)):
            found: dict[str, list[Any]] = {kind: [] for kind in _TYPES}
            for _, kind, content in group:
                found[kind].append(_TYPES[kind].model_validate_json(content))
            yield (
                account,
                AccountRows(
                    boxes=found[RecordKind.INSTALL_BASE],
                    opportunities=found[RecordKind.OPPORTUNITY],
                    projects=found[RecordKind.PROJECT],
                ),
            )

    def _flush(self) -> None:
        with _told():
            self._database.executemany(_ADD, self._waiting)
        self._waiting.clear()

    def _all(self, query: str, *values: object) -> Iterator[Any]:
        self._flush()
        with _told():
            yield from self._database.execute(query, values)


def _kept(row: tuple[int, int, str, str]) -> Kept:
    position, part, kind, content = row
    return Kept(position, part, _TYPES[kind].model_validate_json(content))


@contextmanager
def _told() -> Iterator[None]:
    """A full disk in words; everything else is a fault of ours."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if "full" not in str(error) and "I/O" not in str(error):
            raise
        raise UserError(
            "no room on the disk for the rows while they are assessed",
            hint="make room in the temporary folder, or name another one in SQLITE_TMPDIR; "
            "a million boxes need about 1 GB",
        ) from error
