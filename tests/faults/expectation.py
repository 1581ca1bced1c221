"""What must have come of the acknowledged inputs, by pure evaluation: no service is asked.

Of a box every version may have been seen for a while, or skipped; the newest must stand at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from onelead.assess.assessment import AssessedLead, assess
from services.ingest.sources.tables import SourceRow, SourceTable
from shared.events import LeadChanged, LeadFacts, Priority, RecordKind, Score
from shared.rules.load import default_rules
from tests.faults.history import Input
from tests.faults.offices import office_of

AS_OF = date(2025, 10, 9)
_RULES = default_rules()
_KEEPS_OPEN = (Priority.CRITICAL, Priority.HIGH)


@dataclass
class LeadHistory:
    """The states that a lead may take, in the order of its box's versions; None: withdrawn or absent."""

    tenant: str
    office: str
    states: list[tuple[str, Priority, float] | None] = field(default_factory=list)

    @property
    def final(self) -> str | None:
        """What must be told of it at the end."""
        last = self.states[-1]
        return last[0] if last else None

    @property
    def final_score(self) -> float | None:
        """The score at the end."""
        last = self.states[-1]
        return last[2] if last else None

    @property
    def known(self) -> frozenset[str]:
        """Everything that could ever rightly be told of it."""
        return frozenset(state[0] for state in self.states if state)

    @property
    def alerts_most(self) -> int:
        """How many episodes of CRITICAL there can have been: all of them when no version was skipped."""
        episodes, is_open = 0, False
        for state in self.states:
            if state is None or state[1] not in _KEEPS_OPEN:
                is_open = False
            elif state[1] is Priority.CRITICAL and not is_open:
                episodes, is_open = episodes + 1, True
        return episodes

    @property
    def alerts_least(self) -> int:
        """One when it is CRITICAL at the end, whatever was skipped before."""
        last = self.states[-1]
        return int(last is not None and last[1] is Priority.CRITICAL)


def expected(inputs: Iterable[Input]) -> Mapping[str, LeadHistory]:
    """Every lead that the inputs could ever bring about, by its id."""
    found: dict[str, LeadHistory] = {}
    by_tenant: dict[str, dict[str, dict[int, Input]]] = defaultdict(lambda: defaultdict(dict))
    for each in inputs:
        by_tenant[each.tenant][each.box][each.version] = each
    for tenant, boxes in by_tenant.items():
        ordered = {box: [v[number] for number in sorted(v)] for box, v in boxes.items()}
        _evaluate(tenant, ordered, found)
    return found


def _evaluate(
    tenant: str, boxes: Mapping[str, Sequence[Input]], found: dict[str, LeadHistory]
) -> None:
    """Assesses the n-th versions of all boxes together, for every n."""
    leads_of: dict[str, set[str]] = defaultdict(set)
    for layer in range(max(map(len, boxes.values()), default=0)):
        current = {box: versions[layer] for box, versions in boxes.items() if layer < len(versions)}
        firing = list(_firing(tenant, current.values()))
        for lead in firing:
            lead_id, box = lead.lead.lead_id, lead.lead.box_id
            if lead_id not in found:
                office = office_of(str(lead.lead.territory_id))
                found[lead_id] = LeadHistory(tenant, office, [None] * layer)
                leads_of[box].add(lead_id)
            found[lead_id].states.append(_state(lead))
        fired = {lead.lead.lead_id for lead in firing}
        for box in current:
            for lead_id in leads_of[box] - fired:
                found[lead_id].states.append(None)


def _firing(tenant: str, current: Iterable[Input]) -> Iterator[AssessedLead]:
    rows = [
        SourceRow(number, each.box, each.values, {})
        for number, each in enumerate(current, start=1)
        if each.values is not None
    ]
    table = SourceTable("upstream", "boxes", RecordKind.INSTALL_BASE, 2, {}, rows)
    yield from assess([table], _RULES, AS_OF, tenant_id=tenant, keep_findings=False).leads


def _state(each: AssessedLead) -> tuple[str, Priority, float]:
    return _content(each.lead, each.score), each.score.priority, each.score.score


def told_content(lead: LeadChanged) -> str:
    """What a subscriber cares about, of a lead as published."""
    return _content(lead, lead)


def _content(facts: LeadFacts | LeadChanged, score: Score | LeadChanged) -> str:
    parts = (
        *(facts.lead_type.value, facts.box_id, facts.title, facts.account_id, facts.support_status),
        *(facts.end_of_life, facts.service_end, facts.risk.value),
        *(f"{facts.estimated_value_min:f}", f"{facts.estimated_value_max:f}"),
        *(f"{score.score:.1f}", score.priority.value),
    )
    return "|".join(map(str, parts))
