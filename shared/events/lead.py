"""The lead as ingest detects it: facts with dates, never ages (`onelead.leads.detected.v1`)."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator

from shared.events.base import Event, OpenEnum, State, Value


class LeadType(OpenEnum):
    """The plays a box can fire."""

    RENEWAL = "renewal"
    HARDWARE_REFRESH = "hardware_refresh"
    SERVICE_ATTACH = "service_attach"
    UNKNOWN = "unknown"


class Risk(OpenEnum):
    """How far a box is past its dates (rules.md §3)."""

    CRITICAL = "CRITICAL"
    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
    UNKNOWN = "unknown"


class ValueProvenance(OpenEnum):
    """Where a lead's value range comes from (rules.md §6)."""

    SKU_PRICE = "sku_price"
    FAMILY_BENCHMARK = "family_benchmark"
    HARDWARE_RANGE = "hardware_range"
    DEFAULT = "default"
    UNKNOWN = "unknown"


_GENERATIONS = range(1, 1_001)


def _generation(written: Any) -> Any:
    """A reader goes on without a generation that cannot be one, however it came to be written."""
    return written if written in _GENERATIONS else None


class LeadFacts(Value):
    """A play on one box of one account.

    `product_family_parent` is COMPUTE for PROLIANT, else None. `generation` is the N of "Gen N",
    1 to 1000.
    `catalogue_family` is the family whose services the lead is offered (its own, or its parent's
    if it has none), with the `catalogue_version` its value was computed from; both are None when
    the catalogue has neither. `box_id` is the serial number, or its stand-in when there is none.
    """

    lead_id: str
    lead_type: LeadType
    title: str
    action: str
    account_id: str
    account_name: str
    territory_id: str | None
    box_id: str
    serial_number: str | None
    product_id: str | None
    product_name: str
    product_platform: str | None
    product_family: str
    product_family_parent: str | None
    generation: Annotated[int | None, BeforeValidator(_generation)]
    competitor_brand: str | None
    support_status: str | None
    end_of_life: date | None
    service_end: date | None
    risk: Risk
    estimated_value_min: Decimal
    estimated_value_max: Decimal
    value_provenance: ValueProvenance
    currency: str
    catalogue_family: str | None = None
    catalogue_version: int | None = None

    def days_since_eol(self, as_of: date) -> int | None:
        """as-of − end of life in days, negative before it, None without a date (rules.md §3)."""
        return None if self.end_of_life is None else (as_of - self.end_of_life).days

    def days_since_expiry(self, as_of: date) -> int | None:
        """as-of − end of service in days, negative before it, None without a date (rules.md §3)."""
        return None if self.service_end is None else (as_of - self.service_end).days


class LeadDetected(Event):
    """A lead appeared or its facts changed, as the profile `account_version` and the rules go with them.

    `derived_by`: the digest of the rules from which the facts follow; None if nobody said so.
    """

    event_type: ClassVar[str] = "com.onelead.lead.detected.v1"

    lead: LeadFacts
    account_version: int
    derived_by: str | None = None
    as_of: date
    state: State = "open"
    reason: str | None = None
    batch_id: str | None = None


class DayDerived(Event):
    """Ingest has derived everything of a tenant for a new day; scoring follows."""

    event_type: ClassVar[str] = "com.onelead.day.derived.v1"

    as_of: date


class AccountDerived(Event):
    """What was told of an account's leads before this goes with another profile or other rules, too.

    Facts that stay are not told again; this says by which profile and rules they were found to stay.
    `cause`: what made ingest derive, `rules` or `account`.
    """

    event_type: ClassVar[str] = "com.onelead.account.derived.v1"

    account_id: str
    account_version: int
    derived_by: str
    cause: str = "account"
