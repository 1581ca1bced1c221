"""What must have come of the acknowledged inputs, by pure evaluation: no service is asked.

Of a box every version may have been seen for a while, or skipped; the newest must stand at the end.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from onelead.assess.assessment import AssessedLead, assess
from services.ingest.sources.tables import SourceRow, SourceTable
from shared.events import LeadChanged, LeadFacts, Priority, RecordKind, Score
from shared.rules.load import parse_rules
from shared.rules.model import Rules
from tests.faults import offices
from tests.faults.history import Input

AS_OF = date(2025, 10, 9)
_HIGH = {"priorities": {"high": 68}}
"""So high that a lead which is CRITICAL may become MEDIUM without going away."""
RULES = parse_rules({"offices": offices.RULES, "scoring": _HIGH})
_LOWER = {"value": {"base": RULES.scoring.value.base - 0.5}}
OTHER_RULES = parse_rules({"offices": offices.RULES, "scoring": {**_HIGH, **_LOWER}})
"""Rules under which every score is a little lower, and hardly any lead another priority."""
_KEEPS_OPEN = (Priority.CRITICAL, Priority.HIGH)


class State(NamedTuple):
    """What a lead says between two changes of its box, and whose it is."""

    content: str
    priority: Priority
    score: float
    office: str


@dataclass
class LeadHistory:
    """The states that a lead may take, in the order of its box's versions; None: withdrawn or absent."""

    tenant: str
    states: list[State | None] = field(default_factory=list)
    meanwhile: set[str] = field(default_factory=set)
    """What may have been told of it besides, while something was otherwise that is no more."""

    @property
    def final(self) -> str | None:
        """What must be told of it at the end."""
        last = self.states[-1]
        return last.content if last else None

    @property
    def final_score(self) -> float | None:
        """The score at the end."""
        last = self.states[-1]
        return last.score if last else None

    @property
    def final_office(self) -> str | None:
        """The office that has it at the end."""
        last = self.states[-1]
        return last.office if last else None

    @property
    def known(self) -> set[str]:
        """Everything that could ever rightly be told of it."""
        return self.meanwhile.union(state.content for state in self.states if state)

    @property
    def alerts_most(self) -> int:
        """How many episodes of CRITICAL there can have been: all of them when no version was skipped."""
        episodes, is_open = 0, False
        for state in self.states:
            if state is None or state.priority not in _KEEPS_OPEN:
                is_open = False
            elif state.priority is Priority.CRITICAL and not is_open:
                episodes, is_open = episodes + 1, True
        return episodes

    @property
    def alerts_least(self) -> int:
        """One when it is CRITICAL at the end, whatever was skipped before."""
        last = self.states[-1]
        return int(last is not None and last.priority is Priority.CRITICAL)


def expected(inputs: Iterable[Input]) -> Mapping[str, LeadHistory]:
    """Every lead that the inputs could ever bring about, by its id."""
    found: dict[str, LeadHistory] = {}
    for tenant, boxes in by_tenant(inputs).items():
        _evaluate(tenant, boxes, found)
    return found


def by_tenant(inputs: Iterable[Input]) -> dict[str, dict[str, list[Input]]]:
    """The versions of each box, in their order."""
    found: dict[str, dict[str, dict[int, Input]]] = defaultdict(lambda: defaultdict(dict))
    for each in inputs:
        found[each.tenant][each.box][each.version] = each
    return {
        tenant: {box: [of[number] for number in sorted(of)] for box, of in boxes.items()}
        for tenant, boxes in found.items()
    }


def layers(boxes: Mapping[str, Sequence[Input]]) -> Iterator[dict[str, Input]]:
    """The first versions of all boxes, the second ones, and so on."""
    for layer in range(max(map(len, boxes.values()), default=0)):
        yield {box: versions[layer] for box, versions in boxes.items() if layer < len(versions)}


def _evaluate(
    tenant: str, boxes: Mapping[str, Sequence[Input]], found: dict[str, LeadHistory]
) -> None:
    """Assesses the n-th versions of all boxes together, for every n."""
    leads_of: dict[str, set[str]] = defaultdict(set)
    for layer, current in enumerate(layers(boxes)):
        found_now = list(firing(tenant, current.values()))
        for lead in found_now:
            lead_id, box = lead.lead.lead_id, lead.lead.box_id
            if lead_id not in found:
                found[lead_id] = LeadHistory(tenant, [None] * layer)
                leads_of[box].add(lead_id)
            found[lead_id].states.append(_state(lead, current[box]))
        fired = {lead.lead.lead_id for lead in found_now}
        for box in current:
            for lead_id in leads_of[box] - fired:
                found[lead_id].states.append(None)


def firing(tenant: str, current: Iterable[Input], rules: Rules = RULES) -> Iterator[AssessedLead]:
    """The leads of boxes that stand so, all together."""
    rows = [
        SourceRow(number, each.box, each.values, {})
        for number, each in enumerate(current, start=1)
        if each.values is not None
    ]
    table = SourceTable("upstream", "boxes", RecordKind.INSTALL_BASE, 2, {}, rows)
    yield from assess([table], rules, AS_OF, tenant_id=tenant, keep_findings=False).leads


def _state(each: AssessedLead, box: Input) -> State:
    office = office_of(box)
    told = content(each.lead, each.score, office)
    return State(told, each.score.priority, each.score.score, office)


def office_of(box: Input) -> str:
    """Whose a box's leads are."""
    return offices.office_of((box.values or {})["postal_code"])


def told_content(lead: LeadChanged) -> str:
    """What a subscriber cares about, of a lead as published."""
    return content(lead, lead, str(lead.office_id))


def content(facts: LeadFacts | LeadChanged, score: Score | LeadChanged, office: str) -> str:
    """What a subscriber cares about, of a lead, its score and its office."""
    parts = (
        office,
        *(facts.lead_type.value, facts.box_id, facts.title, facts.account_id, facts.support_status),
        *(facts.end_of_life, facts.service_end, facts.risk.value),
        *(f"{facts.estimated_value_min:f}", f"{facts.estimated_value_max:f}"),
        *(f"{score.score:.1f}", score.priority.value),
    )
    return "|".join(map(str, parts))
