"""The events of the house: frozen pydantic models, the only thing that services share about data."""

from shared.events.account import AccountProfile, AccountProfiled, Segment, TerritoryAverage
from shared.events.account_commands import (
    AccountAction,
    AccountCommand,
    AccountDecided,
    AccountOutcome,
    AccountRefusal,
)
from shared.events.base import Actor, Envelope, Event, JsonScalar, Value
from shared.events.catalogue import CatalogueEntry, CatalogueFamilyChanged
from shared.events.imports import Finding, FindingGroup, ImportPhase, ImportProgressed, RowCounts
from shared.events.lead import (
    AccountDerived,
    DayDerived,
    LeadDetected,
    LeadFacts,
    LeadType,
    Risk,
    ValueProvenance,
)
from shared.events.lead_status import (
    LeadAction,
    LeadChange,
    LeadCommand,
    LeadCommandRefused,
    LeadRefusal,
    LeadState,
    LeadStatusChanged,
)
from shared.events.notification import DeliveryOutcome, NotificationSettled
from shared.events.public_lead import Bundle, LeadChanged, ServiceOffer
from shared.events.records import (
    BatchCompleted,
    BatchMode,
    BatchOpened,
    BatchPart,
    RecordKind,
    RecordObserved,
    RecordRemoved,
)
from shared.events.rules_applied import RulesApplied
from shared.events.score import (
    Crossing,
    LeadScored,
    LeastChange,
    LedgerLine,
    MissingDate,
    Outlook,
    Priority,
    Score,
    Weights,
)

EVENTS: tuple[type[Event], ...] = (
    BatchOpened,
    RecordObserved,
    RecordRemoved,
    BatchCompleted,
    AccountProfiled,
    CatalogueFamilyChanged,
    LeadDetected,
    AccountDerived,
    DayDerived,
    LeadScored,
    LeadChanged,
    NotificationSettled,
    RulesApplied,
    ImportProgressed,
    AccountCommand,
    AccountDecided,
    LeadCommand,
    LeadStatusChanged,
    LeadCommandRefused,
)
"""Every event class; the schemas and the topic map are generated from and checked against it."""

EVENT_BY_TYPE: dict[str, type[Event]] = {event.event_type: event for event in EVENTS}

__all__ = [
    "EVENTS",
    "EVENT_BY_TYPE",
    "AccountAction",
    "AccountCommand",
    "AccountDecided",
    "AccountDerived",
    "AccountOutcome",
    "AccountProfile",
    "AccountProfiled",
    "AccountRefusal",
    "Actor",
    "BatchCompleted",
    "BatchMode",
    "BatchOpened",
    "BatchPart",
    "Bundle",
    "CatalogueEntry",
    "CatalogueFamilyChanged",
    "Crossing",
    "DayDerived",
    "DeliveryOutcome",
    "Envelope",
    "Event",
    "Finding",
    "FindingGroup",
    "ImportPhase",
    "ImportProgressed",
    "JsonScalar",
    "LeadAction",
    "LeadChange",
    "LeadChanged",
    "LeadCommand",
    "LeadCommandRefused",
    "LeadDetected",
    "LeadFacts",
    "LeadRefusal",
    "LeadScored",
    "LeadState",
    "LeadStatusChanged",
    "LeadType",
    "LeastChange",
    "LedgerLine",
    "MissingDate",
    "NotificationSettled",
    "Outlook",
    "Priority",
    "RecordKind",
    "RecordObserved",
    "RecordRemoved",
    "Risk",
    "RowCounts",
    "RulesApplied",
    "Score",
    "Segment",
    "ServiceOffer",
    "TerritoryAverage",
    "Value",
    "ValueProvenance",
    "Weights",
]
