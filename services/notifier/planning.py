"""Makes the plan of who is told what: opens the sinks of the notify file or the settings, writes nothing."""

from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from services.notifier.channels import AnyChannel, open_sink
from services.notifier.domain.plan import Limits, Plan, Sink, Target
from services.notifier.domain.plan.people import People
from services.notifier.domain.plan.quiet_hours import QuietHours
from services.notifier.notify_file import Notifications, SinkOptions
from shared.errors import UserError
from shared.outbound import OutboundPolicy

_NO_LIMITS = Limits(alerts_per_hour=None)


def open_sinks(wanted: Notifications, policy: OutboundPolicy) -> dict[str, AnyChannel]:
    """Every sink, ready to send. Raises UserError, with its place, for one that cannot work."""
    opened: dict[str, AnyChannel] = {}
    for name, settings in wanted.sinks.items():
        try:
            opened[name] = open_sink(settings, policy)
        except UserError as error:
            raise wanted.refusal(name, error.message, error.hint) from None
    return opened


def plan_of(wanted: Notifications, opened: Mapping[str, AnyChannel]) -> Plan:
    """The plan over opened sinks. Raises UserError when two of them send to the same address."""
    _refuse_shared_targets(wanted, opened)
    zone = ZoneInfo(wanted.file.time_zone)
    return Plan(
        sinks=tuple(_sink(wanted, name, channel) for name, channel in opened.items()),
        routes=wanted.file.routes,
        people=People(wanted.file.people),
        quiet={t: q for name, channel in opened.items() for t, q in _quiet(wanted, name, channel)},
        digests=wanted.file.digests.times(zone),
    )


def _refuse_shared_targets(wanted: Notifications, opened: Mapping[str, AnyChannel]) -> None:
    holders: dict[tuple[str, str], str] = {}
    for name, channel in opened.items():
        for target in channel.targets:
            other = holders.setdefault((target.channel, target.address.casefold()), name)
            if other != name:
                fault = f"{target.channel} {target.address} is a target of sink {other} already"
                hint = (
                    "an address belongs to one sink; give that one the tenants and routes of both"
                )
                raise wanted.refusal(name, fault, hint)


def _sink(wanted: Notifications, name: str, channel: AnyChannel) -> Sink:
    settings, options = wanted.sinks[name], wanted.options.get(name, SinkOptions())
    limits = _NO_LIMITS if keeps_records(channel) else wanted.file.limits.over(Limits())
    own = wanted.owners.get(name, frozenset())
    return Sink(
        name=name,
        targets=channel.targets,
        tenants=frozenset(settings.tenants),
        sends=channel.accepts & frozenset(settings.sends or channel.accepts),
        limits=options.limits.over(limits) if options.limits else limits,
        concurrency=channel.concurrency,
        offices=frozenset(options.offices),
        owners=frozenset(target for target in channel.targets if target.address in own),
    )


def _quiet(
    wanted: Notifications, name: str, channel: AnyChannel
) -> Iterator[tuple[Target, tuple[QuietHours, ...]]]:
    """The quiet hours of each target: the sink's own, else everybody's; a person's in their own time."""
    own = wanted.options.get(name, SinkOptions()).quiet_hours
    everybodys = () if keeps_records(channel) else wanted.file.quiet_hours
    zones = {p.mail: p.time_zone for p in wanted.file.people.values() if p.time_zone}
    for target in channel.targets:
        zone = zones.get(target.address) or wanted.file.time_zone
        entries = everybodys if own is None else own
        yield target, tuple(entry.spans(zone) for entry in entries)


def keeps_records(channel: AnyChannel) -> bool:
    """Whether a sink keeps records instead of disturbing people: unlimited, and at any hour."""
    return all(target.tells_withdrawals for target in channel.targets)
