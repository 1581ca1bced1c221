"""The account profile, published by ingest on `onelead.accounts.v1`."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from shared.events.base import Event, OpenEnum, Value


class Segment(OpenEnum):
    """The size band of an account (rules.md §2)."""

    STRATEGIC_ENTERPRISE = "STRATEGIC_ENTERPRISE"
    GROWTH = "GROWTH"
    TRANSACTIONAL = "TRANSACTIONAL"
    UNKNOWN = "unknown"


class TerritoryAverage(Value):
    """The mean amount over the closed projects of all accounts in a territory."""

    territory_id: str
    average_closed_amount: Decimal


class AccountProfile(Value):
    """What is known of an account as of a day (rules.md §2). An average that does not exist is None.

    `recent_closed_amounts`: the amounts of up to five latest closed projects, newest first.
    `spend_365d` is the sum over closed projects updated within 365 days; money is in `currency`.
    """

    account_id: str
    name: str
    territory_ids: tuple[str, ...]
    items: int
    open_opportunities: int
    won: int
    lost: int
    win_rate: float | None
    projects: int
    closed_projects: int
    average_closed_amount: Decimal | None
    spend_365d: Decimal
    last_project_date: date | None
    recent_closed_amounts: tuple[Decimal, ...]
    segment: Segment
    segment_mixed: bool
    strategy: str
    territory_averages: tuple[TerritoryAverage, ...]
    currency: str
    owner: str | None = None
    industry: str | None = None
    company_size: str | None = None
    country: str | None = None
    merged_into: str | None = None

    def territory_average(self, territory_id: str | None) -> Decimal | None:
        """The average of one territory, or None when it does not exist."""
        for entry in self.territory_averages:
            if entry.territory_id == territory_id:
                return entry.average_closed_amount
        return None


class AccountProfiled(Event):
    """A new or changed profile, as of the tenant's day."""

    event_type: ClassVar[str] = "com.onelead.account.profiled.v1"

    profile: AccountProfile
    as_of: date
