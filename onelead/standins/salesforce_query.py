"""Answers queries from the stand-in's records, a page at a time."""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

from onelead.standins.salesforce_schema import SalesforceRefusalError
from onelead.standins.salesforce_soql import TIMES, Condition, Query, malformed, parse, read_time
from onelead.standins.salesforce_store import Crm, Record

_KEPT_LOCATORS = 20
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Found:
    """The records of one answer, how many there are in all, and where the rest begins."""

    records: list[Record]
    total: int
    locator: str | None

    def body(self, version: str) -> dict[str, Any]:
        """The answer's body."""
        body: dict[str, Any] = {"totalSize": self.total, "done": self.locator is None}
        if self.locator is not None:
            body["nextRecordsUrl"] = f"/services/data/{version}/query/{self.locator}"
        return body | {"records": self.records}


class Queries:
    """The queries of an organisation; those longer than a page are kept for a while."""

    def __init__(self, crm: Crm) -> None:
        self._crm = crm
        self._numbers = count(1)
        self._kept: dict[str, list[Record]] = {}

    def ask(self, soql: str, page: int) -> Found:
        """The first `page` records. Raises SalesforceRefusalError."""
        records = run(parse(soql), self._crm)
        name = f"01gstandin{next(self._numbers):08d}"
        if len(records) > page:
            self._kept[name] = records
            for old in list(self._kept)[:-_KEPT_LOCATORS]:
                del self._kept[old]
        return _page(name, records, 0, page)

    def more(self, locator: str, page: int) -> Found:
        """The next records. Raises SalesforceRefusalError for a locator that is not kept any more."""
        name, _, start = locator.rpartition("-")
        if name not in self._kept or not start.isdecimal():
            raise SalesforceRefusalError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return _page(name, self._kept[name], int(start), page)


def run(query: Query, crm: Crm) -> list[Record]:
    """The matching records as the answer shows them, in the order asked for."""
    found = [r for r in crm.all(query.kind) if all(_holds(c, r, crm) for c in query.conditions)]
    for field, descending in reversed(query.order):
        keyed = [(_sort_key(field, crm.value(record, field)), record) for record in found]
        keyed.sort(key=operator.itemgetter(0), reverse=descending)
        found = [record for _, record in keyed]
    limit = len(found) if query.limit is None else query.limit
    return [_row(record, query, crm) for record in found[:limit]]


def _page(name: str, records: list[Record], start: int, size: int) -> Found:
    end = start + size
    locator = f"{name}-{end}" if end < len(records) else None
    return Found(records[start:end], len(records), locator)


def _row(record: Record, query: Query, crm: Crm) -> Record:
    row: Record = {"attributes": {"type": query.kind}}
    for path in query.fields:
        relation, dot, field = path.rpartition(".")
        value = crm.value(record, path)
        if not dot:
            row[path] = value
        elif value is None:
            row[relation] = None
        else:
            row.setdefault(relation, {"attributes": {"type": relation}})[field] = value
    return row


def _holds(condition: Condition, record: Record, crm: Crm) -> bool:
    value = _comparable(condition.field, crm.value(record, condition.field))
    wanted = [v.casefold() if isinstance(v, str) else v for v in condition.values]
    if condition.sign in {"=", "IN"}:
        return value in wanted
    if condition.sign in {"!=", "NOT IN"}:
        return value not in wanted
    if value is None or wanted[0] is None:
        return False
    try:
        return _COMPARE[condition.sign](value, wanted[0])
    except TypeError:
        raise malformed(f"value of filter criterion for field '{condition.field}'") from None


def _comparable(field: str, value: Any) -> Any:
    """Times as times; texts without case, as Salesforce compares them."""
    if not isinstance(value, str):
        return value
    return read_time(value) if field in TIMES else value.casefold()


def _sort_key(field: str, value: Any) -> tuple[bool, Any]:
    """Empty values come first."""
    return (False, 0) if value is None else (True, _comparable(field, value))
