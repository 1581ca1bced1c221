"""Counts a lead's episodes of being CRITICAL; one alert goes out per episode (rules.md §8)."""

from dataclasses import dataclass
from datetime import date

from shared.events import Priority


@dataclass(frozen=True, slots=True)
class EpisodeState:
    """`episode` counts how often the lead became CRITICAL; `critical_since` is set while open."""

    episode: int = 0
    open: bool = False
    critical_since: date | None = None


def next_episode(
    previous: EpisodeState | None, priority: Priority, withdrawn: bool, as_of: date
) -> EpisodeState:
    """The state after a score: begins at CRITICAL, ends below HIGH or when the lead is withdrawn.

    An open episode outlives a fall to HIGH, so that a score that wavers alerts once.
    """
    state = previous or EpisodeState()
    if withdrawn or priority not in (Priority.CRITICAL, Priority.HIGH):
        return EpisodeState(state.episode)
    if priority is Priority.CRITICAL and not state.open:
        return EpisodeState(state.episode + 1, True, as_of)
    return state
