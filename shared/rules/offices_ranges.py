"""A range of postal codes that an office has, from a day until a day; §7 of docs/rules.md."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_serializer, model_validator

from shared.rules.base import RuleError, Section
from shared.rules.offices_codes import Key

UNASSIGNED = "unassigned"
"""The office of leads without a postal code, or with one that no range has: the administrators'."""

OFFICE_PATTERN = r"^\w(?:[\w .&'/-]{0,38}\w)?$"
COUNTRY_PATTERN = r"^[A-Z]{2}$"


def _digits_as_text(written: Any) -> Any:
    """A code that YAML took for a number: 6000 is "6000"."""
    is_number = isinstance(written, int) and not isinstance(written, bool)
    return str(written) if is_number else written


OfficeName = Annotated[str, Field(pattern=OFFICE_PATTERN)]
Country = Annotated[str, Field(pattern=COUNTRY_PATTERN)]
Code = Annotated[str, Field(min_length=1, max_length=20), BeforeValidator(_digits_as_text)]


class OfficeRange(Section):
    """The codes from `first` to `last` (none of both: every other code) of an office, day by day.

    Both days count; without one the range holds since ever, or for good.
    """

    office: OfficeName
    country: Country | None = None
    first: Code | None = Field(None, alias="from")
    last: Code | None = Field(None, alias="to")
    valid_from: date | None = None
    valid_until: date | None = None

    @model_serializer
    def _as_written(self) -> dict[str, Any]:
        return {
            "office": self.office,
            "country": self.country,
            "from": self.first,
            "to": self.last,
            "valid_from": self.valid_from,
            "valid_until": self.valid_until,
        }

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.office.casefold() == UNASSIGNED:
            raise RuleError(f"{UNASSIGNED} is what leads of no office are called", "office")
        if self.first is None and self.last is not None:
            raise RuleError(
                f"is empty, but the range ends with {self.last}; a range that ends somewhere must "
                "begin somewhere",
                "from",
                against="to",
            )
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise RuleError(
                f"the range ends on {self.valid_until}, before it begins on {self.valid_from}",
                "valid_until",
            )
        return self

    @property
    def codes(self) -> str:
        """The codes in words: 6000–6999, 6003, every other code."""
        if self.first is None:
            return "every other code"
        return self.first if self.last in (None, self.first) else f"{self.first}–{self.last}"

    @property
    def days(self) -> str:
        """The days on which it holds, in words."""
        parts = [f"from {self.valid_from}"] if self.valid_from else []
        return " ".join(parts + ([f"until {self.valid_until}"] if self.valid_until else []))

    @property
    def begins(self) -> date:
        """The first day on which it holds."""
        return self.valid_from or date.min

    @property
    def ends(self) -> date:
        """The last day on which it holds."""
        return self.valid_until or date.max

    def holds_on(self, day: date) -> bool:
        """Whether the range is in force on a day."""
        return self.begins <= day <= self.ends

    def __str__(self) -> str:
        parts = (self.office, self.codes, self.country and f"({self.country})", self.days)
        return " ".join(part for part in parts if part)


@dataclass(frozen=True)
class Span:
    """A range as it is compared: `first` and `last` enclose the keys of its codes, None for all others.

    `country` None: of whatever country the code is.
    """

    index: int
    of: OfficeRange
    country: str | None
    first: Key | None
    last: Key | None
