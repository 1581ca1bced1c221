"""Leads, statuses and commands as lifecycle meets them, changed by keyword."""

import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.lifecycle.domain.status import Known, Lead, Status
from shared.events import Actor, LeadAction, LeadCommand

NOW = datetime(2025, 10, 9, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=3)
MUCH_LATER = NOW + timedelta(days=30)
EARLIER = NOW - timedelta(minutes=1)


def known(**changes: Any) -> Known:
    """What the public topic says of a lead of account-1."""
    facts: dict[str, Any] = {
        "version": 1,
        "account_id": "account-1",
        "office_id": None,
        "account": "Apple Inc",
        "title": "Renewal: PRIMERA",
        "lead_type": "renewal",
        "priority": "CRITICAL",
        "score": 82.5,
        "territory": "56088",
        "serial_number": "2M26314KR1",
        "value_max": Decimal(60_000),
        "currency": "USD",
    }
    return Known(**facts | changes)


def held(status: Status | None = None, **changes: Any) -> Lead:
    """A lead that lifecycle told of once."""
    return Lead("t", "lead-1", known(**changes), status or Status(), version=1)


def command(action: LeadAction, **changes: Any) -> LeadCommand:
    """Anna's wish about lead-1, under an id of its own."""
    values: dict[str, Any] = {
        "version": 1,
        "actor": Actor(kind="person", id="anna"),
        "command_id": uuid.uuid4().hex,
        "lead_id": "lead-1",
        "action": action,
    }
    return LeadCommand(**values | changes)
