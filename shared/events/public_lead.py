"""THE PUBLIC EVENT: the whole lead, on the compacted topic `onelead.leads.v1.<tenant>`."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from shared.events.base import Event, State, Value
from shared.events.lead import LeadType, Risk, ValueProvenance
from shared.events.score import LedgerLine, Outlook, Priority, Weights


class ServiceOffer(Value):
    """A service to offer, best first. `max_discount` keeps the margin at or above the floor.

    `margin_note` says why there is no discount when the margin is not known.
    """

    rank: int
    service_type: str
    skus: tuple[str, ...]
    list_price: Decimal | None
    currency: str
    margin: float | None
    max_discount: float
    margin_note: str | None
    reason: str


class Bundle(Value):
    """A named set of SKUs offered together."""

    name: str
    skus: tuple[str, ...]
    reason: str


class LeadChanged(Event):
    """An open lead, whole; or, with state `withdrawn` and the reason, one that no longer holds.

    Money is decimal text in `currency`. Ages are not published: `end_of_life` and `service_end`
    are dates, `as_of` the day of the score.
    """

    event_type: ClassVar[str] = "com.onelead.lead.changed.v1"

    lead_id: str
    lead_type: LeadType
    title: str
    action: str
    account_id: str
    account: str
    territory: str | None
    segment: str
    box_id: str
    serial_number: str | None
    product_id: str | None
    product_name: str
    product_family: str
    support_status: str | None
    end_of_life: date | None
    service_end: date | None
    risk: Risk
    estimated_value_min: Decimal
    estimated_value_max: Decimal
    value_provenance: ValueProvenance
    currency: str
    urgency: float
    value: float
    propensity: float
    strategic_fit: float
    score: float
    priority: Priority
    confidence: float
    missing: tuple[str, ...]
    ledger: tuple[LedgerLine, ...]
    weights: Weights
    rules_version: str
    as_of: date
    services: tuple[ServiceOffer, ...]
    no_service_reason: str | None
    bundle: Bundle | None
    episode: int
    episode_open: bool
    critical_since: date | None
    state: State = "open"
    reason: str | None = None
    batch_id: str | None = None
    outlook: Outlook | None = None
