"""Judges what the sinks took: each alert to the right tenant and office, once an episode, none missing."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.faults.expectation import LeadHistory
from tests.faults.history import CrmRecord, Doubt, Taken
from tests.faults.violation import Violation

BLIND = frozenset({"slack"})
ALERTED = ("webhook", "slack")
"""The channels that are told of every CRITICAL lead, and of nothing else."""


def sink_violations(
    leads: Mapping[str, LeadHistory], taken: Iterable[Taken], doubts: Iterable[Doubt]
) -> Iterator[Violation]:
    """What is wrong with the alerts."""
    unsure = {(each.lead_id, each.channel) for each in doubts}
    by_lead: dict[tuple[str, str], list[Taken]] = defaultdict(list)
    for each in taken:
        by_lead[each.lead_id, each.channel].append(each)
    for (lead_id, channel), messages in by_lead.items():
        if channel not in ALERTED:
            continue
        lead = leads.get(lead_id)
        if lead is None or lead.alerts_most == 0:
            yield Violation("wrong", lead_id, f"{channel} was alerted: it was never CRITICAL")
            continue
        yield from _elsewhere(lead_id, lead, messages)
        if (effects := _effects(channel, messages)) > lead.alerts_most:
            what = f"{channel} was alerted {effects} times, at most {lead.alerts_most} are right"
            yield Violation("doubled", lead_id, what)
    for lead_id, lead in leads.items():
        for channel in ALERTED:
            missing = lead.alerts_least and not by_lead.get((lead_id, channel))
            if missing and (channel not in BLIND or (lead_id, channel) not in unsure):
                yield Violation("lost", lead_id, f"{channel} was never alerted")


def _effects(channel: str, messages: Sequence[Taken]) -> int:
    """A receiver that is idempotent takes equal identities as one."""
    return len(messages) if channel in BLIND else len({each.identity for each in messages})


def _elsewhere(lead_id: str, lead: LeadHistory, messages: Sequence[Taken]) -> Iterator[Violation]:
    for each in messages:
        if each.tenant != lead.tenant:
            what = f"{each.channel} of tenant {each.tenant} was alerted, it is {lead.tenant}'s"
            yield Violation("wrong", lead_id, what)
        elif each.office != lead.office:
            what = f"{each.channel} of office {each.office} was alerted, it is {lead.office}'s"
            yield Violation("wrong", lead_id, what)


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
