"""Judges what the sinks took: each alert to the right tenant and office, once an episode, none missing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from tests.faults.expectation import LeadHistory
from tests.faults.history import CrmRecord, Doubt, Taken
from tests.faults.lives import WRONG_CLOCK_S, Life
from tests.faults.offices import OFFICES
from tests.faults.violation import Violation

BLIND = frozenset({"slack"})
ALERTED = ("webhook", "slack")
"""The channels that are told of every CRITICAL lead, and of nothing else."""
_CLOCKS_S = 1.0
"""By so much the clocks of who says something and of who notes what came of it may differ."""
_UNDER_WAY_S = 120.0
"""So long an alert may be on its way: what was broken, and the minute in which all must be heard of."""


class _Place(NamedTuple):
    """A lead, and an office's sink for it."""

    lead_id: str
    channel: str
    tenant: str
    office: str

    @property
    def sink(self) -> str:
        """The sink in words."""
        return f"{self.channel} of {self.tenant}'s office {self.office}"


def sink_violations(
    leads: Mapping[str, LeadHistory],
    lives: Mapping[str, Life],
    taken: Iterable[Taken],
    doubts: Iterable[Doubt],
) -> Iterator[Violation]:
    """What is wrong with the alerts. `lives`: the leads as the public topics told of them."""
    heard: dict[_Place, list[Taken]] = defaultdict(list)
    for each in taken:
        if each.channel in ALERTED:
            heard[_Place(each.lead_id, each.channel, each.tenant, each.office)].append(each)
    for place, messages in heard.items():
        lead = leads.get(place.lead_id)
        if lead is None or lead.alerts_most == 0 or place.tenant != lead.tenant:
            what = f"{place.sink} was alerted: no such lead of theirs was ever CRITICAL"
            yield Violation("wrong", place.lead_id, what)
        else:
            yield from _too_much(place, lead, lives.get(place.lead_id, Life(())), messages)
    unsure = {(each.lead_id, each.channel, each.office) for each in doubts}
    end = max((each.at for messages in heard.values() for each in messages), default=0.0)
    for place, since in _must_hear(leads, lives):
        doubted = place.channel in BLIND and (place.lead_id, place.channel, place.office) in unsure
        by_wrong_clock = since > end + WRONG_CLOCK_S
        told = any(by_wrong_clock or each.at > since - _CLOCKS_S for each in heard.get(place, ()))
        if not told and not doubted:
            what = f"{place.sink} was never alerted of what is CRITICAL now"
            yield Violation("lost", place.lead_id, what)


def _too_much(
    place: _Place, lead: LeadHistory, life: Life, messages: Sequence[Taken]
) -> Iterator[Violation]:
    most = min(lead.alerts_most, life.episodes_at(place.office))
    effects = _effects(place.channel, messages)
    if most == 0:
        what = f"{place.sink} was alerted, which never had it while it mattered"
        yield Violation("wrong", place.lead_id, what)
    elif effects > most:
        what = f"{place.sink} was alerted {effects} times, at most {most} are right"
        yield Violation("doubled", place.lead_id, what)
    for each in messages:
        if most and not life.had(place.office, each.at - _UNDER_WAY_S, each.at + _CLOCKS_S):
            what = f"{place.sink} was alerted more than {_UNDER_WAY_S:.0f} s after it had lost it"
            yield Violation("wrong", place.lead_id, what)


def _must_hear(
    leads: Mapping[str, LeadHistory], lives: Mapping[str, Life]
) -> Iterator[tuple[_Place, float]]:
    """The sinks of the office that has a CRITICAL lead at the end, and since when it is one."""
    for lead_id, lead in leads.items():
        office = lead.final_office
        if lead.alerts_least and office in OFFICES:
            first = lives[lead_id].must_be_told if lead_id in lives else None
            for channel in ALERTED:
                yield _Place(lead_id, channel, lead.tenant, office), first.at if first else 0.0


def _effects(channel: str, messages: Sequence[Taken]) -> int:
    """A receiver that is idempotent takes equal identities as one."""
    return len(messages) if channel in BLIND else len({each.identity for each in messages})


def crm_violations(
    leads: Mapping[str, LeadHistory], records: Sequence[CrmRecord]
) -> Iterator[Violation]:
    """What is wrong with the CRM: one record of each CRITICAL lead, with its newest score."""
    held: dict[str, list[CrmRecord]] = defaultdict(list)
    for record in records:
        held[record.lead_id].append(record)
    for lead_id, found in held.items():
        lead = leads.get(lead_id)
        if lead is None or lead.alerts_most == 0:
            yield Violation("wrong", lead_id, "the CRM has it: it was never CRITICAL")
        elif len(found) > 1:
            yield Violation("doubled", lead_id, f"the CRM has {len(found)} records of it")
        elif lead.alerts_least and found[0].score != lead.final_score:
            what = f"the CRM holds score {found[0].score}, the newest is {lead.final_score}"
            yield Violation("stale", lead_id, what)
    for lead_id, lead in leads.items():
        if records and lead.alerts_least and lead_id not in held:
            yield Violation("lost", lead_id, "the CRM never got it")
