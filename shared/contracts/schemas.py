"""Reads the event classes; writes each one's JSON Schema, as its bytes look on the wire."""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema

from shared.events import EVENTS, Event
from shared.events.base import OpenEnum

JsonObject = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OPEN_ENUM = "x-extensible-enum"
"""Instead of `enum` where values may be added: a validator of today accepts a value of tomorrow."""


class _WireSchema(GenerateJsonSchema):
    """Money is text, a field with a default may be missing, enums that may grow stay open."""

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonObject:
        """`enum` for a closed enum, `x-extensible-enum` for an OpenEnum."""
        found = super().enum_schema(schema)
        if issubclass(schema["cls"], OpenEnum):
            found[OPEN_ENUM] = found.pop("enum")
        return found


def event_schema(event: type[Event]) -> JsonObject:
    """The JSON Schema (2020-12) of an event's body. Unknown fields are allowed everywhere."""
    found = event.model_json_schema(schema_generator=_WireSchema, mode="serialization")
    return {"$schema": DIALECT, "title": event.event_type, **_without_titles(found)}


def event_schemas() -> dict[str, JsonObject]:
    """ce_type → JSON Schema, for every event."""
    return {event.event_type: event_schema(event) for event in EVENTS}


def _without_titles(schema: Any) -> Any:
    """Drops pydantic's titles, which only repeat the names; a property may well be named `title`."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for keyword, value in schema.items():
        if keyword in {"properties", "$defs"}:
            found[keyword] = {name: _without_titles(inner) for name, inner in value.items()}
        elif keyword != "title" or not isinstance(value, str):
            found[keyword] = _without_titles(value)
    return found
