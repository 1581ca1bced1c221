"""What a new version of a lead asks for: reads the lead as published and what is known of it, decides
alerts and withdrawals (rules.md §8).
"""

from dataclasses import dataclass
from datetime import date

from services.notifier.domain.message import plain
from services.notifier.domain.plan import Target
from shared.events import LeadChanged

LAPSED = "the lead is not CRITICAL any more"
"""The note on alerts of an episode that was over before they were sent."""


@dataclass(frozen=True)
class Observed:
    """A lead as read from the public topic; `lead` is None for a tombstone."""

    tenant_id: str
    lead_id: str
    version: int
    lead: LeadChanged | None

    @property
    def withdrawn(self) -> bool:
        """A withdrawal and a tombstone each withdraw the lead by themselves."""
        return self.lead is None or self.lead.state == "withdrawn"


@dataclass(frozen=True)
class Known:
    """What the notifier holds of a lead: the newest version it consumed, 0 for none.

    `episode` is the highest heard of; episodes up to `withdrawn_through` are over: the lead was withdrawn,
    or fell below HIGH.
    """

    version: int = 0
    withdrawn: bool = False
    episode: int = 0
    withdrawn_through: int = 0

    def after(self, observed: Observed) -> "Known":
        """What is held once this newer version has been consumed."""
        episode = max(self.episode, observed.lead.episode if observed.lead is not None else 0)
        is_over = observed.lead is None or observed.withdrawn or not observed.lead.episode_open
        through = episode if is_over else self.withdrawn_through
        return Known(observed.version, observed.withdrawn, episode, through)


@dataclass(frozen=True)
class Nothing:
    """The version is remembered, nobody is told."""


@dataclass(frozen=True)
class Announce:
    """An open CRITICAL episode: each target is told, unless it was for this episode."""

    lead: LeadChanged
    targets: tuple[Target, ...]


@dataclass(frozen=True)
class Withdraw:
    """The lead no longer holds: what still waits of episodes up to `through` is cancelled, sinks that keep
    a record are told why. `alerts_only`: the lead holds, what waits besides its alerts is still told.
    """

    reason: str
    through: int
    alerts_only: bool = False


Reaction = Nothing | Announce | Withdraw


def is_news(observed: Observed, known: Known) -> bool:
    """An older or equal version changes nothing."""
    return observed.version > known.version


def react(
    observed: Observed, known: Known, *, targets: tuple[Target, ...], since: date | None
) -> Reaction:
    """What a newer version of a lead asks for (rules.md §8).

    `since`: episodes that began before this day are never announced, so that a rebuilt notifier
    or a new target repeats nothing old.
    """
    lead = observed.lead
    if lead is None or lead.state == "withdrawn":
        if known.withdrawn:
            return Nothing()
        return Withdraw(_reason(lead), known.after(observed).episode)
    if not lead.episode_open:
        was_open = known.episode > known.withdrawn_through
        return Withdraw(LAPSED, known.episode, alerts_only=True) if was_open else Nothing()
    if lead.episode < 1 or not targets:
        return Nothing()
    if since is not None and (lead.critical_since is None or lead.critical_since < since):
        return Nothing()
    return Announce(lead, targets)


def _reason(lead: LeadChanged | None) -> str:
    return plain((lead.reason if lead is not None else None) or "the lead no longer exists")
