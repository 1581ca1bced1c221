"""What a CRM is to OneLead: it writes many records in a call, and is asked for what people changed.

A second CRM is one file beside salesforce.py and one line in channels/__init__.py (CONTRIBUTING.md).
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Protocol

from pydantic import AfterValidator, Field, SecretStr
from standardwebhooks import Webhook

from services.notifier.channels.sink import Secret, SinkSettings
from services.notifier.domain.attempt import Outcome
from services.notifier.domain.crm import records as crm
from services.notifier.domain.crm.records import Call, CrmRecord, Write
from shared.events import LeadState

_MEANT = frozenset(LeadState) - {LeadState.NEW, LeadState.REJECTED, LeadState.UNKNOWN}
_LEAST_KEY_BYTES = 16
STAGES: Mapping[str, LeadState] = {
    "Closed Won": LeadState.WON,
    "Closed Lost": LeadState.LOST,
    "Qualification": LeadState.QUALIFIED,
}
"""What stages mean (rules.md §8); a sink's `stages` come on top."""


def _meanings(given: dict[str, LeadState]) -> dict[str, LeadState]:
    wrong = [name for name, state in given.items() if state not in _MEANT]
    if wrong:
        known = ", ".join(sorted(state.value for state in _MEANT))
        raise ValueError(f"{wrong[0]!r} must mean one of {known}")
    return given


def _signing_key(secret: SecretStr | None) -> SecretStr | None:
    if secret is not None and not _is_key(secret.get_secret_value()):
        raise ValueError(f"must be whsec_ and the base64 of {_LEAST_KEY_BYTES} bytes or more")
    return secret


def _is_key(text: str) -> bool:
    try:
        key: bytes = Webhook(text)._whsecret
    except Exception:  # noqa: BLE001 - whatever the library raises, the text must not be told
        return False
    return text.startswith("whsec_") and len(key) >= _LEAST_KEY_BYTES


class CrmSink(SinkSettings):
    """What every CRM's settings have.

    `stages`: what further stages mean, by the CRM's name for them. `opening_stage`: the stage that
    new records get. `inbound_secret`: signs what the CRM posts to ONELEAD_INBOUND_PORT.
    """

    stages: Annotated[dict[str, LeadState], AfterValidator(_meanings)] = Field(default_factory=dict)
    opening_stage: str = Field("Qualification", min_length=1, max_length=40)
    inbound_secret: Annotated[Secret | None, AfterValidator(_signing_key)] = None

    @property
    def meanings(self) -> Mapping[str, LeadState]:
        """What each stage means; a sink's own meaning replaces the usual one of the same stage."""
        own = {crm.folded(name) for name in self.stages}
        usual = {name: s for name, s in STAGES.items() if crm.folded(name) not in own}
        return {**usual, **self.stages}


class CrmError(Exception):
    """The CRM refused a whole call, or did not answer. `outcome`: what that means for a delivery."""

    def __init__(self, outcome: Outcome, code: str = "") -> None:
        super().__init__(code or type(outcome).__name__)
        self.outcome = outcome
        self.code = code


class Crm(Protocol):
    """One organisation in one CRM. Every method may raise CrmError for the call as a whole.

    `most`: how many records one call may write. `lengths`: how long a text may be, in UTF-16 units.
    """

    most: int
    lengths: Mapping[crm.Field, int]

    async def accounts(self, names: Collection[str]) -> Mapping[str, Sequence[str]]:
        """The ids of the accounts with exactly these names, by `folded` name; several where several are."""
        ...

    async def read(
        self, lead_ids: Collection[str], fields: Collection[crm.Field]
    ) -> Sequence[CrmRecord]:
        """The records of these leads, with these fields; all of them where a lead has several."""
        ...

    async def changed_since(
        self, since: datetime | None, fields: Collection[crm.Field]
    ) -> Sequence[CrmRecord]:
        """The records with a OneLead id that changed at that moment or later (None: all), oldest first."""
        ...

    async def upsert(self, writes: Sequence[Write]) -> Sequence[Outcome]:
        """Creates or changes the record of each lead; how it went for each, in the same order."""
        ...

    async def add_calls(self, calls: Sequence[tuple[Call, CrmRecord | None]]) -> Sequence[Outcome]:
        """Adds a task to each record, for its owner; again has the effect of once."""
        ...

    async def close(self) -> None:
        """Gives connections back."""
