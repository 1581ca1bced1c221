"""Finds what cannot hold in a notify file although each part is well formed: names of nothing, what
contradicts something else, what can never happen."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.notifier.channels import CHANNEL_BY_NAME
from services.notifier.channels.sink import SinkSettings
from services.notifier.domain.delivery import Purpose
from services.notifier.domain.plan import EVERY_TENANT
from services.notifier.domain.plan.people import Person
from services.notifier.domain.plan.quiet_hours import LONGEST, free_from
from services.notifier.domain.plan.routes import Route, When, folded
from services.notifier.notify_file.model import NotifyFile, QuietHoursEntry, SinkOptions
from shared.rules.document import Path
from shared.rules.refusal import known_names

Fault = tuple[Path, str]
ABOUT_ONE_LEAD = frozenset(Purpose) - {
    *(Purpose.STORM_DIGEST, Purpose.DAILY_DIGEST, Purpose.WEEKLY_SUMMARY, Purpose.AGEING),
    Purpose.NOTICE,
}
_SOME_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Sinks:
    """The sinks that are well formed, and what the file says of them beside."""

    settings: Mapping[str, SinkSettings]
    options: Mapping[str, SinkOptions]


def contradictions(file: NotifyFile, sinks: Sinks) -> Iterator[Fault]:
    """Each fault with the path of its place."""
    if not file.sinks:
        yield ("sinks",), "there are no sinks; each has a name and a channel"
    for name, settings in sinks.settings.items():
        yield from _asked_too_much(name, settings)
    for index, route in enumerate(file.routes):
        yield from _unknown_sinks(index, route, file.sinks)
        yield from _unknown_owners(("routes", index, "when", "owner"), route.when, file)
        yield from _never_reached(index, file.routes)
        for number, name in enumerate(route.sinks):
            if name in sinks.settings and (why := _deaf(route.when, name, sinks)):
                yield (*_to(index, route), number), f"no lead of this route gets to {name}: {why}"
    yield from _owned_twice(file.people)
    for path, entries in _all_quiet_hours(file, sinks):
        for number, entry in enumerate(entries):
            if entry.unless is not None:
                yield from _unknown_owners((*path, number, "except", "owner"), entry.unless, file)
        spans = [entry.spans(file.time_zone) for entry in entries]
        if free_from(_SOME_MONDAY, spans) - _SOME_MONDAY >= LONGEST:
            yield path, "these quiet hours leave no moment in the week"


def _asked_too_much(name: str, settings: SinkSettings) -> Iterator[Fault]:
    accepts = CHANNEL_BY_NAME[settings.channel].accepts
    for index, purpose in enumerate(settings.sends):
        if purpose not in accepts:
            told = ", ".join(sorted(p.value for p in accepts))
            fault = f"{settings.channel} cannot tell {purpose.value}; it can tell {told}"
            yield ("sinks", name, "sends", index), fault


def _unknown_sinks(index: int, route: Route, sinks: Mapping[str, Any]) -> Iterator[Fault]:
    for number, name in enumerate(route.sinks):
        if name not in sinks:
            fault = f"there is no sink {name}; {known_names(name, tuple(sinks))}"
            yield (*_to(index, route), number), fault


def _unknown_owners(path: Path, when: When, file: NotifyFile) -> Iterator[Fault]:
    for number, name in enumerate(when.owner):
        if name not in file.people:
            fault = f"{name} is not among `people`; {known_names(name, tuple(file.people))}"
            yield (*path, number), fault


def _never_reached(index: int, routes: tuple[Route, ...]) -> Iterator[Fault]:
    route, before = routes[index], routes[:index]
    for number, earlier in enumerate(before, start=1):
        if earlier.otherwise:
            yield ("routes", index), f"never reached: route {number} is `else`, which must be last"
        elif (earlier.stop or route.otherwise) and earlier.when.covers(route.when):
            what = "stops every lead of this one" if earlier.stop else "fits every lead"
            yield ("routes", index), f"never reached: route {number} {what} ({earlier.when})"


def _deaf(when: When, name: str, sinks: Sinks) -> str | None:
    """Why a sink hears nothing of a route's leads; None when it may."""
    settings, offices = sinks.settings[name], sinks.options[name].offices
    if settings.sends and ABOUT_ONE_LEAD.isdisjoint(settings.sends):
        return f"it is told {', '.join(settings.sends)} only"
    if when.office and offices and not set(when.office) & set(offices):
        return f"it hears of office {' and '.join(offices)} only"
    if when.tenant and not {*when.tenant, EVERY_TENANT} & set(settings.tenants):
        return f"it serves tenant {' and '.join(settings.tenants)} only"
    return None


def _owned_twice(people: Mapping[str, Person]) -> Iterator[Fault]:
    for what in ("accounts", "territories"):
        seen: dict[str, list[str]] = {}
        for name, person in people.items():
            for index, key in enumerate(getattr(person, what)):
                for other in seen.get(folded(key), ()):
                    if _meet(people[other], person):
                        yield ("people", name, what, index), f"{key} is {other}'s already"
                seen.setdefault(folded(key), []).append(name)


def _meet(one: Person, other: Person) -> bool:
    tenants, theirs = set(one.tenants), set(other.tenants)
    same_tenant = tenants & theirs or EVERY_TENANT in tenants | theirs
    same_office = set(one.offices) & set(other.offices) or not (one.offices and other.offices)
    return bool(same_tenant and same_office)


def _all_quiet_hours(
    file: NotifyFile, sinks: Sinks
) -> Iterable[tuple[Path, tuple[QuietHoursEntry, ...]]]:
    yield ("quiet_hours",), file.quiet_hours
    for name, options in sinks.options.items():
        yield ("sinks", name, "quiet_hours"), options.quiet_hours or ()


def _to(index: int, route: Route) -> Path:
    return ("routes", index, "to" if route.to else "else")
