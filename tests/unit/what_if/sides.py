"""Sides of a comparison, built in memory from rows as ingest would from its tables."""

from collections.abc import Sequence
from typing import Any

from onelead.what_if.side import Judged, Place, PlacedRow, Side, territory_totals
from services.ingest.domain.accounts.directory import Directory, NameUse, own_name
from services.ingest.domain.profile import closed_totals
from services.ingest.domain.records import Box, Opportunity, Project
from services.ingest.domain.values import PriceList
from services.recommender.domain.recommend import recommend
from shared.events import AccountProfile, CatalogueEntry, LeadFacts
from shared.rules.load import default_rules
from shared.rules.model import Rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_price_list,
    a_profile,
    a_use,
    changed,
    reconciled,
)
from tests.support.scoring_builders import a_score

RULES = default_rules()
Row = Box | Opportunity | Project

__all__ = ["RULES", "Row", "changed", "judged", "place_of", "placed", "side_of", "what_if"]


def place_of(row: Row) -> Place:
    """What a row is linked by."""
    return own_name(row) or "", row.territory_id or ""


def placed(rows: Sequence[Row]) -> list[PlacedRow]:
    """Rows with their places."""
    return [(place_of(row), row) for row in rows]


def side_of(
    rows: Sequence[Row],
    rules: Rules = RULES,
    prices: PriceList | None = None,
    known: Directory | None = None,
) -> Side:
    """The side of these rows, all of the tenant's."""
    uses: list[NameUse] = []
    for row in rows:
        name, territory = place_of(row)
        if name:
            deals = 1 if isinstance(row, Opportunity) else 0
            uses.append(a_use(name, territory or None, opportunity_rows=deals))
    territories = tuple(row.territory_id for row in rows if row.territory_id)
    directory = reconciled(*uses, territories=territories, rules=rules, known=known)
    closed: dict[Place, Any] = {}
    for place in {place_of(row) for row in rows}:
        projects = [r for r in rows if isinstance(r, Project) and place_of(r) == place]
        closed[place] = closed_totals(projects, rules)
    return Side(
        tenant_id=TENANT,
        as_of=AS_OF,
        rules=rules,
        version="v",
        directory=directory,
        territory_totals=territory_totals(directory, closed),
        prices=prices or a_price_list(),
    )


def what_if(
    rows: Sequence[Row],
    after: Rules,
    before: Rules = RULES,
    prices: PriceList | None = None,
) -> tuple[dict[str, Judged], dict[str, Judged]]:
    """The leads before and after by `box/type`, every name linked as if it were new."""
    sides = (side_of(rows, rules, prices).judged(placed(rows)) for rules in (before, after))
    old, new = ({_key(each.lead): each for each in side.values()} for side in sides)
    return old, new


def _key(lead: LeadFacts) -> str:
    return f"{lead.box_id}/{lead.lead_type.value}"


def judged(
    lead: LeadFacts,
    account: AccountProfile | None = None,
    rules: Rules = RULES,
    services: Sequence[CatalogueEntry] = (),
) -> Judged:
    """A lead under rules, without any rows behind it."""
    profile = account or a_profile()
    score = a_score(lead, profile, rules=rules)
    return Judged(lead, profile, score, recommend(lead, services, rules.recommendation))
