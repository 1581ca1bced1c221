"""A change that would break a reader is refused; one that would not is allowed."""

import copy
import json
from collections.abc import Callable
from enum import StrEnum
from typing import Any, ClassVar

import pytest

from shared.contracts.__main__ import EVENTS_FOLDER, RELEASED_FOLDER
from shared.contracts.asyncapi import THE_TENANT
from shared.contracts.compatibility import breaking_changes
from shared.contracts.schemas import JsonObject, event_schema, event_schemas
from shared.events import Event
from shared.events.base import OpenEnum, Value
from shared.topics import TOPICS

RELEASED = sorted((EVENTS_FOLDER / RELEASED_FOLDER).glob("*.json"))
FROM_TENANTS = {e.event_type for t in TOPICS if t.producer == THE_TENANT for e in t.events}


class Colour(OpenEnum):
    RED = "red"
    UNKNOWN = "unknown"


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Wheel(Value):
    spokes: int
    colour: Colour
    spare: "Wheel | None" = None


class BikeSold(Event):
    event_type: ClassVar[str] = "com.example.bike.sold.v1"

    name: str
    size: Size
    wheels: tuple[Wheel, ...]
    note: str | None = None
    labels: dict[str, str] = {}  # noqa: RUF012 - pydantic copies defaults


@pytest.fixture
def released() -> JsonObject:
    return event_schema(BikeSold)


def changed(schema: JsonObject, change: Callable[[JsonObject], Any]) -> JsonObject:
    present = copy.deepcopy(schema)
    change(present)
    return present


@pytest.mark.parametrize("path", RELEASED, ids=lambda path: path.stem)
def test_no_event_breaks_what_was_released(path: Any) -> None:
    present = event_schemas().get(path.stem)
    assert present is not None, f"{path.stem} was released and is no longer there"
    released = json.loads(path.read_text())
    outside = path.stem in FROM_TENANTS
    assert breaking_changes(released, present, written_outside=outside) == []


def test_there_is_something_released_to_compare_with() -> None:
    assert RELEASED


def test_nothing_changed_breaks_nothing(released: JsonObject) -> None:
    assert breaking_changes(released, copy.deepcopy(released)) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: s["properties"].pop("note"), "note: the field was removed"),
        (
            lambda s: s["$defs"]["Wheel"]["properties"].pop("spokes"),
            "wheels[].spokes: the field was removed",
        ),
        (
            lambda s: s["required"].append("note"),
            "note: the field is now required, and events without it exist",
        ),
        (
            lambda s: (s["properties"].update(k={"type": "string"}), s["required"].append("k")),
            "k: the field is now required, and events without it exist",
        ),
        (
            lambda s: s["required"].remove("name"),
            "name: the field was always there and may now be missing",
        ),
        (
            lambda s: s["properties"].update(name={"type": "integer"}),
            "name: type was string, is integer",
        ),
        (
            lambda s: s["properties"]["name"].update(format="date"),
            "name: format was None, is date",
        ),
        (
            lambda s: s["properties"].update(
                name={"anyOf": [{"type": "string"}, {"type": "null"}]}
            ),
            "name: type was string, is None",
        ),
        (
            lambda s: s["properties"].update(note={"type": "string"}),
            "note: had 2 alternatives, has 0",
        ),
        (
            lambda s: s["properties"]["wheels"].update(items={"type": "string"}),
            "wheels[]: type was object, is string",
        ),
        (
            lambda s: s["properties"]["labels"].update(additionalProperties={"type": "integer"}),
            "labels{}: type was string, is integer",
        ),
        (
            lambda s: s["properties"]["labels"].update(additionalProperties=False),
            "labels{}: additionalProperties was {'type': 'string'}, is False",
        ),
        (
            lambda s: s["$defs"]["Colour"]["x-extensible-enum"].remove("red"),
            "wheels[].colour: the value 'red' was removed",
        ),
        (
            lambda s: s["$defs"]["Size"]["enum"].remove("large"),
            "size: the value 'large' was removed",
        ),
        (
            lambda s: s["$defs"]["Size"]["enum"].append("huge"),
            "size: the value 'huge' was added to an enum without `unknown`",
        ),
        (
            lambda s: s["$defs"].update(Colour={"type": "string", "enum": ["red", "unknown"]}),
            "wheels[].colour: an enum that may grow and one that may not are different types",
        ),
    ],
)
def test_what_breaks_a_reader_is_refused_with_its_place(
    released: JsonObject, change: Callable[[JsonObject], Any], told: str
) -> None:
    assert told in breaking_changes(released, changed(released, change))


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(frame={"type": "string"}),
        lambda s: s["$defs"]["Wheel"]["properties"].update(tyre={"$ref": "#/$defs/Colour"}),
        lambda s: s["$defs"]["Colour"]["x-extensible-enum"].append("blue"),
        lambda s: s["properties"]["name"].update(description="what it is called"),
        lambda s: (
            s["$defs"].update(Paint=s["$defs"].pop("Colour")),
            s["$defs"]["Wheel"]["properties"].update(colour={"$ref": "#/$defs/Paint"}),
        ),
    ],
    ids=["optional field", "optional inner field", "open enum grows", "words", "renamed class"],
)
def test_what_every_reader_can_bear_is_allowed(
    released: JsonObject, change: Callable[[JsonObject], Any]
) -> None:
    assert breaking_changes(released, changed(released, change)) == []


def test_what_only_we_read_may_get_more_values_of_a_closed_enum(released: JsonObject) -> None:
    present = changed(released, lambda s: s["$defs"]["Size"]["enum"].append("huge"))
    assert breaking_changes(released, present, written_outside=True) == []


def test_a_schema_that_contains_itself_comes_to_an_end(released: JsonObject) -> None:
    present = changed(released, lambda s: s["$defs"]["Wheel"]["properties"].pop("colour"))
    assert breaking_changes(released, present) == ["wheels[].colour: the field was removed"]
