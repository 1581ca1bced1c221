"""A plan in words and as JSON: sinks, routes, people and hours, and what the routes do with one lead."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from onelead.notify.configured import Configured
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Limits, Plan, Sink
from services.notifier.domain.plan.routes import Route
from services.notifier.notify_file.contradictions import ABOUT_ONE_LEAD
from services.notifier.notify_file.model import DAYS, QuietHoursEntry

_HOURS = {"time_zone", "quiet_hours", "digests"}


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table of plain texts."""
    made = Table(title=title, title_justify="left")
    for heading in headings:
        made.add_column(heading, overflow="fold")
    for row in rows:
        made.add_row(*map(Text, row))
    return made


def plan_parts(found: Configured) -> Iterator[RenderableType]:
    """The whole plan, part by part."""
    plan = found.plan
    headings = ("sink", "channel", "sends to", "of", "is told", "single alerts")
    yield table("Sinks", headings, [_sink_row(found, sink) for sink in plan.sinks])
    if plan.routes:
        rows = [_route_row(n, route) for n, route in enumerate(plan.routes, start=1)]
        yield table("Routes, tried in this order", ("", "leads", "to", "then"), rows)
    else:
        yield Text("No routes: every sink is told of every lead that it may hear of")
    if plan.people.by_name:
        rows = [
            (name, p.mail or "", _all_of(p.accounts), _all_of(p.territories))
            for name, p in plan.people.by_name.items()
        ]
        yield table("People", ("name", "mail", "accounts", "territories"), rows)
    for line in _hours(found):
        yield Text(line)
    digests = plan.digests
    yield Text(
        f"Digests: daily at {digests.daily_at:%H:%M}, weekly on {DAYS[digests.weekly_on]} at "
        f"{digests.weekly_at:%H:%M} ({digests.zone}); ageing after {digests.ageing_after_days} days"
    )
    for name in silent_sinks(plan):
        yield Text(f"Note: no route leads to {name}; it hears of no single lead", style="yellow")


def silent_sinks(plan: Plan) -> list[str]:
    """Sinks that could be told of single leads, but that no route leads to."""
    led_to = {name for route in plan.routes for name in route.sinks}
    able = [sink.name for sink in plan.sinks if not sink.sends.isdisjoint(ABOUT_ONE_LEAD)]
    return [name for name in able if plan.routes and name not in led_to]


def plan_json(found: Configured) -> dict[str, Any]:
    """The whole plan for programs."""
    plan = found.plan
    return {
        "sinks": [_sink_json(sink) for sink in plan.sinks],
        "routes": [
            route.model_dump(mode="json", by_alias=True, exclude_unset=True)
            for route in plan.routes
        ],
        "people": [
            {"name": name, **person.model_dump(mode="json")}
            for name, person in plan.people.by_name.items()
        ],
        "without_route": silent_sinks(plan),
        **found.wanted.file.model_dump(
            mode="json", by_alias=True, exclude_unset=True, include=_HOURS
        ),
    }


def verdict_parts(plan: Plan, alert: Alert, purpose: Purpose) -> Iterator[RenderableType]:
    """What the routes do with one lead, and which sinks it ends up at."""
    yield Text(f"{alert.title} ({alert.lead_id})", style="bold")
    yield Text(f"account {alert.account}, owner {plan.owner_of(alert) or 'nobody'}")
    if plan.routes:
        rows = [
            (str(v.number), str(v.route.when), ", ".join(v.route.sinks), _why(v.misses))
            for v in plan.verdicts(alert)
        ]
        yield table("Routes", ("", "leads", "to", "this lead"), rows)
    else:
        yield Text("No routes: every sink is told of every lead that it may hear of")
    yield table(f"Told as {purpose.value}", ("sink", ""), destinations(plan, alert, purpose))


