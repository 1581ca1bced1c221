"""§3 and §6 of docs/rules.md: how risky a box is, which leads it fires, what they are worth."""

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from shared.rules.base import Days, MoneyRange, RuleError, Section, Text

Factor = Annotated[Decimal, Field(gt=0, le=1000)]


class RiskRules(Section):
    """Days past the dates from which a risk holds; "past" means more than so many."""

    critical_days_past_expiry: Days
    critical_days_past_eol: Days
    high_days_past_expiry: Days
    high_days_past_eol: Days
    medium_days_past_eol: Days
    medium_days_before_expiry: Days

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        for upper, lower in (
            ("critical_days_past_expiry", "high_days_past_expiry"),
            ("critical_days_past_eol", "high_days_past_eol"),
            ("high_days_past_eol", "medium_days_past_eol"),
        ):
            if getattr(self, upper) <= getattr(self, lower):
                raise RuleError(
                    f"bands out of order: {upper} {getattr(self, upper)} must be above "
                    f"{lower} {getattr(self, lower)}",
                    upper,
                    against=lower,
                )
        return self


class RenewalRules(Section):
    """Renewal; `ahead_days` 0 waits for the end of support."""

    status_contains: Text
    ahead_days: Days
    max_days_since_eol: Days | None


class RefreshRules(Section):
    """Hardware refresh; `family_values` count when `value_by_family` is on."""

    min_days_since_eol: Days
    value: MoneyRange
    value_by_family: bool
    family_values: dict[Text, MoneyRange]


class AttachRules(Section):
    """Service attach."""

    status_contains: Text


class LeadRules(Section):
    """Which leads fire."""

    risk: RiskRules
    renewal: RenewalRules
    hardware_refresh: RefreshRules
    service_attach: AttachRules
    competitor_support_plays: bool
    one_support_play_per_box: bool


class Values(Section):
    """The value of renewal and attach leads, from prices or from ranges."""

    support_min_factor: Factor
    support_max_factor: Factor
    family_benchmarks: dict[Text, MoneyRange]
    default: MoneyRange

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.support_min_factor > self.support_max_factor:
            raise RuleError(
                f"support_min_factor {self.support_min_factor} is above "
                f"support_max_factor {self.support_max_factor}",
                "support_min_factor",
                against="support_max_factor",
            )
        return self
