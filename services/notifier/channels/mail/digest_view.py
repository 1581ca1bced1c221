"""A digest as its templates name it: the best leads, territories with a small chart of their weeks."""

from collections.abc import Sequence
from typing import Any

from services.notifier.channels.mail.words import web_link
from services.notifier.domain.contents import Digest, DigestLine, TerritoryLine
from services.notifier.domain.message import amount_text

MOST_LINES = 25
MOST_TERRITORIES = 25
_BARS = "▁▂▃▄▅▆▇█"
_CHART_PX = 32
_LEAST_PX = 2
_KICKERS = {
    "storm": "Many leads at once",
    "daily": "Your day",
    "weekly": "Your week",
    "ageing": "Nobody has touched these yet",
}


def digest(content: Digest) -> dict[str, Any]:
    """The digest's variables."""
    lines = [_line(line, content.currency) for line in content.lines[:MOST_LINES]]
    shown = content.territories[:MOST_TERRITORIES]
    critical = f", {content.critical:,} critical" if content.critical else ""
    pipeline = amount_text(content.pipeline, content.currency)
    day = content.day.isoformat()
    return {
        "subject": f"{content.title}{critical} ({day})",
        "preview": f"{content.total:,} leads{critical}, pipeline {pipeline}",
        "tone": "critical" if content.critical and content.kind != "weekly" else "calm",
        "kicker": _KICKERS[content.kind],
        "headline": content.title,
        "under": f"As of {day}",
        "kind": content.kind,
        "total": f"{content.total:,}",
        "critical": f"{content.critical:,}",
        "pipeline": pipeline,
        "lines": lines,
        "more": _more(content.total - len(lines)),
        "territories": [_territory(each, content.currency) for each in shown],
        "more_territories": _more(len(content.territories) - len(shown)),
        "link": content.link,
        "foot": f"Tenant {content.tenant_id} · sent by OneLead",
    }


def _more(rest: int) -> str:
    return f"{rest:,}" if rest > 0 else ""


def _line(line: DigestLine, currency: str) -> dict[str, Any]:
    return {
        "title": line.title,
        "account": line.account,
        "territory": line.territory or "",
        "tone": line.priority.value.lower(),
        "priority": line.priority.value,
        "score": round(line.score, 1),
        "value": amount_text(line.value_max, currency),
        "link": web_link(line.link),
        "note": line.note,
    }


def _territory(line: TerritoryLine, currency: str) -> dict[str, Any]:
    shares = _shares(line.trend)
    return {
        "name": line.territory,
        "leads": f"{line.leads:,}",
        "critical": f"{line.critical:,}",
        "pipeline": amount_text(line.pipeline, currency),
        "bars": [max(_LEAST_PX, round(share * _CHART_PX)) for share in shares],
        "spark": "".join(_BARS[round(share * (len(_BARS) - 1))] for share in shares),
        "weeks": ", ".join(f"{value:,.0f}" for value in line.trend),
        "change": _change(line.trend),
    }


def _shares(trend: Sequence[float]) -> list[float]:
    """Each week's share of the highest one."""
    top = max(trend, default=0.0)
    return [max(value, 0.0) / top if top > 0 else 0.0 for value in trend]


def _change(trend: Sequence[float]) -> str:
    """This week against the one before: `+12 %`; nothing when there is none to compare with."""
    if len(trend) < 2 or trend[-2] <= 0:
        return ""
    percent = round((trend[-1] / trend[-2] - 1) * 100)
    return f"{percent:+d} %".replace("-", "−") if percent else "±0 %"
