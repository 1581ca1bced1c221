"""Judges variations of one case: the same factors as a score's, without words, only what can move."""

from collections.abc import Iterable, Mapping

from services.scoring.domain.case import Case
from services.scoring.domain.factors import PROFILES
from services.scoring.domain.score import priority_of, round_score, weighted_sum
from services.scoring.domain.tally import HIGHEST
from shared.events import Priority
from shared.rules.model import Scoring


class Trial:
    """A case whose components are known; those that a variation touches are judged again.

    `points` are those of the components. `jumps` are the ages at which the score jumps, by the
    field of the case that holds the age; between them it never falls with age.
    """

    def __init__(
        self, case: Case, rules: Scoring, points: Mapping[str, float] | None = None
    ) -> None:
        """`points` of the case, where they are known already."""
        self.case = case
        self.rules = rules
        self.factors = {factor.name: factor for factor in PROFILES[rules.profile]}
        self.points = points or {
            name: factor.points(case, rules) for name, factor in self.factors.items()
        }
        self.jumps: dict[str, tuple[int, ...]] = {}
        for factor in self.factors.values():
            for field, ages in factor.jumps(rules).items():
                self.jumps[field] = (*self.jumps.get(field, ()), *ages)
        self.score = self.sum_of(self.points)

    def sum_of(self, points: Mapping[str, float]) -> float:
        """The rounded score of components."""
        return round_score(weighted_sum(points, self.rules))

    def score_of(
        self, case: Case, touched: Iterable[str], points: Mapping[str, float] | None = None
    ) -> float:
        """The rounded score of a variation: `touched` components are judged, the others have `points`.

        Without `points` the others are as they are.
        """
        judged = dict(points or self.points)
        for name in touched:
            judged[name] = self.factors[name].points(case, self.rules)
        return self.sum_of(judged)

    def highest_possible(self, touched: Iterable[str]) -> float:
        """What the score cannot exceed, whatever the `touched` factors say."""
        return self.sum_of({**self.points, **dict.fromkeys(touched, HIGHEST)})

    def priority(self, score: float) -> Priority:
        """The priority of a rounded score."""
        return priority_of(score, self.rules.priorities)
