"""What a message about a lead would say, for a preview: made of the lead, and made up where it must be."""

from datetime import datetime

from services.notifier.domain.contents import (
    CallTask,
    Change,
    Content,
    Digest,
    DigestLine,
    FollowUp,
    Notice,
    Outreach,
    TerritoryLine,
    Update,
    Withdrawal,
)
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from shared.events import Priority

_DIGESTS = {
    Purpose.STORM_DIGEST: "storm",
    Purpose.DAILY_DIGEST: "daily",
    Purpose.WEEKLY_SUMMARY: "weekly",
    Purpose.AGEING: "ageing",
}


def specimen(purpose: Purpose, alert: Alert, now: datetime) -> Content:
    """What would be told about this lead; changes, dates and contacts are made up."""
    if purpose in _DIGESTS:
        return _digest(purpose, alert)
    owner = alert.owner or "nobody"
    made: dict[Purpose, Content] = {
        Purpose.ALERT: alert,
        Purpose.UPDATE: Update(
            alert=alert, changes=(Change(what="Owner", before="nobody", after=owner),)
        ),
        Purpose.WITHDRAWAL: Withdrawal(alert=alert, reason="support was renewed"),
        Purpose.FOLLOW_UP: FollowUp(
            kind="due", alert=alert, at=now, note="call again", owner=alert.owner
        ),
        Purpose.OUTREACH: _outreach(alert),
        Purpose.CALL_TASK: CallTask(
            alert=alert, campaign="drip", contact="customer@example.com", due=now.date()
        ),
        Purpose.NOTICE: notice(alert.tenant_id),
    }
    return made[purpose]


def notice(tenant_id: str) -> Notice:
    """What `onelead notify test` sends."""
    return Notice(
        tenant_id=tenant_id,
        title="A test message of OneLead",
        text="Somebody ran `onelead notify test`. Messages get here; nothing needs to be done.",
    )


def _digest(purpose: Purpose, alert: Alert) -> Digest:
    critical = int(alert.priority is Priority.CRITICAL)
    line = DigestLine.of(alert)
    territory = TerritoryLine(
        territory=alert.territory or "no territory",
        leads=1,
        critical=critical,
        pipeline=alert.value_max,
        trend=(float(alert.value_max) / 2, float(alert.value_max)),
    )
    return Digest.model_validate(
        {
            "kind": _DIGESTS[purpose],
            "tenant_id": alert.tenant_id,
            "title": f"Preview: {purpose.value.replace('_', ' ')}",
            "day": alert.as_of,
            "total": 1,
            "critical": critical,
            "pipeline": alert.value_max,
            "currency": alert.currency,
            "lines": (line,),
            "territories": (territory,) if purpose is Purpose.WEEKLY_SUMMARY else (),
            "link": alert.link,
        }
    )


def _outreach(alert: Alert) -> Outreach:
    text = f"About {alert.title}: a campaign's template stands here."
    return Outreach(
        tenant_id=alert.tenant_id,
        lead_id=alert.lead_id,
        campaign="drip",
        step=0,
        subject=alert.title,
        text=text,
        html="<p>A campaign's template stands here.</p>",
        unsubscribe_url=f"{alert.link}/unsubscribe",
        to="customer@example.com",
    )
