"""An event that was written can be read: by ourselves, by yesterday's reader, by tomorrow's."""

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter, create_model

from shared.contracts.schemas import OPEN_ENUM, event_schema
from shared.events import EVENTS, Event, LeadChanged, LeadType, Priority, RecordKind
from shared.events.base import OpenEnum, Value
from tests.support.event_strategies import events

UNHEARD_OF = "a value of tomorrow"
every_event = pytest.mark.parametrize("kind", EVENTS, ids=lambda kind: kind.__name__)
published = cache(event_schema)
few = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@every_event
@few
@given(data=st.data())
def test_an_event_comes_back_from_json_as_it_was(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    assert kind.model_validate_json(event.model_dump_json()) == event


@every_event
@few
@given(data=st.data())
def test_what_is_written_keeps_its_published_schema(kind: type[Event], data: st.DataObject) -> None:
    event = data.draw(events(kind))
    Draft202012Validator(published(kind)).validate(json.loads(event.model_dump_json()))


@every_event
@few
@given(data=st.data())
def test_a_field_of_tomorrow_is_ignored_wherever_it_stands(
    kind: type[Event], data: st.DataObject
) -> None:
    event = data.draw(events(kind))
    body = json.loads(event.model_dump_json())
    for place in list(_objects(event, body)):
        place["a_field_of_tomorrow"] = {"of": ["any", "shape"]}
    assert kind.model_validate(body) == event


@every_event
@few
@given(data=st.data())
def test_an_enum_value_of_tomorrow_is_read_as_unknown(
    kind: type[Event], data: st.DataObject
) -> None:
    body = json.loads(data.draw(events(kind)).model_dump_json())
    schema = published(kind)
    replaced = _with_values_of_tomorrow(schema, schema, body)
    read = json.loads(kind.model_validate(replaced).model_dump_json())
    assert read == _replaced(replaced, UNHEARD_OF, "unknown")
    Draft202012Validator(schema).validate(replaced)


@every_event
@few
@given(data=st.data())
def test_yesterdays_reader_reads_what_gained_a_field_since(
    kind: type[Event], data: st.DataObject
) -> None:
    event = data.draw(events(kind))
    for name, yesterday in yesterdays(kind).items():
        read = yesterday.model_validate_json(event.model_dump_json())
        assert read.model_dump() == event.model_dump(exclude={name})


def test_yesterdays_enum_reads_todays_value_as_unknown() -> None:
    class PriorityYesterday(OpenEnum):
        CRITICAL = "CRITICAL"
        UNKNOWN = "unknown"

    today = TypeAdapter(Priority).dump_json(Priority.HIGH)
    assert TypeAdapter(PriorityYesterday).validate_json(today) is PriorityYesterday.UNKNOWN


def test_todays_reader_reads_a_lead_type_of_tomorrow_as_unknown() -> None:
    assert LeadType("cloud_migration") is LeadType.UNKNOWN


def test_a_closed_enum_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="not a valid RecordKind"):
        RecordKind("invoice")


def test_money_is_text_and_a_day_is_a_date_on_the_wire() -> None:
    fields = event_schema(LeadChanged)["properties"]
    assert fields["estimated_value_min"] == {"type": "string"}
    assert fields["as_of"] == {"type": "string", "format": "date"}


@cache
def yesterdays(kind: type[Event]) -> dict[str, type[Value]]:
    """An event as it was before it had a field, for each field that may be missing."""
    found = {}
    for name in [n for n, field in kind.model_fields.items() if not field.is_required()]:
        fields: dict[str, Any] = {
            n: (f.annotation, f) for n, f in kind.model_fields.items() if n != name
        }
        found[name] = create_model(f"{kind.__name__}Yesterday", __base__=Value, **fields)
    return found


def _objects(value: Any, body: Any) -> Iterator[dict[str, Any]]:
    """The JSON objects of models, that is, of all objects but free-form ones."""
    if isinstance(value, Value):
        yield body
        for name in type(value).model_fields:
            yield from _objects(getattr(value, name), body[name])
    elif isinstance(value, tuple):
        for inner, inner_body in zip(value, body, strict=True):
            yield from _objects(inner, inner_body)


def _with_values_of_tomorrow(root: dict[str, Any], schema: dict[str, Any], body: Any) -> Any:
    """The body with a value nobody knows wherever the schema says that the enum may grow."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    for alternative in schema.get("anyOf", ()):
        if body is not None and alternative != {"type": "null"}:
            body = _with_values_of_tomorrow(root, alternative, body)
    if OPEN_ENUM in schema:
        return UNHEARD_OF
    if isinstance(body, list) and "items" in schema:
        return [_with_values_of_tomorrow(root, schema["items"], inner) for inner in body]
    if isinstance(body, dict) and "properties" in schema:
        fields = schema["properties"]
        return {n: _with_values_of_tomorrow(root, fields[n], inner) for n, inner in body.items()}
    return body


def _replaced(body: Any, before: str, after: str) -> Any:
    if isinstance(body, list):
        return [_replaced(inner, before, after) for inner in body]
    if isinstance(body, dict):
        return {name: _replaced(inner, before, after) for name, inner in body.items()}
    return after if body == before else body
