"""What may stand in the notify file, part by part; sinks are described by their channels' own settings."""

import difflib
import re
from datetime import time, tzinfo
from functools import cache
from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, create_model

from services.notifier.channels import CHANNEL_BY_NAME
from services.notifier.channels.sink import Mailbox, SinkSettings
from services.notifier.domain.digests import DigestTimes
from services.notifier.domain.plan import Limits
from services.notifier.domain.plan.people import Person
from services.notifier.domain.plan.quiet_hours import QuietHours
from services.notifier.domain.plan.routes import Names, Route, When, listed
from shared.rules.base import Positive, RuleError, Section, one_of
from shared.topics import check_tenant

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAME = re.compile(r"\w[\w.-]{0,59}")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _zone(name: str) -> str:
    known = available_timezones()
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    meant = f"did you mean {near[0]}? " if near else ""
    raise RuleError(f"{name!r} is no time zone; {meant}Expected one like Europe/Zurich")


def _clock(given: object) -> object:
    if isinstance(given, str) and _CLOCK.fullmatch(given):
        return time.fromisoformat(given)
    raise RuleError(f"{given!r} is no time of day; expected one like 07:30")


def _until(given: object) -> object:
    return time(0) if given == "24:00" else _clock(given)


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise RuleError("a name is one word of letters, digits, '-', '_' and '.', at most 60")
    return name


def _tenant(name: str) -> str:
    return name if name == "*" else check_tenant(name)


Zone = Annotated[str, AfterValidator(_zone)]
Clock = Annotated[time, BeforeValidator(_clock)]
Day = Annotated[str, AfterValidator(one_of(*DAYS))]
Name = Annotated[str, AfterValidator(_name)]


class QuietHoursEntry(Section):
    """Hours of some days in which nobody is disturbed, except by leads that `except` fits."""

    days: Annotated[tuple[Day, ...], BeforeValidator(listed), Field(min_length=1)] = DAYS
    begin: Clock = Field(alias="from")
    to: Annotated[time, BeforeValidator(_until)]
    time_zone: Zone | None = None
    unless: When | None = Field(None, alias="except")

    def spans(self, zone: str) -> QuietHours:
        """The hours, in their own time zone or else in this one."""
        days = frozenset(map(DAYS.index, self.days))
        return QuietHours(self.begin, self.to, ZoneInfo(self.time_zone or zone), days, self.unless)


class LimitsEntry(Section):
    """Storm control; null for no limit."""

    alerts_per_hour: Positive | None = None
    alerts_per_account_and_day: Positive | None = None

    def over(self, below: Limits) -> Limits:
        """These limits where they are said, else those below."""
        said = {name: getattr(self, name) for name in self.model_fields_set}
        return Limits(**{**vars(below), **said})


class DigestsEntry(Section):
    """When digests go out."""

    daily_at: Clock = DigestTimes.daily_at
    weekly_on: Day = DAYS[DigestTimes.weekly_on]
    weekly_at: Clock = DigestTimes.weekly_at
    ageing_after_days: Positive = DigestTimes.ageing_after_days
    time_zone: Zone | None = None

    def times(self, zone: tzinfo) -> DigestTimes:
        """The times, in their own time zone or else in this one."""
        own = ZoneInfo(self.time_zone) if self.time_zone else zone
        day = DAYS.index(self.weekly_on)
        return DigestTimes(self.daily_at, self.weekly_at, day, self.ageing_after_days, own)


class PersonEntry(Person):
    """A person whose mail address and time zone are real ones."""

    mail: Mailbox | None = None
    time_zone: Zone | None = None


class SinkOptions(Section):
    """What may stand with a sink of any channel, beside its channel's own settings."""

    offices: Names = ()
    quiet_hours: tuple[QuietHoursEntry, ...] | None = None
    limits: LimitsEntry | None = None


class NotifyFile(Section):
    """The whole file. `sinks` are checked by their channels."""

    sinks: dict[Name, dict[str, Any]] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    people: dict[Name, PersonEntry] = Field(default_factory=dict)
    quiet_hours: tuple[QuietHoursEntry, ...] = ()
    limits: LimitsEntry = LimitsEntry()
    digests: DigestsEntry = DigestsEntry()
    time_zone: Zone = "UTC"


@cache
def sink_model(channel: str) -> type[SinkSettings]:
    """What a sink of this channel may say: its settings and the options. Raises KeyError."""
    own = CHANNEL_BY_NAME[channel].settings_class
    tenants = (tuple[Annotated[str, AfterValidator(_tenant)], ...], ("default",))
    made = create_model(own.__name__, __base__=(own, SinkOptions), tenants=tenants)
    return cast(type[SinkSettings], made)
