"""An assessment as JSON values: days as ISO text, money as numbers."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from onelead.assess.assessment import AssessedLead, Assessment

REVIEW_NOTE = "review decisions (confirmed or refused merges) are not applied"


def assessment_json(assessment: Assessment) -> dict[str, Any]:
    """The whole assessment as one object."""
    return {
        "as_of": assessment.as_of.isoformat(),
        "rules_version": assessment.rules_version,
        "report": _report(assessment),
        "accounts": [_plain(profile) for profile in assessment.accounts],
        "leads": [lead_json(lead, assessment.as_of) for lead in assessment.leads],
    }


def lead_json(assessed: AssessedLead, as_of: date) -> dict[str, Any]:
    """One lead with its score, ledger and services; ages are as of the day."""
    lead, score, offer = assessed.lead, assessed.score, assessed.recommendation
    found = {
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
        "services": offer.services,
        "no_service_reason": offer.no_service_reason,
        "bundle": offer.bundle,
    }
    return {name: _plain(value) for name, value in found.items()}


def _report(assessment: Assessment) -> dict[str, Any]:
    rows = assessment.rows
    return {
        "read": sum(each.read for each in rows),
        "used": sum(each.used for each in rows),
        "degraded": sum(each.degraded for each in rows),
        "quarantined": sum(each.quarantined for each in rows),
        "by_kind": {each.kind: each.model_dump(exclude={"kind"}) for each in rows},
        "findings": [each.model_dump() for each in assessment.findings],
        "candidates": [each.model_dump() for each in assessment.candidates],
        "notes": [*assessment.notes, REVIEW_NOTE],
    }


def _plain(value: Any) -> Any:
    """A value as JSON has it; an amount as a whole number where it is one."""
    if isinstance(value, BaseModel):
        return _plain(value.model_dump())
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {name: _plain(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return value
