"""The directory of a tenant's accounts: which account a name or a territory belongs to, and why."""

from datetime import date
from enum import StrEnum

from pydantic import Field

from services.ingest.domain.accounts.matching import Candidate
from services.ingest.domain.accounts.normalise import Naming, name_key
from services.ingest.domain.records import Box, CustomerRecord
from shared.events import Value


class LinkStage(StrEnum):
    """What made a link (rules.md §2). FOUNDED: the name or territory made an account of its own."""

    MANUAL = "manual"
    TERRITORY = "territory"
    NAME = "name"
    FOUNDED = "founded"


class AccountEntry(Value):
    """An account. `founded_by` is `territory:<id>` or `name:<normalised>` and never changes.

    `territory_ids`: those it owns and those its names occur in. One that is `merged_into` another
    has none; its id keeps resolving.
    """

    account_id: str
    name: str
    territory_ids: tuple[str, ...] = ()
    founded_by: str
    merged_into: str | None = None


class NameLink(Value):
    """The account of a normalised name. `founder` is the name that its link was made to."""

    account_id: str
    founder: str
    forms: tuple[str, ...]
    stage: LinkStage
    evidence: str
    similarity: float | None = None


class TerritoryLink(Value):
    """The account that owns a territory's boxes; `owner` is its founding name, if one is known."""

    account_id: str
    owner: str | None = None
    stage: LinkStage
    evidence: str


class Directory(Value):
    """All accounts of a tenant with their links: by account id, normalised name and territory id."""

    naming: Naming = Naming()
    accounts: dict[str, AccountEntry] = Field(default_factory=dict)
    names: dict[str, NameLink] = Field(default_factory=dict)
    territories: dict[str, TerritoryLink] = Field(default_factory=dict)
    candidates: tuple[Candidate, ...] = ()

    def account_of(self, raw_name: str | None, territory_id: str | None) -> str | None:
        """The account of a row: its own name's, else its territory's, else none."""
        key = name_key(raw_name, self.naming)
        if key and key in self.names:
            return self.names[key].account_id
        if not key and territory_id is not None and territory_id in self.territories:
            return self.territories[territory_id].account_id
        return None


class NameUse(Value):
    """How a spelling is used in a territory (or outside of any).

    `latest_created` is of its opportunities; `first_row` too, or of its other rows if it has none.
    """

    raw_name: str
    territory_id: str | None = None
    rows: int = 0
    opportunity_rows: int = 0
    latest_created: date | None = None
    first_row: int = 0
    postal_code: str | None = None
    domain: str | None = None


def own_name(record: CustomerRecord) -> str | None:
    """The name a row is reconciled by; a box in a territory goes with it, whatever name it carries."""
    in_territory = isinstance(record, Box) and record.territory_id is not None
    return None if in_territory else record.account_name
