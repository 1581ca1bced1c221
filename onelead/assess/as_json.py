"""An assessment as JSON values: days as ISO text, money as numbers."""

from datetime import date
from decimal import Decimal
from typing import Any

import orjson
from pydantic import BaseModel

from onelead.assess.assessment import AssessedLead, Assessment

REVIEW_NOTE = "review decisions (confirmed or refused merges) are not applied"


def assessment_json(assessment: Assessment) -> bytes:
    """The whole assessment as one object."""
    whole = {
        "as_of": assessment.as_of.isoformat(),
        "rules_version": assessment.rules_version,
        "report": _report(assessment),
        "accounts": assessment.accounts,
        "leads": [_lead(lead, assessment.as_of) for lead in assessment.leads],
    }
    return orjson.dumps(whole, default=_plain)


def lead_json(assessed: AssessedLead, as_of: date) -> bytes:
    """One lead with its score, ledger and services; ages are as of the day."""
    return orjson.dumps(_lead(assessed, as_of), default=_plain)


def _lead(assessed: AssessedLead, as_of: date) -> dict[str, Any]:
    lead, score, offer = assessed.lead, assessed.score, assessed.recommendation
    return {
        "lead_id": lead.lead_id,
        "lead_type": lead.lead_type,
        "title": lead.title,
        "action": lead.action,
        "account": lead.account_name,
        "account_id": lead.account_id,
        "territory": lead.territory_id,
        "serial_number": lead.serial_number,
        "product_name": lead.product_name,
        "product_family": lead.product_family,
        "risk": lead.risk,
        "days_since_eol": lead.days_since_eol(as_of),
        "days_since_expiry": lead.days_since_expiry(as_of),
        "estimated_value_min": lead.estimated_value_min,
        "estimated_value_max": lead.estimated_value_max,
        "value_provenance": lead.value_provenance,
        "currency": lead.currency,
        "urgency": score.urgency,
        "value": score.value,
        "propensity": score.propensity,
        "strategic_fit": score.strategic_fit,
        "score": score.score,
        "priority": score.priority,
        "confidence": score.confidence,
        "missing": score.missing,
        "ledger": score.ledger,
        "weights": score.weights,
        "services": offer.services,
        "no_service_reason": offer.no_service_reason,
        "bundle": offer.bundle,
    }


def _report(assessment: Assessment) -> dict[str, Any]:
    rows = assessment.rows
    return {
        "read": sum(each.read for each in rows),
        "used": sum(each.used for each in rows),
        "degraded": sum(each.degraded for each in rows),
        "quarantined": sum(each.quarantined for each in rows),
        "by_kind": {each.kind: each.model_dump(exclude={"kind"}) for each in rows},
        "findings": assessment.findings,
        "candidates": assessment.candidates,
        "notes": [*assessment.notes, REVIEW_NOTE],
    }


def _plain(value: object) -> Any:
    """What orjson does not know as JSON has it; an amount as a whole number where it is one."""
    if isinstance(value, BaseModel):
        return value.__dict__
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in JSON")
