"""Made-up contents, one of each kind: what templates are checked and previewed with."""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Literal

from services.notifier.domain.contents import (
    CallTask,
    Change,
    Content,
    Digest,
    DigestLine,
    FollowUp,
    Notice,
    TerritoryLine,
    Update,
    Withdrawal,
)
from services.notifier.domain.message import Alert, Service
from shared.events import LeadType, Priority, Risk

DAY = date(2025, 10, 9)
_CONSOLE = "https://onelead.example/leads"
_ACCOUNTS = (
    "Northwind Traders",
    "Contoso AG",
    "東日本電信電話",
    "Müller & Söhne GmbH",
    "Fabrikam Inc",
)
_BOXES = ("HP DL360p Gen8 8-SFF CTO Server", "HP 3PAR 7200 2-N Storage Base", "HPE MSA 2040 SAN")


def alert(lead_type: LeadType = LeadType.RENEWAL, **changes: Any) -> Alert:
    """A lead with everything that a mail can show."""
    values: dict[str, Any] = {
        "tenant_id": "default",
        "lead_id": "7a1f2c3d-0000-5000-8000-000000000001",
        "lead_type": lead_type,
        "episode": 1,
        "title": f"Support Renewal: {_BOXES[0]}",
        "account": _ACCOUNTS[0],
        "score": 82.5,
        "priority": Priority.CRITICAL,
        "value_min": Decimal(5613),
        "value_max": Decimal(10525),
        "currency": "USD",
        "risk": Risk.CRITICAL,
        "reasons": (
            f"{_BOXES[0]} (serial USE3256NX0): risk CRITICAL",
            "End of life 2015-07-01, 3,753 days ago",
            "End of support 2018-06-30, 2,658 days ago",
        ),
        "action": "Renew support before the next outage",
        "services": (
            _service("OS Upgrade", ("HM002A1",), 12_000),
            _service("Health Check", ("H9Q53AC", "U7939E"), 3_400),
            _service("Bundle renewal basic", ("H9GW8E", "U7939E"), None),
        ),
        "no_service_reason": None,
        "link": f"{_CONSOLE}/7a1f2c3d-0000-5000-8000-000000000001",
        "as_of": DAY,
        "account_id": "account-1",
        "territory": "56088",
        "office_id": "luzern",
        "owner": "Regula Meier",
        "product": _BOXES[0],
        "serial_number": "USE3256NX0",
        "end_of_life": date(2015, 7, 1),
    }
    return Alert(**(values | changes))


def _service(name: str, skus: tuple[str, ...], price: int | None) -> Service:
    listed = None if price is None else Decimal(price)
    return Service(name=name, skus=skus, list_price=listed, currency="USD")


def digest(kind: Literal["storm", "daily", "weekly", "ageing"]) -> Digest:
    """A digest of several leads; a weekly one with territories."""
    titles = {
        "storm": "38 more leads became critical",
        "daily": "12 new leads",
        "weekly": "The week in your territories: 77 open leads",
        "ageing": "5 leads waiting for a first step",
    }
    return Digest(
        kind=kind,
        tenant_id="default",
        title=titles[kind],
        day=DAY,
        total=77 if kind == "weekly" else 12,
        critical=3,
        pipeline=Decimal(5_643_341),
        currency="USD",
        lines=tuple(_line(number, kind) for number in range(5)),
        territories=_territories() if kind == "weekly" else (),
        link="https://onelead.example/leads?since=yesterday",
    )


def _line(number: int, kind: str) -> DigestLine:
    priority = (Priority.CRITICAL, Priority.CRITICAL, Priority.CRITICAL, Priority.HIGH)
    return DigestLine(
        lead_id=f"lead-{number}",
        title=f"Hardware Refresh: {_BOXES[number % 3]}",
        account=_ACCOUNTS[number],
        territory=f"5608{number}",
        priority=(*priority, Priority.MEDIUM)[number],
        score=(91.4, 83.1, 77.9, 66.5, 48.2)[number],
        value_max=Decimal(200_000 - 38_250 * number),
        link=f"{_CONSOLE}/lead-{number}",
        note="41 days untouched" if kind == "ageing" else "",
    )


def _territories() -> tuple[TerritoryLine, ...]:
    weeks = (
        (1.9, 2.0, 2.4, 2.2, 2.9, 3.1, 3.0, 3.4),
        (1.6, 1.6, 1.5, 1.5, 1.4, 1.2, 1.3, 1.1),
        (0.0, 0.0, 0.2, 0.4, 0.4, 0.7, 0.9, 1.1),
    )
    return tuple(
        TerritoryLine(
            territory=name,
            leads=12 + 7 * index,
            critical=3 + index,
            pipeline=Decimal(int(trend[-1] * 1_000_000)),
            trend=tuple(value * 1_000_000 for value in trend),
        )
        for index, (name, trend) in enumerate(
            zip(("56088", "56180", "Romandie"), weeks, strict=True)
        )
    )


def _follow_up(**changes: Any) -> FollowUp:
    values: dict[str, Any] = {
        "kind": "set",
        "alert": alert(),
        "at": datetime(2025, 10, 16, 14, 0, tzinfo=UTC),
        "note": "Ask for the new budget, and who decides.",
        "owner": "Regula Meier",
    }
    return FollowUp(**(values | changes))


def samples() -> Iterator[tuple[str, Content]]:
    """Every kind of content under a name of its own; those with several looks several times."""
    yield "alert", alert()
    yield "alert-without-services", alert(services=(), no_service_reason="no_service_for_family")
    changes = (
        Change(what="Score", before="82.5", after="91.0"),
        Change(what="Owner", before="nobody", after="Regula Meier"),
    )
    yield "update", Update(alert=alert(score=91.0), changes=changes, status="contacted")
    yield "withdrawal", Withdrawal(alert=alert(), reason="support was renewed until 2028-06-30")
    yield "digest-storm", digest("storm")
    yield "digest-daily", digest("daily")
    yield "digest-weekly", digest("weekly")
    yield "digest-ageing", digest("ageing")
    yield "follow_up", _follow_up()
    yield "follow_up-due", _follow_up(kind="due")
    yield "follow_up-cancelled", _follow_up(cancelled=True, sequence=1)
    yield "call_task", _call_task()
    yield "notice", _notice()


def _call_task() -> CallTask:
    return CallTask(alert=alert(), campaign="drip", contact="it@northwind.example", due=DAY)


def _notice() -> Notice:
    text = (
        "It failed for 120 hours and was switched off. `onelead deliveries` says what waits for it."
    )
    return Notice(tenant_id="default", title="Sink crm-hook was switched off", text=text)


def letter_variables(lead_type: LeadType) -> Mapping[str, Any]:
    """What a campaign gives to its templates."""
    return {
        "title": f"Support Renewal: {_BOXES[0]}",
        "account": _ACCOUNTS[0],
        "product": _BOXES[0],
        "serial_number": "USE3256NX0",
        "years_since_end_of_life": "10",
        "value": "USD 10,525",
        "services": ["OS Upgrade", "Health Check"],
        "lead_type": lead_type.value,
        "owner": "Regula Meier",
        "unsubscribe_url": "https://onelead.example/unsubscribe/7a1f2c3d",
    }
