"""The least change that makes a lead CRITICAL: each input alone, the nearest value that does it."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import NamedTuple

from services.scoring.domain.outlook.ages import nearest_reaching
from services.scoring.domain.outlook.inputs import INPUTS, Input, Variation
from services.scoring.domain.outlook.trial import Trial
from shared.events import LeastChange
from shared.rules.model import Products


class DatedInput(NamedTuple):
    """An input that is a date: its name, the field of the case with its age, what it touches."""

    name: str
    age: str
    touches: str


_OF_BOX = (
    DatedInput("end_of_life", "days_since_eol", "urgency"),
    DatedInput("service_end", "days_since_expiry", "urgency"),
)
DATES: Mapping[str, tuple[DatedInput, ...]] = MappingProxyType(
    {
        "default": (
            *_OF_BOX,
            DatedInput("last_project_date", "days_since_project", "propensity"),
        ),
        "classic": _OF_BOX,
    }
)
"""By profile, the dates that a score reads."""


def inputs_looked_at(profile: str) -> tuple[str, ...]:
    """The names of all inputs that `least_changes` varies under a profile."""
    dates, others = DATES[profile], INPUTS[profile]
    return (*(each.name for each in dates), *(each.name for each in others))


def least_changes(trial: Trial, products: Products, as_of: date) -> tuple[LeastChange, ...]:
    """For each input that alone can make the lead CRITICAL the nearest value that does (rules.md §4).

    Empty for a lead that is CRITICAL already. Nearest to what it is now; of a missing date nearest
    to the day, of other missing inputs the one that asks least.
    """
    if trial.score >= trial.rules.priorities.critical:
        return ()
    return (*_dates(trial, as_of), *_others(trial, products))


def _dates(trial: Trial, as_of: date) -> Iterator[LeastChange]:
    for given in DATES[trial.rules.profile]:
        if _hopeless(trial, (given.touches,)):
            continue
        now = getattr(trial.case, given.age)
        age = _nearest_age(trial, given, now or 0)
        if age is not None:
            yield LeastChange(
                input=given.name,
                now=None if now is None else _day(as_of, now),
                needed=_day(as_of, age),
                score=_score_at(trial, given, age),
            )


def _nearest_age(trial: Trial, given: DatedInput, now: int) -> int | None:
    threshold = trial.rules.priorities.critical
    jumps = trial.jumps[given.age]
    return nearest_reaching(threshold, now, jumps, lambda age: _score_at(trial, given, age))


def _score_at(trial: Trial, given: DatedInput, age: int) -> float:
    return trial.score_of(trial.case.changed(given.age, age), (given.touches,))


def _others(trial: Trial, products: Products) -> Iterator[LeastChange]:
    inputs = INPUTS[trial.rules.profile]
    hopeless = {touches: _hopeless(trial, touches) for touches in {each.touches for each in inputs}}
    for given in inputs:
        if not hopeless[given.touches]:
            variations = given.variations(trial.case, trial.rules, products)
            change = _nearest(trial, given, list(variations))
            if change is not None:
                yield change


def _nearest(trial: Trial, given: Input, variations: list[Variation]) -> LeastChange | None:
    """The first that does it; where points only rise, none does when the farthest does not."""
    critical = trial.rules.priorities.critical
    if given.rises and not _reaches(trial, given, variations[-1:]):
        return None
    for variation in variations:
        score = trial.score_of(variation.case, given.touches)
        if score >= critical:
            now = given.now(trial.case, trial.rules)
            return LeastChange(input=given.name, now=now, needed=variation.needed, score=score)
    return None


def _reaches(trial: Trial, given: Input, variations: list[Variation]) -> bool:
    critical = trial.rules.priorities.critical
    return any(trial.score_of(each.case, given.touches) >= critical for each in variations)


def _hopeless(trial: Trial, touches: tuple[str, ...]) -> bool:
    """Whether even full points of what an input touches would not do."""
    return trial.highest_possible(touches) < trial.rules.priorities.critical


def _day(as_of: date, age: int) -> str:
    return (as_of - timedelta(days=age)).isoformat()
