"""The content of an alert, free of any channel's form: what happened, to whom, why, worth what.

Reads the lead as published; the result is stored with the delivery, so that what is sent later is
what was true when the lead became CRITICAL.
"""

import re
from datetime import date
from decimal import Decimal
from urllib.parse import quote

from shared.events import LeadChanged, LeadType, Priority, Risk, ServiceOffer, Value

TOP_SERVICES = 3
_UNSPEAKABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
"""Control characters, those that turn the direction of the text around them, and halves of characters."""


class Service(Value):
    """A service to offer, as people name it."""

    name: str
    skus: tuple[str, ...]
    list_price: Decimal | None
    currency: str


class Alert(Value):
    """A lead that became CRITICAL (rules.md §8). Money is in `currency`, ages are as of `as_of`."""

    tenant_id: str
    lead_id: str
    lead_type: LeadType
    episode: int
    title: str
    account: str
    score: float
    priority: Priority
    value_min: Decimal
    value_max: Decimal
    currency: str
    risk: Risk
    reasons: tuple[str, ...]
    action: str
    services: tuple[Service, ...]
    no_service_reason: str | None
    link: str
    as_of: date
    account_id: str = ""
    territory: str | None = None
    office_id: str | None = None
    owner: str | None = None
    product: str = ""
    serial_number: str | None = None
    end_of_life: date | None = None

    @property
    def description(self) -> str:
        """Why now, and what to do, in plain sentences."""
        return " ".join(f"{part.rstrip('.')}." for part in (*self.reasons, self.action) if part)


def alert_of(
    lead: LeadChanged, *, tenant_id: str, console_url: str, owner: str | None = None
) -> Alert:
    """The alert for a lead; its link leads to the lead's page under `console_url`."""
    return Alert(
        tenant_id=tenant_id,
        lead_id=lead.lead_id,
        lead_type=lead.lead_type,
        episode=lead.episode,
        title=plain(lead.title),
        account=plain(lead.account),
        score=lead.score,
        priority=lead.priority,
        value_min=lead.estimated_value_min,
        value_max=lead.estimated_value_max,
        currency=lead.currency,
        risk=lead.risk,
        reasons=_reasons(lead),
        action=plain(lead.action),
        services=_services(lead),
        no_service_reason=lead.no_service_reason,
        link=f"{console_url.rstrip('/')}/leads/{quote(lead.lead_id, safe='')}",
        as_of=lead.as_of,
        account_id=lead.account_id,
        territory=lead.territory,
        office_id=lead.office_id,
        owner=owner,
        product=plain(lead.product_name),
        serial_number=plain(lead.serial_number) if lead.serial_number else None,
        end_of_life=lead.end_of_life,
    )


def plain(text: str) -> str:
    """Text on one line, without characters that no sink may be made to interpret."""
    return " ".join(_UNSPEAKABLE.sub(" ", text).split())


def amount_text(amount: Decimal, currency: str) -> str:
    """An amount for people: `USD 10,525`, with decimals only where it has some."""
    whole = amount == amount.to_integral_value()
    return f"{currency} {amount:,.0f}" if whole else f"{currency} {amount:,.2f}"


def value_text(alert: Alert) -> str:
    """The value range for people: `USD 5,613 – 10,525`."""
    _, _, highest = amount_text(alert.value_max, alert.currency).partition(f"{alert.currency} ")
    return f"{amount_text(alert.value_min, alert.currency)} – {highest}"


def service_text(service: Service) -> str:
    """A service in one line: name, SKUs, list price where known."""
    skus = f" ({', '.join(service.skus)})" if service.skus else ""
    price = service.list_price
    return f"{service.name}{skus}" + (
        "" if price is None else f", list {amount_text(price, service.currency)}"
    )


def _reasons(lead: LeadChanged) -> tuple[str, ...]:
    serial = f" (serial {plain(lead.serial_number)})" if lead.serial_number else ""
    dates = (
        _dated("end of life", lead.end_of_life, lead.as_of),
        _dated("end of support", lead.service_end, lead.as_of),
    )
    return (
        f"{plain(lead.product_name)}{serial}: risk {lead.risk}",
        *(text for text in dates if text),
    )


def _dated(what: str, day: date | None, as_of: date) -> str | None:
    if day is None:
        return None
    age = (as_of - day).days
    when = f"{age:,} days ago" if age > 0 else "today" if age == 0 else f"in {-age:,} days"
    return f"{what.capitalize()} {day.isoformat()}, {when}"


def _services(lead: LeadChanged) -> tuple[Service, ...]:
    best = sorted(lead.services, key=_rank)[:TOP_SERVICES]
    offers = [_service(o.service_type, o.skus, o.list_price, o.currency) for o in best]
    if lead.bundle is not None:
        name = f"Bundle {lead.bundle.name.replace('_', ' ')}"
        offers.append(_service(name, lead.bundle.skus, None, lead.currency))
    return tuple(offers)


def _service(
    name: str, skus: tuple[str, ...], list_price: Decimal | None, currency: str
) -> Service:
    return Service(
        name=plain(name), skus=tuple(map(plain, skus)), list_price=list_price, currency=currency
    )


def _rank(offer: ServiceOffer) -> int:
    return offer.rank
