"""The days on which a lead's priority changes by itself (rules.md §4)."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from services.scoring.domain.case import Case
from services.scoring.domain.factors import Factor
from services.scoring.domain.outlook.ages import first_reaching, stretches
from services.scoring.domain.outlook.trial import Trial
from shared.events import AccountProfile, Crossing, LeadFacts
from shared.rules.model import Products, Scoring

__all__ = ["Crossing", "crossings", "crossings_of"]

_JumpsAhead = Mapping[str, frozenset[int]]
"""By component, the days ahead on which it jumps."""


def crossings(
    lead: LeadFacts,
    profile: AccountProfile,
    rules: Scoring,
    *,
    products: Products,
    as_of: date,
    days: int,
) -> tuple[Crossing, ...]:
    """Each day from the one after `as_of` to `days` later on which the priority changes by itself.

    The ages grow; everything else stays as it is: the facts of the lead, the account (its spend of
    the last 365 days and its segment too) and the rules (rules.md §4).
    """
    trial = Trial(Case.of(lead, profile, products, as_of), rules)
    return crossings_of(trial, as_of, days)


def crossings_of(trial: Trial, as_of: date, days: int) -> tuple[Crossing, ...]:
    """The same for a case on trial as of a day."""
    ahead = {name: _jumps_ahead(trial, factor) for name, factor in trial.factors.items()}
    if _stays(trial, ahead, days):
        return ()
    found = []
    before = trial.priority(trial.score)
    for day, score in _days_to_look_at(trial, ahead, days):
        after = trial.priority(score)
        if after is not before:
            on = as_of + timedelta(days=day)
            found.append(Crossing(on=on, before=before, after=after, score=score))
        before = after
    return tuple(found)


def _jumps_ahead(trial: Trial, factor: Factor) -> frozenset[int]:
    """How many days ahead the jumps of a component lie; ages without a date have none."""
    ages = factor.jumps(trial.rules)
    now = {field: getattr(trial.case, field) for field in ages}
    return frozenset(
        age - now[field] for field in ages if now[field] is not None for age in ages[field]
    )


def _stays(trial: Trial, ahead: _JumpsAhead, days: int) -> bool:
    """Whether even the lowest points of all components, or the highest, would give this priority.

    Most leads end here: each component is looked at alone, at the ends of its own stretches.
    """
    lowest, highest = dict(trial.points), dict(trial.points)
    for name, factor in trial.factors.items():
        if factor.rises or ahead[name]:
            cut = stretches(0, days, ahead[name])
            days_to_judge = {day for stretch in cut for day in stretch[: 1 + factor.rises]} - {0}
            points = [factor.points(trial.case.later(day), trial.rules) for day in days_to_judge]
            lowest[name] = min((lowest[name], *points))
            highest[name] = max((highest[name], *points))
    least, most = trial.sum_of(lowest), trial.sum_of(highest)
    return trial.priority(least) is trial.priority(most)


def _days_to_look_at(trial: Trial, ahead: _JumpsAhead, days: int) -> Iterator[tuple[int, float]]:
    """In order, every day on which the priority differs from that of the day before; with its score.

    Between two jumps the score never falls: there the days on which it reaches another priority
    are found by halving.
    """
    bands = trial.rules.priorities
    for start, end, score_on in _stretches(trial, ahead, days):
        first = score_on(start)
        yield start, first
        last = score_on(end) if end > start else first
        for threshold in (bands.medium, bands.high, bands.critical):
            if first < threshold <= last:
                day = first_reaching(threshold, start, end, score_on)
                yield day, score_on(day)


def _stretches(
    trial: Trial, ahead: _JumpsAhead, days: int
) -> Iterator[tuple[int, int, Callable[[int], float]]]:
    """The stretches of the next `days` without a jump, each with the score on its days.

    A component that stays between its jumps is judged on those only.
    """
    case, points = trial.case, dict(trial.points)
    rising = [name for name, factor in trial.factors.items() if factor.rises]

    def score_on(day: int) -> float:
        return trial.score_of(case.later(day), rising, points)

    for start, end in stretches(0, days, frozenset().union(*ahead.values())):
        for name, jumps in ahead.items():
            if start in jumps:
                points[name] = trial.factors[name].points(case.later(start), trial.rules)
        yield start, end, score_on
