"""When people are left alone: reads a moment, decides from when on they may be disturbed (rules.md §8)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from services.notifier.domain.plan.routes import When

EVERY_DAY = frozenset(range(7))
LONGEST = timedelta(days=8)
"""Longer than any quiet hours that leave a moment free in the week."""


@dataclass(frozen=True)
class QuietHours:
    """A span that begins on each of `days` (0: Monday) at `start`, by the clocks of `zone`.

    An `end` at or before `start` lies in the next day. A lead that `unless` fits is told all the same.
    A clock that is put back lengthens the span; one that is put forward over its end moves the end on.
    """

    start: time
    end: time
    zone: tzinfo
    days: frozenset[int] = EVERY_DAY
    unless: When | None = None

    def until(self, now: datetime) -> datetime | None:
        """The end (UTC) of the span that `now` lies in; None outside of one."""
        today = now.astimezone(self.zone).date()
        for day in (today - timedelta(days=1), today):
            if day.weekday() in self.days and self._begin(day) <= now < (end := self._end(day)):
                return end
        return None

    def _begin(self, day: date) -> datetime:
        return datetime.combine(day, self.start, self.zone).astimezone(UTC)

    def _end(self, day: date) -> datetime:
        on = day if self.end > self.start else day + timedelta(days=1)
        end = datetime.combine(on, self.end, self.zone)
        # Where the clocks are changed there are two readings; the later one disturbs nobody too early.
        return max(end.replace(fold=fold).astimezone(UTC) for fold in (0, 1))


def free_from(now: datetime, spans: Iterable[QuietHours]) -> datetime:
    """The first moment from `now` on outside of all spans: `now` itself, or UTC.

    Spans that leave nothing free hold nobody back longer than LONGEST.
    """
    spans, moment, last = tuple(spans), now, now + LONGEST
    while moment < last:
        ends = [end for span in spans if (end := span.until(moment)) is not None]
        if not ends:
            return moment
        moment = max(ends)
    return last
