"""What every part of the rules file is made of: frozen sections, bounded numbers, steps, ranges."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

LEAD_TYPES = ("renewal", "hardware_refresh", "service_attach")
SEGMENTS = ("STRATEGIC_ENTERPRISE", "GROWTH", "TRANSACTIONAL")
RECORD_KINDS = ("install_base", "opportunity", "project", "catalogue")

MAX_PATTERN_LENGTH = 200
CURRENCY_PATTERN = r"^[A-Z]{3}$"


class RuleError(ValueError):
    """A rule that cannot hold. `path` leads from the section that found it to the place.

    Where two keys contradict each other, `against` is the other one beside the last of the path.
    """

    def __init__(self, message: str, *path: str | int, against: str | None = None) -> None:
        super().__init__(message)
        self.path = path
        self.against = against


class UnknownNameError(RuleError):
    """A name that stands for nothing; `known` are those that would."""

    def __init__(self, name: str, known: Sequence[str], *path: str | int) -> None:
        super().__init__(f"unknown name {name!r}", *path)
        self.name = name
        self.known = tuple(known)


def one_of(*names: str) -> Callable[[str], str]:
    """A check that a text is one of `names`. Raises UnknownNameError."""

    def check(text: str) -> str:
        if text not in names:
            raise UnknownNameError(text, names)
        return text

    return check


def _pattern(text: str) -> str:
    """A regular expression that compiles and does not match everything."""
    if len(text) > MAX_PATTERN_LENGTH:
        raise RuleError(f"a pattern has at most {MAX_PATTERN_LENGTH} characters")
    try:
        compiled = re.compile(text, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as error:
        raise RuleError(f"not a regular expression: {error}") from error
    if compiled.search(""):
        raise RuleError("this pattern is found in every text")
    return text


Share = Annotated[float, Field(ge=0, le=1)]
Points = Annotated[float, Field(ge=0, le=100)]
SignedPoints = Annotated[float, Field(ge=-100, le=100)]
Days = Annotated[int, Field(ge=0, le=36_500)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Positive = Annotated[int, Field(ge=1, le=1_000_000)]
Money = Annotated[Decimal, Field(ge=0, le=Decimal("1e15"))]
Currency = Annotated[str, Field(pattern=CURRENCY_PATTERN)]
Similarity = Annotated[float, Field(ge=0, le=100)]
Text = Annotated[str, Field(min_length=1, max_length=500)]
Pattern = Annotated[Text, AfterValidator(_pattern)]
LeadTypeName = Annotated[str, AfterValidator(one_of(*LEAD_TYPES))]
SegmentName = Annotated[str, AfterValidator(one_of(*SEGMENTS))]
RecordKindName = Annotated[str, AfterValidator(one_of(*RECORD_KINDS))]


class Section(BaseModel):
    """A part of the rules file: frozen, and a key it does not know is refused."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, hide_input_in_errors=True
    )


class Step(Section):
    """From `at` on, `points` are given; the list says whether `at` itself counts."""

    at: float
    points: Points


class Banded(Section):
    """Steps with the highest first, and the points below the lowest."""

    steps: tuple[Step, ...]
    below: Points

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for index, (higher, lower) in enumerate(pairwise(self.steps), start=1):
            if lower.at >= higher.at:
                raise RuleError(
                    f"bands out of order: {lower.at:g} comes after {higher.at:g}; "
                    "the highest step comes first",
                    "steps",
                    index,
                )
            if lower.points > higher.points:
                raise RuleError(
                    f"bands out of order: {lower.points:g} points from {lower.at:g} on, but only "
                    f"{higher.points:g} from {higher.at:g} on",
                    "steps",
                    index,
                )
        if self.steps and self.below > self.steps[-1].points:
            raise RuleError(
                f"bands out of order: below gives {self.below:g} points, more than the lowest "
                f"step with {self.steps[-1].points:g}",
                "below",
            )
        return self


class MoneyRange(Section):
    """A value range in the tenant's currency."""

    min: Money
    max: Money

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.min > self.max:
            raise RuleError(f"min {self.min} is above max {self.max}", "min", against="max")
        return self
