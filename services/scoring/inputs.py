"""What a lead's next score follows from, read from rows; and whether it belongs together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.scoring.domain.wholeness import Basis, is_whole
from shared.events import AccountProfile, LeadDetected, LeadScored


@dataclass(frozen=True)
class ScoreInputs:
    """Everything that a lead's next score follows from."""

    tenant_id: str
    lead: LeadDetected
    lead_event_id: str
    traceparent: str | None
    account_version: int
    account_event_id: str
    profile: AccountProfile
    account_as_of: date
    tenant_as_of: date | None
    day_version: int
    previous: LeadScored | None
    marker: Basis | None
    """What the newest marker of the account says."""


def inputs_of(row: Mapping[Any, Any]) -> ScoreInputs:
    """A row of the query `inputs`."""
    marker = None
    if row["marker_version"] is not None:
        marker = Basis(row["marker_version"], row["marker_profile"], row["marker_rules"])
    return ScoreInputs(
        tenant_id=row["tenant_id"],
        lead=LeadDetected.model_validate(row["lead"]),
        lead_event_id=row["lead_event_id"],
        traceparent=row["traceparent"],
        account_version=row["account_version"],
        account_event_id=row["account_event_id"],
        profile=AccountProfile.model_validate(row["profile"]),
        account_as_of=row["account_as_of"],
        tenant_as_of=row["tenant_as_of"],
        day_version=row["day_version"] or 0,
        previous=None if row["previous"] is None else LeadScored.model_validate(row["previous"]),
        marker=marker,
    )


def belong_together(inputs: ScoreInputs, rules: str) -> bool:
    """Whether a lead is scored as it is stored, by rules with this digest; a withdrawn one always is."""
    lead = inputs.lead
    if lead.state == "withdrawn":
        return True
    facts = Basis(lead.version, lead.account_version, lead.derived_by)
    return is_whole(facts, inputs.marker, inputs.account_version, rules)
