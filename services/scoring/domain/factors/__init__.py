"""The factors of the score, one file each; a new one is a file and a line here."""

from collections.abc import Callable, Mapping
from functools import cache
from operator import attrgetter
from types import MappingProxyType
from typing import NamedTuple

from services.scoring.domain.case import Case
from services.scoring.domain.factors.classic import (
    classic_propensity,
    classic_strategic_fit,
    classic_urgency,
    classic_urgency_jumps,
    classic_value,
)
from services.scoring.domain.factors.propensity import propensity, propensity_jumps
from services.scoring.domain.factors.strategic_fit import strategic_fit
from services.scoring.domain.factors.urgency import urgency, urgency_jumps
from services.scoring.domain.factors.value import value
from services.scoring.domain.tally import Component, Ledger, Tally
from shared.rules.model import Scoring

Known = dict[tuple[object, ...], Component]
"""Components already judged under the same rules, by factor and all inputs."""

VALUE_READS = (
    *("estimated_value_max", "currency", "average_closed_amount", "territory_average", "items"),
)
PROPENSITY_READS = (
    *("open_opportunities", "won", "lost", "win_rate", "days_since_project"),
    *("recent_closed_amounts", "segment"),
)
FIT_READS = ("product_family", "product_family_parent", "lead_type", "segment")


def _timeless(_rules: Scoring) -> dict[str, tuple[int, ...]]:
    return {}


class Factor(NamedTuple):
    """A component of the score. `jumps` names the ages that it reads, by fields of Case.

    For each it tells the ages at which the points jump. Between them the points stay, or, when the
    component `rises`, never fall with age. `reads`: the fields of Case that it depends on, where
    leads of an account so often agree in them that the component is worth being remembered.
    """

    name: str
    judge: Callable[[Case, Scoring, Tally], None]
    jumps: Callable[[Scoring], Mapping[str, tuple[int, ...]]] = _timeless
    rises: bool = False
    reads: tuple[str, ...] = ()

    def points(self, case: Case, rules: Scoring) -> float:
        """The points of the component, 0–100, without the words."""
        tally = Tally()
        self.judge(case, rules, tally)
        return tally.total()

    def component(self, case: Case, rules: Scoring) -> Component:
        """The component with its ledger."""
        ledger = Ledger(self.name)
        self.judge(case, rules, ledger)
        return ledger.close()

    def recalled(self, case: Case, rules: Scoring, known: Known) -> Component:
        """The component, out of `known` if the same was asked before under the same rules."""
        if not self.reads:
            return self.component(case, rules)
        key = (self.name, *_fields(self.reads)(case))
        if (found := known.get(key)) is None:
            found = known[key] = self.component(case, rules)
        return found


_fields = cache(lambda names: attrgetter(*names))


FACTORS: tuple[Factor, ...] = (
    Factor("urgency", urgency, urgency_jumps, rises=True),
    Factor("value", value, reads=VALUE_READS),
    Factor("propensity", propensity, propensity_jumps, reads=PROPENSITY_READS),
    Factor("strategic_fit", strategic_fit, reads=FIT_READS),
)

CLASSIC_FACTORS: tuple[Factor, ...] = (
    Factor("urgency", classic_urgency, classic_urgency_jumps),
    Factor("value", classic_value),
    Factor("propensity", classic_propensity),
    Factor("strategic_fit", classic_strategic_fit),
)

PROFILES: Mapping[str, tuple[Factor, ...]] = MappingProxyType(
    {"default": FACTORS, "classic": CLASSIC_FACTORS}
)
