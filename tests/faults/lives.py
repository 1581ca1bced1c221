"""A lead's life as subscribers saw it: its episodes of CRITICAL, and which office had it in them, when."""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.events import Priority
from tests.faults.history import Told

WRONG_CLOCK_S = 6 * 3_600.0
"""What was said so much later than something that came of it was said by a wrong clock."""


@dataclass(frozen=True)
class Step:
    """What a version said, from `at` on. `episode`: 0 when none is open."""

    at: float
    episode: int
    office: str
    critical: bool


@dataclass(frozen=True)
class Life:
    """A lead's steps, in the order of its versions."""

    steps: Sequence[Step]

    def episodes_at(self, office: str) -> int:
        """In how many episodes an office had the lead."""
        return len({step.episode for step in self.steps if step.office == office and step.episode})

    @property
    def must_be_told(self) -> Step | None:
        """The first step of the episode in which the lead is CRITICAL at the end, if it is."""
        last = self.steps[-1] if self.steps else None
        if last is None or not last.critical:
            return None
        return next(step for step in self.steps if step.episode == last.episode)

    def had(self, office: str, since: float, until: float) -> bool:
        """Whether an office had the lead in an episode between these moments, as far as is known."""
        if any(step.at > until + WRONG_CLOCK_S for step in self.steps):
            return True
        before = [step for step in self.steps if step.at <= since][-1:]
        then = [step for step in self.steps if since < step.at <= until]
        return any(step.office == office and step.episode for step in (*before, *then))


def life_of(messages: Sequence[Told]) -> Life:
    """The life that these messages of one lead tell.

    No version counts as older than the one before: the clock of who said it may have been wrong. Episodes are
    as the messages number them, since the withdrawal between two may have been skipped; how many there can
    have been, the inputs say.
    """
    first = {each.version: each for each in reversed(messages)}
    steps: list[Step] = []
    at = 0.0
    for told in (first[version] for version in sorted(first)):
        at = max(at, told.at)
        critical = told.state == "open" and told.priority == Priority.CRITICAL
        steps.append(Step(at, told.episode, told.office, critical))
    return Life(steps)
