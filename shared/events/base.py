"""The base of every event: a frozen, tolerant pydantic model that knows its own CloudEvents type."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict

JsonScalar = str | int | float | bool | None


class Value(BaseModel):
    """A frozen value inside an event; unknown fields are ignored, so that old readers read new events."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    @classmethod
    def trusted(cls, **values: Any) -> Self:
        """The value made of *all* its fields, in their order and of the right types, unchecked.

        For what we compute ourselves by the million: it takes a quarter of the time.
        """
        made = cls.__new__(cls)
        object.__setattr__(made, "__dict__", values)
        object.__setattr__(made, "__pydantic_fields_set__", set(values))
        object.__setattr__(made, "__pydantic_extra__", None)
        object.__setattr__(made, "__pydantic_private__", None)
        return made


class Actor(Value):
    """Who caused a fact: a person, a service, an upstream system."""

    kind: str = "system"
    id: str = "onelead"


class Event(Value):
    """A command or fact. `version` numbers the producer's output per aggregate and only rises."""

    event_type: ClassVar[str]

    version: int = 0
    causes: tuple[str, ...] = ()
    actor: Actor = Actor()
    office_id: str | None = None


class Envelope(Value):
    """The CloudEvents 1.0 attributes of a message in Kafka binary mode.

    `version` repeats the event's version where there is no body to carry it (a tombstone).
    """

    id: str
    type: str
    source: str
    subject: str
    time: datetime
    tenant_id: str
    version: int
    traceparent: str | None = None
    batch_id: str | None = None


class OpenEnum(StrEnum):
    """An enum that may grow: a value this reader does not know yet becomes its `UNKNOWN`."""

    @classmethod
    def _missing_(cls, _value: object) -> Self | None:
        return cls.__members__.get("UNKNOWN")


State = Literal["open", "withdrawn"]
