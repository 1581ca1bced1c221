"""Who is told what, where and when: the sinks with their limits, and the routes to them (rules.md §8).

Made from the notify file or the settings; reads a lead as an alert, answers with targets and moments.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.digests import DigestTimes
from services.notifier.domain.message import Alert
from services.notifier.domain.plan.people import EVERY_TENANT, People
from services.notifier.domain.plan.quiet_hours import QuietHours, free_from
from services.notifier.domain.plan.routes import Route, Verdict, taken, verdicts

SINGLE_ALERTS_PER_HOUR = 50


@dataclass(frozen=True)
class Target:
    """One place to send to: an address on a channel. Addresses are names, never secrets.

    `tells_withdrawals`: it keeps a record of the lead and must hear that it no longer holds.
    """

    channel: str
    address: str
    tells_withdrawals: bool = False


@dataclass(frozen=True)
class Limits:
    """Storm control: how many alerts go out by themselves to one target; the rest is folded.

    None: no limit, as for sinks that keep records (CRM, webhooks).
    """

    alerts_per_hour: int | None = SINGLE_ALERTS_PER_HOUR
    alerts_per_account_and_day: int | None = None

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return self.alerts_per_hour is not None or self.alerts_per_account_and_day is not None


@dataclass(frozen=True)
class Sink:
    """A configured sink: its targets, whose they are, what they are told, how fast.

    `offices`: it hears of the leads of these only; empty: of all, those of no office included.
    `owners`: those targets that hear only of the leads which are their own.
    """

    name: str
    targets: tuple[Target, ...]
    tenants: frozenset[str]
    sends: frozenset[Purpose]
    limits: Limits
    concurrency: int
    offices: frozenset[str] = frozenset()
    owners: frozenset[Target] = frozenset()

    def serves(self, tenant_id: str) -> bool:
        """Whether a tenant's leads may go there."""
        return tenant_id in self.tenants or EVERY_TENANT in self.tenants

    def sees(self, office_id: str | None) -> bool:
        """Whether an office's leads may go there (None: leads of no office)."""
        return not self.offices or office_id in self.offices

    def refusal(self, tenant_id: str, office_id: str | None, purpose: Purpose) -> str | None:
        """Why something about a lead may not go there, in words; None when it may."""
        if not self.serves(tenant_id):
            return f"it does not serve tenant {tenant_id}"
        if not self.sees(office_id):
            return f"it hears of office {' and '.join(sorted(self.offices))} only"
        return None if purpose in self.sends else f"it is told no {purpose.value}"


@dataclass(frozen=True)
class Plan:
    """All sinks, the routes to them, and when each target is left alone.

    Without routes every sink hears of every lead that it may hear of.
    """

    sinks: tuple[Sink, ...]
    routes: tuple[Route, ...] = ()
    people: People = field(default_factory=People)
    quiet: Mapping[Target, tuple[QuietHours, ...]] = field(default_factory=dict)
    digests: DigestTimes = field(default_factory=DigestTimes)

    @cached_property
    def targets(self) -> tuple[Target, ...]:
        """Every target of every sink."""
        return tuple(target for sink in self.sinks for target in sink.targets)

    @cached_property
    def _sink_by_target(self) -> dict[Target, Sink]:
        return {target: sink for sink in reversed(self.sinks) for target in sink.targets}

    def sink_of(self, target: Target) -> Sink:
        """The sink a target belongs to. Raises KeyError for a target that is no longer configured."""
        return self._sink_by_target[target]

    def limits(self, target: Target) -> Limits:
        """Storm control for a target. Raises KeyError for one that is no longer configured."""
        return self.sink_of(target).limits

    def owner_of(self, alert: Alert) -> str | None:
        """The name of the lead's owner: as the lead has it, else by account, else by territory."""
        return self.people.owner_of(alert.tenant_id, alert)

    def verdicts(self, alert: Alert) -> tuple[Verdict, ...]:
        """What becomes of each route for a lead, and why."""
        return verdicts(self.routes, alert, self.owner_of(alert))

    def routed(self, tenant_id: str, alert: Alert, purpose: Purpose) -> tuple[Target, ...]:
        """Where something about one lead is told; `alert` is the lead as it is now."""
        routes = taken(self.routes, alert, self.owner_of(alert))
        names = {name for index in routes for name in self.routes[index].sinks}
        sinks = (
            sink
            for sink in self.sinks
            if (not self.routes or sink.name in names)
            and sink.refusal(tenant_id, alert.office_id, purpose) is None
        )
        return tuple(target for sink in sinks for target in self.heard_by(sink, alert))

    def heard_by(self, sink: Sink, alert: Alert) -> tuple[Target, ...]:
        """A sink's targets without the people whose lead it is not."""
        if not sink.owners:
            return sink.targets
        mail = self.people.mail_of(self.owner_of(alert), alert.tenant_id, alert.office_id)
        return tuple(t for t in sink.targets if t not in sink.owners or t.address == mail)

    def told(self, tenant_id: str, purpose: Purpose) -> tuple[Target, ...]:
        """Where something about many leads, or a notice, of a tenant is told.

        People who hear only of their own leads are not among them.
        """
        sinks = (sink for sink in self.sinks if sink.serves(tenant_id) and purpose in sink.sends)
        return tuple(t for sink in sinks for t in sink.targets if t not in sink.owners)

    def hears(self, tenant_id: str, target: Target, purpose: Purpose) -> bool:
        """Whether a target that was told of a lead of a tenant is told such things, as now configured."""
        sink = self._sink_by_target.get(target)
        return sink is not None and sink.serves(tenant_id) and purpose in sink.sends

    def sees(self, target: Target, tenant_id: str, office_id: str | None) -> bool:
        """Whether a target may be told of an office's leads (None: leads of no office).

        Whoever hears only of their own leads has to work for that office.
        """
        sink = self._sink_by_target.get(target)
        if sink is None or not sink.sees(office_id):
            return False
        own_only = target in sink.owners
        return not own_only or self.people.works_for(target.address, tenant_id, office_id)

    def due_at(self, target: Target, now: datetime, alert: Alert | None = None) -> datetime:
        """The first moment from `now` on at which a target may be disturbed, with this lead if given."""
        return free_from(
            now, [q for q in self.quiet.get(target, ()) if not self._excepts(q, alert)]
        )

    def _excepts(self, quiet: QuietHours, alert: Alert | None) -> bool:
        if alert is None or quiet.unless is None:
            return False
        return quiet.unless.fits(alert, self.owner_of(alert))
