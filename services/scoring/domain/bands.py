"""Looks points up in the steps of the rules file."""

from shared.rules.model import Banded, Step


def at_least(banded: Banded, value: float) -> float:
    """The points of the highest step that `value` reaches; the step itself counts."""
    for step in banded.steps:
        if value >= step.at:
            return step.points
    return banded.below


def above(banded: Banded, value: float) -> float:
    """The points of the highest step that `value` exceeds; the step itself does not count."""
    for step in banded.steps:
        if value > step.at:
            return step.points
    return banded.below


def within(steps: tuple[Step, ...], value: float) -> float:
    """The points of the nearest step that `value` does not exceed; 0 beyond the farthest."""
    for step in steps:
        if value <= step.at:
            return step.points
    return 0.0


def possible(banded: Banded) -> float:
    """The most points these steps can give."""
    return banded.steps[0].points if banded.steps else banded.below
