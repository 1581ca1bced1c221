"""Compares the leads of some accounts before and after: what appears, goes, or is judged otherwise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from onelead.what_if.side import Judged
from onelead.what_if.why import Why, why
from services.scoring.domain.episodes import EpisodeState, next_episode
from shared.events import LeadFacts, Priority

_RANKS = (Priority.CRITICAL, Priority.HIGH, Priority.MEDIUM, Priority.LOW)


class Effect(StrEnum):
    """What the rules do to a lead."""

    APPEARS = "appears"
    RAISED = "raised"
    LOWERED = "lowered"
    DISAPPEARS = "disappears"
    OTHER_SCORE = "other score"
    OTHER_VALUE = "other value"
    OTHER_OFFER = "other offer"
    OTHER_FACTS = "other facts"


TURNS = (Effect.APPEARS, Effect.RAISED, Effect.LOWERED, Effect.DISAPPEARS)
"""Effects that change what a seller works on; the others are shown on demand."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a lead stands on one side: `value_max` in its currency, the first service, the bundle."""

    priority: Priority
    score: float
    value_max: Decimal
    account: str
    service: str | None
    bundle: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A lead that stands otherwise; `before` None: it appears, `after` None: it disappears.

    `alert`: a new episode of being CRITICAL begins, of which people are told (rules.md §8).
    """

    lead_id: str
    lead_type: str
    title: str
    account_id: str
    account: str
    territory: str | None
    box_id: str
    currency: str
    effect: Effect
    before: Standing | None
    after: Standing | None
    alert: bool
    why: Why


def changes(
    before: Mapping[str, Judged],
    after: Mapping[str, Judged],
    episodes: Mapping[str, EpisodeState],
) -> Iterator[Change]:
    """The leads that stand otherwise, by lead id. `episodes`: as scoring counts them now."""
    for lead_id in sorted({*before, *after}):
        old, new = before.get(lead_id), after.get(lead_id)
        if (effect := effect_of(old, new)) is not None:
            alert = _alerts(new, episodes.get(lead_id)) and not _alerts(old, episodes.get(lead_id))
            yield _change(old, new, effect, alert)


def effect_of(before: Judged | None, after: Judged | None) -> Effect | None:
    """The greatest difference between two judgements, None without any that people would see."""
    if before is None or after is None:
        return Effect.APPEARS if after is not None else Effect.DISAPPEARS
    old, new = before.score, after.score
    if old.priority is not new.priority:
        raised = _RANKS.index(new.priority) < _RANKS.index(old.priority)
        return Effect.RAISED if raised else Effect.LOWERED
    if old.score != new.score:
        return Effect.OTHER_SCORE
    if _worth(before.lead) != _worth(after.lead):
        return Effect.OTHER_VALUE
    if before.offer != after.offer:
        return Effect.OTHER_OFFER
    return None if before.lead == after.lead else Effect.OTHER_FACTS


def _worth(lead: LeadFacts) -> tuple[Decimal, Decimal, str]:
    return lead.estimated_value_min, lead.estimated_value_max, lead.currency


def _alerts(judged: Judged | None, episode: EpisodeState | None) -> bool:
    if judged is None:
        return False
    state = next_episode(episode, judged.score.priority, withdrawn=False, as_of=judged.score.as_of)
    return state.episode > (episode.episode if episode else 0)


def _change(before: Judged | None, after: Judged | None, effect: Effect, alert: bool) -> Change:
    shown = after or before
    assert shown is not None
    lead = shown.lead
    return Change(
        lead_id=lead.lead_id,
        lead_type=lead.lead_type.value,
        title=lead.title,
        account_id=lead.account_id,
        account=lead.account_name,
        territory=lead.territory_id,
        box_id=lead.box_id,
        currency=lead.currency,
        effect=effect,
        before=_standing(before),
        after=_standing(after),
        alert=alert,
        why=_why(before, after),
    )


def _why(before: Judged | None, after: Judged | None) -> Why:
    if before is not None and after is not None:
        return why(before, after)
    if after is not None:
        return Why((f"its rule holds: {after.lead.action}",))
    return Why(("its rule does not hold any more",))


def _standing(judged: Judged | None) -> Standing | None:
    if judged is None:
        return None
    services, bundle = judged.offer.services, judged.offer.bundle
    return Standing(
        priority=judged.score.priority,
        score=judged.score.score,
        value_max=judged.lead.estimated_value_max,
        account=judged.lead.account_name,
        service=services[0].service_type if services else None,
        bundle=bundle.name if bundle else None,
    )
