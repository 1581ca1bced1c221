"""Words and numbers of leads as mails show them, bounded and free of what a mail program interprets."""

from datetime import date
from typing import Any
from urllib.parse import urlsplit

from services.notifier.domain.message import Alert, Service, amount_text, plain, value_text

TEXT_LIMIT = 10_000


def bounded(value: Any) -> Any:
    """The same with every text in it plain and at most TEXT_LIMIT characters."""
    match value:
        case str():
            text = plain(value)
            return text if len(text) <= TEXT_LIMIT else text[: TEXT_LIMIT - 1] + "…"
        case dict():
            return {name: bounded(inner) for name, inner in value.items()}
        case list():
            return [bounded(inner) for inner in value]
    return value


def web_link(link: str) -> str:
    """The link, or nothing when it does not lead to the web."""
    try:
        parts = urlsplit(link)
    except ValueError:
        return ""
    return link if parts.scheme in {"http", "https"} and parts.netloc else ""


def lead_words(alert: Alert) -> dict[str, Any]:
    """A lead as templates name it: texts, lists of texts, the score as a number."""
    missing = (alert.no_service_reason or "no service fits").replace("_", " ")
    return {
        "title": alert.title,
        "account": alert.account,
        "lead_type": alert.lead_type.value,
        "score": alert.score,
        "priority": alert.priority.value,
        "risk": alert.risk.value,
        "value": value_text(alert),
        "reasons": list(alert.reasons),
        "action": alert.action,
        "services": [_service(service) for service in alert.services],
        "no_service": missing,
        "link": web_link(alert.link),
        "as_of": alert.as_of.isoformat(),
        "tenant": alert.tenant_id,
        "owner": alert.owner or "",
        "territory": alert.territory or "",
        "product": alert.product,
        "serial_number": alert.serial_number or "",
        "years_since_end_of_life": years(alert.end_of_life, alert.as_of),
    }


def years(day: date | None, as_of: date) -> str:
    """Whole years since a day, empty when it is unknown or to come."""
    return "" if day is None or day >= as_of else str((as_of - day).days // 365)


def _service(service: Service) -> dict[str, str]:
    price = service.list_price
    return {
        "name": service.name,
        "skus": ", ".join(service.skus),
        "price": "" if price is None else amount_text(price, service.currency),
    }
