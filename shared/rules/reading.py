"""§1 of docs/rules.md: how cells become values, under which headers, what a product is."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from shared.rules.base import (
    Pattern,
    RecordKindName,
    RuleError,
    Section,
    Text,
    UnknownNameError,
)

_COMMON = ("currency", "postal_code", "country", "industry", "company_size", "owner", "domain")

FIELDS: dict[str, tuple[str, ...]] = {
    "install_base": (
        "territory_id",
        "product_id",
        "product_name",
        "platform",
        "serial_number",
        "end_of_life",
        "service_start",
        "service_end",
        "support_status",
        "agreement_id",
        "quantity",
        "account_name",
        *_COMMON,
    ),
    "opportunity": (
        "opportunity_id",
        "opportunity_name",
        "account_name",
        "territory_id",
        "product_line",
        "stage",
        "amount",
        "created",
        "close",
        *_COMMON,
    ),
    "project": (
        "project_id",
        "description",
        "account_name",
        "status",
        "amount",
        "labor_cost",
        "start",
        "updated",
        "territory_id",
        *_COMMON,
    ),
    "catalogue": ("product", "category", "service", "sku", "list_price", "margin", "currency"),
}
"""The canonical fields of each kind of record: all that OneLead knows how to use."""


def header_key(header: str) -> str:
    """A header as it is compared: without case, blanks, underscores and hyphens (rules.md §1)."""
    return re.sub(r"[\s_\-]+", "", header).casefold()


class Reading(Section):
    """How cells become values. `columns` maps kind → field → known header spellings."""

    missing_values: tuple[str, ...]
    won_stages: tuple[Text, ...]
    lost_stages: tuple[Text, ...]
    closed_project_statuses: tuple[Text, ...]
    required_columns: dict[RecordKindName, tuple[Text, ...]]
    columns: dict[RecordKindName, dict[Text, tuple[Text, ...]]]

    @model_validator(mode="after")
    def _fields_known(self) -> Self:
        for kind, known in FIELDS.items():
            if kind not in self.columns:
                raise RuleError(f"the columns of {kind} are missing", "columns")
            for field in self.columns[kind]:
                if field not in known:
                    raise UnknownNameError(field, known, "columns", kind, field)
            for index, field in enumerate(self.required_columns.get(kind, ())):
                if field not in known:
                    raise UnknownNameError(field, known, "required_columns", kind, index)
                if not self.columns[kind].get(field):
                    raise RuleError(
                        f"{field} is required, but has no header in columns.{kind}",
                        "required_columns",
                        kind,
                        index,
                    )
        return self

    @model_validator(mode="after")
    def _headers_unambiguous(self) -> Self:
        for kind, fields in self.columns.items():
            owner: dict[str, str] = {}
            for field, headers in fields.items():
                for index, header in enumerate(headers):
                    other = owner.setdefault(header_key(header), field)
                    if other != field:
                        raise RuleError(
                            f"the header {header!r} already stands for {other}",
                            "columns",
                            kind,
                            field,
                            index,
                        )
        return self

    @model_validator(mode="after")
    def _stages_apart(self) -> Self:
        won = {stage.casefold() for stage in self.won_stages}
        for index, stage in enumerate(self.lost_stages):
            if stage.casefold() in won:
                raise RuleError(f"{stage!r} is a won stage already", "lost_stages", index)
        return self


class FamilyPattern(Section):
    """A product family and the regular expressions that find it in name + platform."""

    family: Text
    patterns: Annotated[tuple[Pattern, ...], Field(min_length=1)]


def _one_group(pattern: str) -> str:
    if re.compile(pattern).groups != 1:
        raise RuleError(r"needs one pair of brackets around the number, as in '\bgen\s?(\d+)'")
    return pattern


class Products(Section):
    """Families in the order they are tried, parents, brands, generations."""

    families: tuple[FamilyPattern, ...]
    other_family: Text
    parents: dict[Text, Text]
    generation_pattern: Annotated[Pattern, AfterValidator(_one_group)]
    latest_generation: Annotated[int, Field(ge=1, le=1000)]
    generation_families: tuple[Text, ...]
    competitor_brands: tuple[Text, ...]

    @model_validator(mode="after")
    def _names(self) -> Self:
        known = self.family_names()
        if len(set(known)) != len(known):
            raise RuleError("a family stands in the list twice", "families")
        for family, parent in self.parents.items():
            if family not in known:
                raise UnknownNameError(family, known, "parents", family)
            if parent in known:
                raise RuleError(f"{parent} is a family of its own, not a parent", "parents", family)
        for index, family in enumerate(self.generation_families):
            if family not in known:
                raise UnknownNameError(family, known, "generation_families", index)
        return self

    def family_names(self) -> tuple[str, ...]:
        """The families in the order they are tried, the one of everything else last."""
        return (*(entry.family for entry in self.families), self.other_family)
