"""Compares an event's released schema with its present one; tells every change that breaks a reader.

An old reader must read new events and a new reader old ones. Whatever cannot keep that is a new
event type, `.v2`, beside the old one.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from shared.contracts.schemas import OPEN_ENUM, JsonObject

_SHAPE = ("type", "format", "pattern", "const")


def breaking_changes(
    released: JsonObject, present: JsonObject, *, written_outside: bool = False
) -> list[str]:
    """Every place where `present` breaks what `released` promised, with the reason; empty if none.

    `written_outside`: we only read these events, so that a closed enum may get more values.
    """
    return list(_Comparison(released, present, written_outside).of(released, present, ""))


class _Comparison:
    """Walks two schemas side by side, following references within each."""

    def __init__(self, released: JsonObject, present: JsonObject, written_outside: bool) -> None:
        self._released = released
        self._present = present
        self._written_outside = written_outside
        self._compared: set[tuple[str, str]] = set()

    def of(self, released: Any, present: Any, place: str) -> Iterator[str]:
        """The breaking changes below a place (a dotted path of field names)."""
        pair = (str(released.get("$ref", "")), str(present.get("$ref", "")))
        if all(pair):
            if pair in self._compared:
                return
            self._compared.add(pair)
        released = _resolved(self._released, released)
        present = _resolved(self._present, present)
        yield from self._shape(released, present, place)
        yield from self._enum(released, present, place)
        yield from self._fields(released, present, place)
        yield from self._parts(released, present, place)

    def _shape(self, released: JsonObject, present: JsonObject, place: str) -> Iterator[str]:
        for keyword in _SHAPE:
            before, now = released.get(keyword), present.get(keyword)
            if before != now:
                yield f"{_named(place)}: {keyword} was {before}, is {now}"

    def _enum(self, released: JsonObject, present: JsonObject, place: str) -> Iterator[str]:
        if (OPEN_ENUM in released) != (OPEN_ENUM in present):
            yield f"{_named(place)}: an enum that may grow and one that may not are different types"
            return
        before, now = _values(released), _values(present)
        for value in before:
            if value not in now:
                yield f"{_named(place)}: the value {value!r} was removed"
        closed = "enum" in released and not self._written_outside
        for value in now:
            if closed and value not in before:
                yield f"{_named(place)}: the value {value!r} was added to an enum without `unknown`"

    def _fields(self, released: JsonObject, present: JsonObject, place: str) -> Iterator[str]:
        before, now = released.get("properties", {}), present.get("properties", {})
        required_before, required_now = (set(s.get("required", ())) for s in (released, present))
        for name, schema in before.items():
            inner = f"{place}.{name}" if place else name
            if name not in now:
                yield f"{inner}: the field was removed"
                continue
            if name in required_before - required_now:
                yield f"{inner}: the field was always there and may now be missing"
            yield from self.of(schema, now[name], inner)
        for name in sorted(required_now - required_before):
            inner = f"{place}.{name}" if place else name
            yield f"{inner}: the field is now required, and events without it exist"

    def _parts(self, released: JsonObject, present: JsonObject, place: str) -> Iterator[str]:
        for keyword, suffix in (("items", "[]"), ("additionalProperties", "{}")):
            before, now = released.get(keyword), present.get(keyword)
            if isinstance(before, dict) and isinstance(now, dict):
                yield from self.of(before, now, place + suffix)
            elif before != now:
                yield f"{_named(place + suffix)}: {keyword} was {before}, is {now}"
        yield from self._alternatives(released.get("anyOf", ()), present.get("anyOf", ()), place)

    def _alternatives(
        self, released: Sequence[JsonObject], present: Sequence[JsonObject], place: str
    ) -> Iterator[str]:
        """`anyOf`: the alternatives are the same ones; compatible changes inside them are allowed."""
        if len(released) != len(present):
            yield f"{_named(place)}: had {len(released)} alternatives, has {len(present)}"
            return
        for before, now in zip(released, present, strict=True):
            yield from self.of(before, now, place)


def _resolved(root: JsonObject, schema: JsonObject) -> JsonObject:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: JsonObject = root["$defs"][reference.removeprefix("#/$defs/")]
    return found


def _values(schema: JsonObject) -> list[Any]:
    return list(schema.get("enum") or schema.get(OPEN_ENUM) or ())


def _named(place: str) -> str:
    return place or "the event"
