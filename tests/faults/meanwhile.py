"""What may have been told of leads while accounts were merged, or other rules in force, that are no more."""

from collections.abc import Iterable, Mapping

from tests.faults.expectation import (
    OTHER_RULES,
    LeadHistory,
    by_tenant,
    content,
    firing,
    layers,
    office_of,
)
from tests.faults.history import Input, Merged, OtherRules


def add_meanwhile(
    leads: Mapping[str, LeadHistory],
    inputs: Iterable[Input],
    merges: Iterable[Merged],
    others: Iterable[OtherRules],
) -> None:
    """Adds it to what is known of the leads; what must stand at the end stays as it is."""
    for tenant in {other.tenant for other in others}:
        for current in layers(by_tenant(inputs).get(tenant, {})):
            for each in firing(tenant, current.values(), OTHER_RULES):
                office = office_of(current[each.lead.box_id])
                told = content(each.lead, each.score, office)
                leads[each.lead.lead_id].meanwhile.add(told)
    for merged in merges:
        for lead in leads.values():
            if lead.tenant == merged.tenant:
                lead.meanwhile |= {_moved(told, merged) for told in lead.known}


def _moved(told: str, merged: Merged) -> str:
    """A lead's content as that of the account into which its own was merged."""
    return told.replace(f"|{merged.account_id}|", f"|{merged.into}|")
