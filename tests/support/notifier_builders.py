"""Public leads as the notifier reads them."""

from datetime import date
from decimal import Decimal
from typing import Any

from services.notifier.domain.message import Alert, alert_of
from shared.events import (
    Bundle,
    LeadChanged,
    LeadType,
    Priority,
    Risk,
    ServiceOffer,
    ValueProvenance,
    Weights,
)

AS_OF = date(2025, 10, 9)
CONSOLE = "https://onelead.example"


def offer(rank: int = 1, **changes: Any) -> ServiceOffer:
    values: dict[str, Any] = {
        "rank": rank,
        "service_type": "OS Upgrade",
        "skus": ("HM002A1",),
        "list_price": Decimal("12000"),
        "currency": "USD",
        "margin": 0.4,
        "max_discount": 0.2,
        "margin_note": None,
        "reason": "upgrade +8",
    }
    return ServiceOffer(**(values | changes))


_LEAD: dict[str, Any] = {
    "version": 1,
    "lead_id": "7a1f2c3d-0000-5000-8000-000000000001",
    "lead_type": LeadType.RENEWAL,
    "title": "Support Renewal: HP DL360p Gen8 8-SFF CTO Server",
    "action": "Renew support before the next outage",
    "account_id": "account-1",
    "account": "Apple Inc",
    "territory": "56088",
    "segment": "GROWTH",
    "box_id": "USE3256NX0",
    "serial_number": "USE3256NX0",
    "product_id": "654081-B21",
    "product_name": "HP DL360p Gen8 8-SFF CTO Server",
    "product_family": "PROLIANT",
    "support_status": "Warranty Expired - Uncovered Box",
    "end_of_life": date(2015, 7, 1),
    "service_end": date(2018, 6, 30),
    "risk": Risk.CRITICAL,
    "estimated_value_min": Decimal("5613"),
    "estimated_value_max": Decimal("10525"),
    "value_provenance": ValueProvenance.SKU_PRICE,
    "currency": "USD",
    "urgency": 100.0,
    "value": 54.0,
    "propensity": 100.0,
    "strategic_fit": 75.0,
    "score": 82.5,
    "priority": Priority.CRITICAL,
    "confidence": 1.0,
    "missing": (),
    "ledger": (),
    "weights": Weights(urgency=0.35, value=0.3, propensity=0.2, strategic_fit=0.15),
    "rules_version": "r1",
    "as_of": AS_OF,
    "services": (offer(1), offer(2, service_type="Health Check", skus=("H9Q53AC",))),
    "no_service_reason": None,
    "bundle": Bundle(name="renewal_basic", skus=("H9GW8E", "U7939E"), reason="renewal"),
    "episode": 1,
    "episode_open": True,
    "critical_since": AS_OF,
}


def public_lead(**changes: Any) -> LeadChanged:
    return LeadChanged(**(_LEAD | changes))


def alert(tenant_id: str = "default", **changes: Any) -> Alert:
    return alert_of(public_lead(**changes), tenant_id=tenant_id, console_url=CONSOLE)
