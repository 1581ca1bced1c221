"""A content of each purpose in which every text is the same, hostile or not."""

from datetime import UTC, date, datetime
from decimal import Decimal

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
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import plain
from shared.events import Priority
from tests.support.notifier_builders import alert, offer

DAY = date(2025, 10, 9)
AT = datetime(2025, 10, 9, 12, tzinfo=UTC)
LINK = alert().link


def each_content(text: str, lines: int = 3) -> dict[Purpose, Content]:
    """By purpose, all but an outreach."""
    told = plain(text)
    lead = alert(title=text, account=text, action=text, services=(offer(1, service_type=text),))
    change = Change(what="Owner", before=told, after=told)
    return {
        Purpose.ALERT: lead,
        Purpose.UPDATE: Update(alert=lead, changes=(change, change), status=told),
        Purpose.WITHDRAWAL: Withdrawal(alert=lead, reason=told),
        Purpose.STORM_DIGEST: _digest("storm", told, lines),
        Purpose.DAILY_DIGEST: _digest("daily", told, lines),
        Purpose.WEEKLY_SUMMARY: _digest("weekly", told, lines),
        Purpose.AGEING: _digest("ageing", told, lines),
        Purpose.FOLLOW_UP: FollowUp(kind="due", alert=lead, at=AT, note=told, owner=told),
        Purpose.CALL_TASK: CallTask(alert=lead, campaign="drip", contact=told, due=DAY),
        Purpose.NOTICE: Notice(tenant_id="default", title=told, text=told),
    }


def a_delivery(purpose: Purpose, channel: str = "slack", **changes: object) -> Delivery:
    """A delivery of that purpose, begun at noon of 9 October 2025."""
    values: dict[str, object] = {
        "tenant_id": "default",
        "lead_id": "lead-1",
        "episode": 1,
        "purpose": purpose,
        "channel": channel,
        "target": "T1",
        "created_at": AT,
        "tries": 1,
    }
    return Delivery(**(values | changes))  # type: ignore[arg-type]


def _digest(kind: str, text: str, lines: int) -> Digest:
    line = DigestLine(
        lead_id="lead-1",
        title=text,
        account=text,
        territory=text,
        priority=Priority.CRITICAL,
        score=82.5,
        value_max=Decimal("10525"),
        link=LINK,
        note=text,
    )
    territory = TerritoryLine(
        territory=text or "56088",
        leads=12,
        critical=3,
        pipeline=Decimal("120000"),
        trend=(10.0, 0.0, 40.0, 80.0),
    )
    return Digest.model_validate(
        {
            "kind": kind,
            "tenant_id": "default",
            "title": text or "1 new lead",
            "day": DAY,
            "total": 40,
            "critical": 7,
            "pipeline": Decimal("5643341"),
            "currency": "USD",
            "lines": (line,) * lines,
            "territories": (territory,) * lines if kind == "weekly" else (),
            "link": LINK,
        }
    )
