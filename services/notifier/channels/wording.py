"""What each content says, in the same words in every chat: headline, facts, text, lists, a link."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.notifier.domain.contents import (
    CallTask,
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
from services.notifier.domain.message import Alert, amount_text, plain, service_text, value_text

TOLD_IN_CHATS = frozenset(
    {
        Purpose.ALERT,
        Purpose.STORM_DIGEST,
        Purpose.DAILY_DIGEST,
        Purpose.WEEKLY_SUMMARY,
        Purpose.AGEING,
        Purpose.FOLLOW_UP,
        Purpose.CALL_TASK,
        Purpose.NOTICE,
    }
)
"""What a chat without threads is told."""

MOST_LINES = 20
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Line:
    """One line of a list, with the page it leads to."""

    text: str
    link: str | None = None


@dataclass(frozen=True)
class Listing:
    """Lines under a label."""

    label: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Told:
    """A content in words. Every text is on one line and means nothing but its letters.

    `summary` is for notifications and screen readers. `link` is a label and an address.
    """

    headline: str
    summary: str
    facts: tuple[tuple[str, str], ...] = ()
    text: str = ""
    lists: tuple[Listing, ...] = ()
    link: tuple[str, str] | None = None
    footer: str = ""


def told(content: Content) -> Told:
    """A content in words (rules.md §8). Raises TypeError for an outreach, which is for customers only."""
    if isinstance(content, Outreach):
        raise TypeError("a chat is not told of what is written to customers")
    tell: Callable[[Any], Told] = _TELLERS[type(content)]
    return tell(content)


def cut(text: str, limit: int) -> str:
    """The text, or its beginning and an ellipsis: at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _alert(alert: Alert) -> Told:
    missing = f"None: {alert.no_service_reason or 'no service fits'}".replace("_", " ")
    services = [f"• {service_text(service)}" for service in alert.services]
    headline = f"CRITICAL lead: {alert.title}"
    return Told(
        headline,
        f"{headline}, {alert.account}, score {alert.score}",
        facts=_facts(alert),
        text=alert.description,
        lists=(_listing("Top services", services or [missing]),),
        link=_open(alert),
        footer=_footer(alert),
    )


def _update(update: Update) -> Told:
    alert = update.alert
    changes = [f"{change.what}: {change.before} → {change.after}" for change in update.changes]
    status = (("Status", plain(update.status)),) if update.status else ()
    return Told(
        f"Changed: {alert.title}",
        f"Changed: {alert.title}, {alert.account}: {', '.join(map(plain, changes))}",
        facts=(*_facts(alert), *status),
        lists=(_listing("What changed", changes),) if changes else (),
        link=_open(alert),
        footer=_footer(alert),
    )


def _withdrawal(withdrawal: Withdrawal) -> Told:
    alert = withdrawal.alert
    headline = f"No longer holds: {alert.title}"
    return Told(
        headline,
        f"{headline}, {alert.account}: {plain(withdrawal.reason)}",
        facts=(("Account", alert.account), ("Value", value_text(alert))),
        lists=(_listing("Why", [withdrawal.reason]),),
        link=_open(alert),
        footer=alert.tenant_id,
    )


def _digest(digest: Digest) -> Told:
    title, pipeline = plain(digest.title), amount_text(digest.pipeline, digest.currency)
    lines = tuple(_lead_line(line, digest.currency) for line in digest.lines[:MOST_LINES])
    if (rest := digest.total - len(lines)) > 0 and lines:
        lines += (Line(f"and {rest:,} more"),)
    territories = [_territory(line, digest.currency) for line in digest.territories[:MOST_LINES]]
    return Told(
        title,
        f"{title}: {digest.critical:,} critical, pipeline {pipeline}",
        facts=(
            ("Leads", f"{digest.total:,}"),
            ("Critical", f"{digest.critical:,}"),
            ("Pipeline", pipeline),
        ),
        lists=(
            *((_listing("Territories", territories),) if territories else ()),
            *((Listing("Leads", lines),) if lines else ()),
        ),
        link=("See all of them", digest.link) if digest.link else None,
        footer=f"As of {digest.day.isoformat()} · {digest.tenant_id}",
    )


def _follow_up(follow_up: FollowUp) -> Told:
    alert, at = follow_up.alert, f"{follow_up.at:%Y-%m-%d %H:%M %Z}"
    state = "cancelled" if follow_up.cancelled else follow_up.kind
    return Told(
        f"Follow-up {state}: {alert.title}",
        f"Follow-up {state}: {alert.title}, {alert.account}, {at}",
        facts=(
            ("Account", alert.account),
            ("When", at),
            ("Owner", plain(follow_up.owner or "nobody")),
            ("Value", value_text(alert)),
        ),
        text=plain(follow_up.note),
        link=_open(alert),
        footer=_footer(alert),
    )


def _call_task(task: CallTask) -> Told:
    alert, contact = task.alert, plain(task.contact)
    return Told(
        f"Please call: {alert.title}",
        f"Please call: {alert.title}, {alert.account}, {contact}, by {task.due.isoformat()}",
        facts=(
            ("Account", alert.account),
            ("Contact", contact),
            ("By", task.due.isoformat()),
            ("Value", value_text(alert)),
        ),
        text=f"The campaign {plain(task.campaign)} ended without an answer. {alert.description}",
        link=_open(alert),
        footer=_footer(alert),
    )


def _notice(notice: Notice) -> Told:
    title, text = plain(notice.title), plain(notice.text)
    return Told(title, f"{title}: {text}", text=text, footer=notice.tenant_id)


_TELLERS: Mapping[type[Content], Callable[[Any], Told]] = {
    Alert: _alert,
    Update: _update,
    Withdrawal: _withdrawal,
    Digest: _digest,
    FollowUp: _follow_up,
    CallTask: _call_task,
    Notice: _notice,
}


def _facts(alert: Alert) -> tuple[tuple[str, str], ...]:
    return (
        ("Account", alert.account),
        ("Score", f"{alert.score} of 100"),
        ("Value", value_text(alert)),
        ("Priority", str(alert.priority)),
    )


def _footer(alert: Alert) -> str:
    return f"Risk {alert.risk} · scored as of {alert.as_of.isoformat()} · {alert.tenant_id}"


def _open(alert: Alert) -> tuple[str, str]:
    return "Open the lead", alert.link


def _listing(label: str, texts: Iterable[str]) -> Listing:
    return Listing(label, tuple(Line(plain(text)) for text in texts))


def _lead_line(line: DigestLine, currency: str) -> Line:
    value = amount_text(line.value_max, currency)
    parts = (f"{line.score}", line.title, line.account, line.territory or "", value, line.note)
    return Line(" · ".join(text for part in parts if (text := plain(part))), line.link or None)


def _territory(line: TerritoryLine, currency: str) -> str:
    pipeline = amount_text(line.pipeline, currency)
    counts = f"{line.leads:,} leads, {line.critical:,} critical, {pipeline}"
    return f"{line.territory}: {counts} {_bars(line.trend)}"


def _bars(trend: Sequence[float]) -> str:
    """A small chart: the highest value fills the line, nothing is its lowest bar."""
    top = max(trend, default=0.0)
    share = (max(value, 0.0) / top if top > 0 else 0.0 for value in trend)
    return "".join(_BARS[round(part * (len(_BARS) - 1))] for part in share)
