"""An explanation as one JSON object: the score as it is in the event, the services, the history."""

from itertools import pairwise
from typing import Any

from onelead.explaining.finding import Explained
from services.scoring.domain.causes import PastScore
from services.scoring.domain.outlook.least_change import inputs_looked_at


def explanation_json(found: Explained) -> dict[str, Any]:
    """Names are those of the events; `not_alone` are the inputs that alone cannot make it CRITICAL."""
    scored, public = found.scored, found.public
    return {
        "lead": scored.lead.model_dump(mode="json"),
        "account": scored.account.model_dump(mode="json"),
        "state": scored.state,
        "reason": scored.reason,
        "score": scored.score.model_dump(mode="json"),
        "not_alone": list(not_alone(found)),
        "services": [each.model_dump(mode="json") for each in public.services] if public else [],
        "no_service_reason": public.no_service_reason if public else None,
        "bundle": public.bundle.model_dump(mode="json") if public and public.bundle else None,
        "history": [_past(before, now) for before, now in pairwise((None, *found.history)) if now],
    }


def not_alone(found: Explained) -> tuple[str, ...]:
    """The inputs of which no value alone makes the lead CRITICAL; none when it is so already."""
    score = found.scored.score
    if score.outlook is None or score.priority == "CRITICAL":
        return ()
    enough = {each.input for each in score.outlook.to_critical}
    return tuple(name for name in inputs_looked_at(score.profile) if name not in enough)


def _past(before: PastScore | None, now: PastScore) -> dict[str, Any]:
    return {
        "scored_at": now.scored_at.isoformat(),
        "as_of": now.as_of.isoformat(),
        "score_from": None if before is None else before.score,
        "score_to": now.score,
        "priority_from": None if before is None else before.priority.value,
        "priority_to": now.priority.value,
        "state": now.state,
        "rules_version": now.rules_version,
        "cause": now.cause.kind,
        "changes": [each.as_json() for each in now.cause.changes],
    }
