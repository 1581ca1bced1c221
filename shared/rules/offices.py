"""§7 of docs/rules.md: which office the leads of a postal code belong to, and from when until when."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.rules.base import RuleError, Section, Text
from shared.rules.offices_bounds import ends_of
from shared.rules.offices_codes import END
from shared.rules.offices_overlap import first_overlap
from shared.rules.offices_ranges import UNASSIGNED, Country, OfficeRange, Span

__all__ = ["MAX_RANGES", "UNASSIGNED", "OfficeRange", "Offices", "Span", "home_country", "spans"]

MAX_RANGES = 5_000


class Offices(Section):
    """All ranges; no code ever has two offices. Without ranges there are no offices.

    `country` is that of rows and ranges that name none; `country_names` are the words for countries.
    """

    country: Country | None
    country_names: dict[Country, tuple[Text, ...]]
    ranges: Annotated[tuple[OfficeRange, ...], Field(max_length=MAX_RANGES)]

    @model_validator(mode="after")
    def _apart(self) -> Self:
        _require_one_spelling(self.ranges)
        if (found := first_overlap(tuple(spans(self)))) is not None:
            one, other = found
            fault = f"{other.of} overlaps {one.of}, range {one.index + 1}"
            raise RuleError(fault, "ranges", other.index)
        return self


def home_country(offices: Offices) -> str | None:
    """The country of rows that name none: the one that is given, else the only one of the ranges."""
    if offices.country is not None:
        return offices.country
    named = {each.country for each in offices.ranges if each.first is not None}
    return named.pop() if len(named) == 1 else None


def spans(offices: Offices) -> Iterator[Span]:
    """Every range as it is compared. Raises RuleError for bounds between which no codes can lie."""
    home = home_country(offices)
    for index, each in enumerate(offices.ranges):
        if each.first is None:
            yield Span(index, each, each.country, None, None)
            continue
        country = each.country or home
        first, last = ends_of(each, country, index)
        yield Span(index, each, country, first, last + END)


def _require_one_spelling(ranges: Sequence[OfficeRange]) -> None:
    spelled: dict[str, str] = {}
    for index, each in enumerate(ranges):
        first = spelled.setdefault(each.office.casefold(), each.office)
        if first != each.office:
            raise RuleError(
                f"{each.office} is written {first} above; an office has one spelling",
                "ranges",
                index,
                "office",
            )