def verdict_json(plan: Plan, alert: Alert, purpose: Purpose) -> dict[str, Any]:
    """The same for programs."""
    return {
        "lead_id": alert.lead_id,
        "owner": plan.owner_of(alert),
        "routes": [
            {"number": v.number, "to": v.route.sinks, "taken": not v.misses, "misses": v.misses}
            for v in plan.verdicts(alert)
        ],
        "targets": [
            {"sink": plan.sink_of(t).name, "channel": t.channel, "address": t.address}
            for t in plan.routed(alert.tenant_id, alert, purpose)
        ],
    }


def destinations(plan: Plan, alert: Alert, purpose: Purpose) -> Iterator[tuple[str, str]]:
    """Each sink with the addresses that hear of a lead, or with the reason why none does."""
    routed = set(plan.routed(alert.tenant_id, alert, purpose))
    for sink in plan.sinks:
        heard = [target.address for target in sink.targets if target in routed]
        refusal = sink.refusal(alert.tenant_id, alert.office_id, purpose)
        if heard:
            yield sink.name, ", ".join(heard)
        elif refusal:
            yield sink.name, f"not told: {refusal}"
        elif not plan.heard_by(sink, alert):
            yield sink.name, "not told: the lead's owner has no mail address here"
        else:
            yield sink.name, "not told: no route that was taken leads to it"


def _sink_row(found: Configured, sink: Sink) -> tuple[str, ...]:
    owners = [target.address for target in sink.targets if target in sink.owners]
    lines = [target.address for target in sink.targets if target not in sink.owners]
    lines += ["of their own leads:", *owners] if owners else []
    of = [f"tenant {', '.join(sorted(sink.tenants))}"]
    of += [f"office {', '.join(sorted(sink.offices))}"] if sink.offices else []
    chosen = ", ".join(purpose.value for purpose in Purpose if purpose in sink.sends)
    # Campaigns write to customers through sinks of their own.
    left_out = found.channels[sink.targets[0]].accepts - sink.sends - {Purpose.OUTREACH}
    told = chosen if left_out else "everything"
    channel = sink.targets[0].channel
    return sink.name, channel, "\n".join(lines), "\n".join(of), told, _limits(sink.limits)


def _sink_json(sink: Sink) -> dict[str, Any]:
    return {
        "name": sink.name,
        "targets": [
            {"channel": t.channel, "address": t.address, "own_leads_only": t in sink.owners}
            for t in sink.targets
        ],
        "tenants": sorted(sink.tenants),
        "offices": sorted(sink.offices),
        "sends": sorted(sink.sends),
        "alerts_per_hour": sink.limits.alerts_per_hour,
        "alerts_per_account_and_day": sink.limits.alerts_per_account_and_day,
    }


def _limits(limits: Limits) -> str:
    hour, day = limits.alerts_per_hour, limits.alerts_per_account_and_day
    said = [] if hour is None else [f"{hour} an hour"]
    said += [] if day is None else [f"{day} a day and account"]
    return ", ".join(said) or "unlimited"


def _route_row(number: int, route: Route) -> tuple[str, ...]:
    leads = "those no other route fits" if route.otherwise else str(route.when)
    return str(number), leads, ", ".join(route.sinks), "stop" if route.stop else ""


def _hours(found: Configured) -> Iterator[str]:
    zone = found.wanted.file.time_zone
    for entry in found.wanted.file.quiet_hours:
        yield f"Quiet for everybody: {_quiet(entry, zone)}"
    for name, options in found.wanted.options.items():
        if options.quiet_hours is not None:
            spans = [_quiet(entry, zone) for entry in options.quiet_hours]
            yield f"Quiet for {name}: {'; '.join(spans) or 'never'}"


def _quiet(entry: QuietHoursEntry, zone: str) -> str:
    days = "every day" if entry.days == DAYS else ", ".join(entry.days)
    to = entry.to.strftime("%H:%M")
    said = f"{days} {entry.begin:%H:%M} – {'24:00' if to == '00:00' else to}"
    unless = f", except {entry.unless}" if entry.unless else ""
    return f"{said} ({entry.time_zone or zone}){unless}"


def _all_of(names: Sequence[str]) -> str:
    return ", ".join(names)


def _why(misses: Sequence[str]) -> str:
    return "; ".join(misses) or "taken"
