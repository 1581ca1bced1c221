"""The comparison as JSON and CSV for machines; money is decimal text."""

from collections.abc import Iterable
from typing import Any

from onelead.csv_output import csv_text
from onelead.what_if.changes import Change, Effect, Standing
from onelead.what_if.new_rules import notes_on, settings_changed
from onelead.what_if.pipeline import Pipeline
from onelead.what_if.present import caveats, words
from onelead.what_if.replay import How, WhatIf
from onelead.what_if.why import Why
from shared.events import LeadType, Priority
from shared.rules.load import rules_version

_STANDING = ("priority", "score", "value_max", "service", "bundle")
_COLUMNS = (
    *("effect", "lead_id", "lead_type", "title", "account", "account_id", "territory", "box_id"),
    *(f"{name}_{side}" for name in _STANDING for side in ("before", "after")),
    *("currency", "alert", "why"),
)


def as_json(found: WhatIf, how: How) -> dict[str, Any]:
    """One object: rules, counts, pipelines, and the leads that stand otherwise."""
    settings = settings_changed(found.rules_before, found.rules_after)
    return {
        "tenant": found.tenant_id,
        "as_of": found.as_of.isoformat(),
        "rules": {
            "before": rules_version(found.rules_before),
            "after": rules_version(found.rules_after),
            "settings": [vars(setting) for setting in settings],
        },
        "notes": [*notes_on(settings, names_anew=how.names_anew), *caveats(found)],
        "before_is_in_force": not found.otherwise_now,
        "otherwise_now": found.otherwise_now,
        "effects": {effect.value: found.effects[effect] for effect in Effect},
        "alerts": found.alerts,
        "pipeline": {"before": _pipeline(found.before), "after": _pipeline(found.after)},
        "leads": [_lead(each) for each in found.changes],
    }


def as_csv(changes: Iterable[Change]) -> str:
    """One line for each lead that stands otherwise, with a header."""
    return csv_text(_COLUMNS, (_row(each) for each in changes))


def _pipeline(side: Pipeline) -> dict[str, Any]:
    return {
        "leads": side.count(),
        "open": str(side.open()),
        "by_priority": {each.value: _part(side, each) for each in Priority if each != "unknown"},
        "by_type": {each.value: _part(side, each) for each in LeadType if each != "unknown"},
    }


def _part(side: Pipeline, of: Priority | LeadType) -> dict[str, Any]:
    return {"leads": side.count(of=of), "open": str(side.open(of=of))}


def _lead(change: Change) -> dict[str, Any]:
    return {
        **_head(change),
        "before": _standing(change.before),
        "after": _standing(change.after),
        "alert": change.alert,
        "why": _why(change.why),
    }


def _head(change: Change) -> dict[str, Any]:
    return {
        "effect": change.effect.value,
        "lead_id": change.lead_id,
        "lead_type": change.lead_type,
        "title": change.title,
        "account": change.account,
        "account_id": change.account_id,
        "territory": change.territory,
        "box_id": change.box_id,
        "currency": change.currency,
    }


def _standing(standing: Standing | None) -> dict[str, Any] | None:
    if standing is None:
        return None
    return {
        "priority": standing.priority.value,
        "score": standing.score,
        "value_max": str(standing.value_max),
        "account": standing.account,
        "service": standing.service,
        "bundle": standing.bundle,
    }


def _why(why: Why) -> dict[str, Any]:
    return {
        "facts": list(why.facts),
        "components": [
            {
                "component": each.component,
                "before": each.before,
                "after": each.after,
                "effect": each.effect,
                "lines": [
                    {"reason": line.reason, "before": line.before, "after": line.after}
                    for line in each.lines
                ],
            }
            for each in why.components
        ],
    }


def _row(change: Change) -> dict[str, Any]:
    row: dict[str, Any] = {**_head(change), "alert": "yes" if change.alert else "no"}
    for side, standing in (("before", change.before), ("after", change.after)):
        told = _standing(standing) or {}
        row |= {f"{name}_{side}": told.get(name, "") for name in _STANDING}
    return {**row, "why": "; ".join(words(change.why))}
