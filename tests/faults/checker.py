"""Judges a history: what was lost, doubled, wrong, stale or stuck. Pure; the expectation is not the system's.

lost: an acknowledged input has not had its effect. doubled: an effect was had once too often. wrong: it
should never have been. stale: an older version stands over a newer. stuck: it came too late, or not yet.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from tests.faults.alert_rules import BLIND, crm_violations, sink_violations
from tests.faults.expectation import LeadHistory, expected
from tests.faults.history import (
    Broken,
    CrmRecord,
    Doubt,
    Entry,
    Fault,
    Input,
    Mark,
    Merged,
    OtherRules,
    Poison,
    PutAside,
    Taken,
    Told,
    Waiting,
)
from tests.faults.lives import Life, life_of
from tests.faults.meanwhile import add_meanwhile
from tests.faults.topic_rules import topic_violations
from tests.faults.violation import Violation

T = TypeVar("T", bound=Entry)
Kind = Literal["lost", "doubled", "wrong", "stale", "stuck"]
KINDS: tuple[Kind, ...] = ("lost", "doubled", "wrong", "stale", "stuck")
LONGEST_STOP_S = 15.0
MOST_RETRIES_PER_S = 5.0


@dataclass(frozen=True)
class Verdict:
    """What a history came to."""

    violations: Sequence[Violation]
    rounds: int
    inputs: int
    leads: int
    alerts: int
    resume_s: Sequence[float]
    longest_stop_s: float | None = None
    most_retries_per_s: float | None = None
    doubts: int = 0
    """Alerts on blind channels that the notifier itself calls ones that may have arrived."""

    def count(self, kind: str) -> int:
        """How many violations of a kind there are."""
        return sum(each.kind == kind for each in self.violations)


class _Sorted:
    """The entries of a history by their kinds."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._found: dict[str, list[Entry]] = defaultdict(list)
        for entry in entries:
            self._found[type(entry).__name__].append(entry)

    def of(self, kind: type[T]) -> list[T]:
        """Those of one kind, in their order."""
        return [entry for entry in self._found[kind.__name__] if isinstance(entry, kind)]


def check(
    entries: Iterable[Entry],
    expect: Callable[[Iterable[Input]], Mapping[str, LeadHistory]] = expected,
) -> Verdict:
    """The verdict on a history that has come to its end."""
    found = _Sorted(entries)
    leads = expect(found.of(Input))
    add_meanwhile(leads, found.of(Input), found.of(Merged), found.of(OtherRules))
    taken, marks, faults = found.of(Taken), found.of(Mark), found.of(Fault)
    doubts = found.of(Doubt)
    reached = _first_taken(taken)
    violations = [
        *topic_violations(leads, found.of(Told)),
        *sink_violations(leads, _lives(found.of(Told)), taken, doubts),
        *crm_violations(leads, found.of(CrmRecord)),
        *_poison_violations(found.of(Poison), found.of(PutAside)),
        *_late(marks, reached),
        *_still_waiting(found.of(Waiting), found.of(Broken)),
        *_slow_or_eager(faults),
    ]
    return Verdict(
        violations=violations,
        rounds=len({(fault.name, fault.round) for fault in faults}),
        inputs=len(found.of(Input)),
        leads=len(leads),
        alerts=len({(t.channel, t.identity, t.lead_id) for t in taken}),
        resume_s=_resumes(marks, reached),
        longest_stop_s=_most(fault.stop_s for fault in faults),
        most_retries_per_s=_most(fault.retries_per_s for fault in faults),
        doubts=len({(each.lead_id, each.office) for each in doubts if each.channel in BLIND}),
    )


def _lives(told: Iterable[Told]) -> dict[str, Life]:
    by_lead: dict[str, list[Told]] = defaultdict(list)
    for each in told:
        by_lead[each.lead_id].append(each)
    return {lead_id: life_of(messages) for lead_id, messages in by_lead.items()}


def _most(measured: Iterable[float | None]) -> float | None:
    return max((each for each in measured if each is not None), default=None)


def _first_taken(taken: Iterable[Taken]) -> dict[tuple[str, str], float]:
    """When a lead was first heard of, by each channel and (no channel) by any."""
    first: dict[tuple[str, str], float] = {}
    for each in taken:
        for channel in ("", each.channel):
            reached = each.lead_id, channel
            first[reached] = min(each.at, first.get(reached, each.at))
    return first


def _late(marks: Iterable[Mark], reached: Mapping[tuple[str, str], float]) -> Iterator[Violation]:
    for mark in marks:
        came = reached.get((mark.lead_id, mark.channel))
        if came is None or came - mark.healed_at > mark.bound_s:
            after = "never" if came is None else f"after {came - mark.healed_at:.1f} s"
            what = f"{mark.fault}, round {mark.round}: heard of {after}"
            yield Violation("stuck", mark.lead_id, what)


def _resumes(marks: Iterable[Mark], reached: Mapping[tuple[str, str], float]) -> list[float]:
    """Seconds from the healing of each fault to the last of its marks."""
    rounds: dict[tuple[str, int], list[float]] = defaultdict(list)
    for mark in marks:
        if (came := reached.get((mark.lead_id, mark.channel))) is not None:
            rounds[mark.fault, mark.round].append(max(0.0, came - mark.healed_at))
    return [max(found) for found in rounds.values()]


def _still_waiting(waiting: Iterable[Waiting], broken: Iterable[Broken]) -> Iterator[Violation]:
    for each in waiting:
        yield Violation("stuck", each.what, f"{each.count} still under way at the end")
    for bound in broken:
        yield Violation("stuck", bound.what, f"{bound.fault}, round {bound.round}")


def _slow_or_eager(faults: Iterable[Fault]) -> Iterator[Violation]:
    for fault in faults:
        if fault.stop_s is not None and fault.stop_s > LONGEST_STOP_S:
            what = f"{fault.name}, round {fault.round}: {fault.stop_s:.1f} s to stop"
            yield Violation("stuck", fault.target, what)
        if fault.retries_per_s is not None and fault.retries_per_s > MOST_RETRIES_PER_S:
            what = f"{fault.name}, round {fault.round}: {fault.retries_per_s} retries a second"
            yield Violation("stuck", fault.target, what)


def _poison_violations(poison: Iterable[Poison], aside: Iterable[PutAside]) -> Iterator[Violation]:
    """Every bad record is put aside once, and nothing else is."""
    times = Counter((each.topic, each.partition, each.offset) for each in aside)
    for bad in poison:
        place = (bad.topic, bad.partition, bad.offset)
        where = f"{bad.topic}/{bad.partition}/{bad.offset}"
        if (count := times.pop(place, 0)) == 0:
            yield Violation("lost", where, f"bad record ({bad.sort}) was dropped in silence")
        elif count > 1:
            yield Violation("doubled", where, f"bad record ({bad.sort}) put aside {count} times")
    for topic, partition, offset in times:
        yield Violation("wrong", f"{topic}/{partition}/{offset}", "a good record was put aside")
