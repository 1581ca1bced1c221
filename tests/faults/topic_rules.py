"""Judges the public topics: each lead's messages in their order against what the inputs allow."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from tests.faults.expectation import LeadHistory
from tests.faults.history import Told
from tests.faults.violation import Violation


def topic_violations(leads: Mapping[str, LeadHistory], told: Iterable[Told]) -> Iterator[Violation]:
    """What is wrong with the public topics."""
    by_lead: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for each in told:
        by_lead[each.tenant, each.lead_id].append(each)
    for (tenant, lead_id), messages in by_lead.items():
        lead = leads.get(lead_id)
        if lead is None or lead.tenant != tenant:
            whose = "nobody" if lead is None else lead.tenant
            yield Violation("wrong", lead_id, f"told to {tenant}, and belongs to {whose}")
            continue
        yield from _impossible(lead_id, lead, messages)
        yield from _out_of_order(lead_id, messages)
        yield from _without_news(lead_id, messages)
    for lead_id, lead in leads.items():
        yield from _final(lead_id, lead, by_lead.get((lead.tenant, lead_id), []))


def _impossible(lead_id: str, lead: LeadHistory, messages: Sequence[Told]) -> Iterator[Violation]:
    for each in messages:
        if each.state == "open" and each.content not in lead.known:
            yield Violation("wrong", lead_id, f"version {each.version} says what no input says")


def _out_of_order(lead_id: str, messages: Sequence[Told]) -> Iterator[Violation]:
    """Told again is no fault; a version first told after a newer one is, and so is an older one left last."""
    newest = 0
    seen: set[int] = set()
    for each in messages:
        if each.version not in seen and each.version < newest:
            yield Violation("stale", lead_id, f"version {each.version} came after {newest}")
        seen.add(each.version)
        newest = max(newest, each.version)
    if messages[-1].version < newest:
        what = f"version {messages[-1].version} was left over {newest}"
        yield Violation("stale", lead_id, what)


def _without_news(lead_id: str, messages: Sequence[Told]) -> Iterator[Violation]:
    """A message of a new version that tells what the one before told: an input had its effect twice."""
    first = {each.version: each for each in reversed(messages)}
    ordered = [first[version] for version in sorted(first)]
    for each in messages:
        if (each.state, each.news) != (first[each.version].state, first[each.version].news):
            yield Violation("wrong", lead_id, f"version {each.version} was told in two ways")
    for before, after in pairwise(ordered):
        if before.state == after.state == "open" and before.news == after.news:
            what = f"version {after.version} tells what {before.version} told"
            yield Violation("doubled", lead_id, what)


def _final(lead_id: str, lead: LeadHistory, messages: Sequence[Told]) -> Iterator[Violation]:
    """What a subscriber holds at the end must be what the newest acknowledged input says."""
    last = messages[-1] if messages else None
    held = last.content if last and last.state == "open" else None
    if held == lead.final:
        return
    if lead.final is None:
        yield Violation("lost", lead_id, "its withdrawal: it still stands on the public topic")
    elif any(each.state == "open" and each.content == lead.final for each in messages):
        yield Violation("stale", lead_id, "the newest input was told, and does not stand")
    else:
        what = "the newest input was never told" if messages else "it was never told at all"
        yield Violation("lost", lead_id, what)
