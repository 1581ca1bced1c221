"""Reads the part of SOQL that the stand-in answers: SELECT … FROM … WHERE … AND … ORDER BY … LIMIT."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from onelead.standins.salesforce_schema import OBJECTS, SalesforceRefusalError

T = TypeVar("T")

SIGNS = frozenset({"=", "!=", ">", ">=", "<", "<="})
TIMES = frozenset({"CreatedDate", "LastModifiedDate", "SystemModstamp", "CloseDate"})
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>'(?:[^'\\]|\\.)*') | (?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d))?)
    | (?P<number>-?\d+(?:\.\d+)?) | (?P<word>[A-Za-z][\w.]*) | (?P<sign><=|>=|!=|<>|=|<|>|,|\(|\)))
    """,
    re.VERBOSE | re.DOTALL,
)
_UNESCAPED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False}
_RELATIONS = {"Account": "Account", "Owner": "User", "CreatedBy": "User", "LastModifiedBy": "User"}
_SYSTEM = (
    *("Id", "CreatedDate", "CreatedById", "OwnerId", "LastModifiedDate", "LastModifiedById"),
    *("SystemModstamp", "IsWon", "IsClosed"),
)


@dataclass(frozen=True)
class Condition:
    """`field` compared by a sign, IN or NOT IN with `values`."""

    field: str
    sign: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Query:
    """A query, its names spelt as the schema spells them; `order` says with each field if descending."""

    fields: tuple[str, ...]
    kind: str
    conditions: tuple[Condition, ...] = ()
    order: tuple[tuple[str, bool], ...] = ()
    limit: int | None = None


def parse(soql: str) -> Query:
    """The query. Raises SalesforceRefusalError for what is none, or is beyond this stand-in."""
    return _Parser(soql).query()


def soql_text(literal: str) -> str:
    """The text of a SOQL string literal, its escapes resolved."""
    return re.sub(r"\\(.)", lambda m: _UNESCAPED.get(m.group(1), m.group(1)), literal, flags=re.S)


def read_time(text: str) -> datetime | None:
    """A day or a time; a day begins at midnight UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def malformed(what: str) -> SalesforceRefusalError:
    """The error for a query that cannot be read."""
    return SalesforceRefusalError(400, "MALFORMED_QUERY", f"unexpected token: {what}")


class _Parser:
    """Reads a query token by token."""

    def __init__(self, soql: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        self._at = end = 0
        soql = soql.rstrip()
        while end < len(soql):
            match = _TOKEN.match(soql, end)
            if match is None:
                raise malformed(soql[end : end + 20])
            kind = str(match.lastgroup)
            self._tokens.append((kind, match[kind]))
            end = match.end()

    def query(self) -> Query:
        self._expect("SELECT")
        fields = self._listed(self._word)
        self._expect("FROM")
        kind = _object(self._word())
        conditions: list[Condition] = []
        while self._took("AND" if conditions else "WHERE"):
            conditions.append(self._condition(kind))
        order = self._listed(lambda: self._order(kind)) if self._took("ORDER", "BY") else []
        limit = int(self._next("number")) if self._took("LIMIT") else None
        if self._at < len(self._tokens):
            raise malformed(self._tokens[self._at][1])
        spelt = tuple(_field(kind, field) for field in fields)
        return Query(spelt, kind, tuple(conditions), tuple(order), limit)

    def _condition(self, kind: str) -> Condition:
        field = _field(kind, self._word())
        for sign in ("NOT IN", "IN"):
            if self._took(*sign.split()):
                self._expect("(")
                values = tuple(self._listed(self._value))
                self._expect(")")
                return Condition(field, sign, values)
        sign = self._next("sign").replace("<>", "!=")
        if sign not in SIGNS:
            raise malformed(sign)
        return Condition(field, sign, (self._value(),))

    def _value(self) -> Any:
        kind, token = self._token()
        if kind == "text":
            return soql_text(token[1:-1])
        if kind == "number":
            return float(token)
        if kind == "time" and (time := read_time(token)) is not None:
            return time
        if kind == "word" and token.lower() in _CONSTANTS:
            return _CONSTANTS[token.lower()]
        raise malformed(token)

    def _order(self, kind: str) -> tuple[str, bool]:
        field = _field(kind, self._word())
        descending = self._took("DESC")
        if not descending:
            self._took("ASC")
        return field, descending

    def _listed(self, read: Callable[[], T]) -> list[T]:
        found = [read()]
        while self._took(","):
            found.append(read())
        return found

    def _token(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise malformed("'<EOF>'")
        self._at += 1
        return self._tokens[self._at - 1]

    def _next(self, kind: str) -> str:
        found, token = self._token()
        if found != kind:
            raise malformed(token)
        return token

    def _word(self) -> str:
        return self._next("word")

    def _took(self, *words: str) -> bool:
        coming = [token.upper() for _, token in self._tokens[self._at : self._at + len(words)]]
        if coming != list(words):
            return False
        self._at += len(words)
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise malformed(self._token()[1])


def _object(word: str) -> str:
    for kind in OBJECTS:
        if kind.lower() == word.lower():
            return kind
    raise SalesforceRefusalError(400, "INVALID_TYPE", f"sObject type '{word}' is not supported.")


def _field(kind: str, name: str) -> str:
    """A field's name as the schema spells it. Raises SalesforceRefusalError for none."""
    relation, _, field = name.rpartition(".")
    for known, other in _RELATIONS.items():
        if known.lower() == relation.lower():
            return f"{known}.{_field(other, field)}"
    for known in (*OBJECTS[kind], *_SYSTEM):
        if known.lower() == name.lower():
            return known
    message = f"No such column '{name[:80]}' on entity '{kind}'."
    raise SalesforceRefusalError(400, "INVALID_FIELD", message)
