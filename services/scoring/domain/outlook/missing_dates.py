"""What knowing a missing date would move: the lowest and the highest score that it could give."""

from services.scoring.domain.outlook.ages import MAX_AGE_DAYS, stretches
from services.scoring.domain.outlook.least_change import DATES, DatedInput
from services.scoring.domain.outlook.trial import Trial
from shared.events import MissingDate


def missing_dates(trial: Trial) -> tuple[MissingDate, ...]:
    """For each date that the score asks for and that is missing, what it could make of the score.

    Of all dates within a hundred years before and after the day (rules.md §4).
    """
    return tuple(
        _could_move(trial, given)
        for given in DATES[trial.rules.profile]
        if getattr(trial.case, given.age) is None
    )


def _could_move(trial: Trial, given: DatedInput) -> MissingDate:
    """Within a stretch the first age scores lowest and the last one highest."""
    cut = stretches(-MAX_AGE_DAYS, MAX_AGE_DAYS, trial.jumps[given.age])
    scores = [
        trial.score_of(trial.case.changed(given.age, age), (given.touches,))
        for stretch in cut
        for age in stretch
    ]
    lowest, highest = min(scores), max(scores)
    return MissingDate(
        input=given.name,
        lowest=lowest,
        lowest_priority=trial.priority(lowest),
        highest=highest,
        highest_priority=trial.priority(highest),
    )
