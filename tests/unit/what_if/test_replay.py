"""The whole replay over a tenant held in memory: the comparison, its check, and what it says of both."""

import asyncio
import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import orjson
import pytest
from rich.console import Console

from onelead.what_if.changes import Effect
from onelead.what_if.export import as_csv, as_json
from onelead.what_if.present import tables
from onelead.what_if.replay import How, WhatIf, replay, side_of
from onelead.what_if.side import Judged, Place, PlacedRow
from onelead.what_if.snapshot import TenantState
from services.ingest.domain.accounts.directory import Directory, own_name
from services.ingest.domain.profile import ClosedTotals, closed_totals
from services.ingest.domain.records import CatalogueRow, Opportunity, Project
from shared.db.rules_store import RulesInForce
from shared.events import LeadScored, Priority
from shared.rules.load import rules_version
from shared.rules.model import Rules
from tests.support.builders import (
    AS_OF,
    TENANT,
    a_box,
    a_project,
    a_use,
    an_opportunity,
    changed,
    days_ago,
)
from tests.unit.what_if.sides import RULES, Row, place_of, placed
from tests.unit.what_if.sides import side_of as side_of_rows

CLASSIC = changed(RULES, scoring__profile="classic")
AHEAD = changed(RULES, leads__renewal__ahead_days=90)
BOTH = "Warranty Expired - Uncovered Box"


@dataclass
class Held:
    """A tenant in memory; `told` is what scoring told, `waiting` what is under way."""

    held: Sequence[Row]
    in_force: Rules = RULES
    told: dict[str, LeadScored] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    tenant_id: str = TENANT
    read: list[int] = field(default_factory=list)

    async def rules(self) -> RulesInForce:
        return RulesInForce(self.in_force, rules_version(self.in_force))

    async def state(self) -> TenantState:
        places = [place_of(row) for row in self.held]
        uses = [
            a_use(name, row.territory_id, opportunity_rows=isinstance(row, Opportunity))
            for row in self.held
            if (name := own_name(row))
        ]
        services = CatalogueRow(
            record_id="1",
            family="COMPUTE",
            service="Migration",
            skus=("HA124A1",),
            list_price=Decimal(9_000),
            margin=0.4,
        )
        return TenantState(
            as_of=AS_OF,
            places={place: places.count(place) for place in places},
            uses=uses,
            territory_ids={row.territory_id for row in self.held if row.territory_id},
            known=Directory(),
            decisions=(),
            services=(services,),
            versions={"COMPUTE": 3},
        )

    async def closed_projects(self, rules: Rules) -> dict[Place, ClosedTotals]:
        projects = [row for row in self.held if isinstance(row, Project)]
        return {
            place: closed_totals([p for p in projects if place_of(p) == place], rules)
            for place in map(place_of, projects)
        }

    async def rows(self, places: Sequence[Place]) -> list[PlacedRow]:
        self.read.append(len(places))
        return [(place, row) for place, row in placed(self.held) if place in places]

    async def emitted(self, lead_ids: Collection[str]) -> dict[str, LeadScored]:
        return {key: event for key, event in self.told.items() if key in lead_ids}

    async def open_leads(self) -> int:
        return sum(event.state == "open" for event in self.told.values())

    async def under_way(self) -> tuple[str, ...]:
        return self.waiting


def told(judged: Judged, **changes: Any) -> LeadScored:
    is_open = judged.score.priority is Priority.CRITICAL
    event = LeadScored(
        lead=judged.lead,
        account=judged.account,
        score=judged.score,
        episode=int(is_open),
        episode_open=is_open,
    )
    return event.model_copy(update=changes)


def a_tenant(customers: int = 3) -> Held:
    """Customers with a territory of their own, each with an old, expired, uncovered server."""
    rows: list[Row] = []
    for number in range(customers):
        names = {"account_name": f"Customer {'ABCDEFGHIJ'[number] * 9}"}
        at = {"territory_id": str(80_000 + number)}
        box = a_box(
            **at,
            record_id=f"S{number}",
            support_status=BOTH,
            end_of_life=days_ago(3000),
            service_end=days_ago(500),
        )
        ahead = a_box(**at, record_id=f"E{number}", service_end=days_ago(-60))
        rows += [box, ahead, an_opportunity(**at, **names), a_project(**names)]
    held = Held(rows)
    before = compared(held, RULES)
    assert before.otherwise_now == before.before.count() == 3 * customers
    side = asyncio.run(judged_now(held))
    held.told = {key: told(judged) for key, judged in side.items()}
    held.read.clear()
    return held


async def judged_now(held: Held) -> dict[str, Judged]:
    side = await side_of(held, await held.state(), held.in_force)
    return side.judged(placed(held.held))


def compared(held: Held, rules: Rules, **how: Any) -> WhatIf:
    return asyncio.run(replay(held, lambda _: rules, How(**how)))


def test_the_rules_in_force_change_nothing_and_agree_with_what_was_told() -> None:
    found = compared(a_tenant(), RULES)
    assert (found.otherwise_now, found.effects, found.alerts, found.changes) == (0, {}, 0, [])
    assert found.before == found.after
    assert found.before.count() == 9


def test_new_rules_are_made_of_those_in_force() -> None:
    held = replace(a_tenant(), in_force=CLASSIC)

    def change(rules: Rules) -> Rules:
        assert rules == CLASSIC
        return changed(rules, leads__renewal__ahead_days=90)

    found = asyncio.run(replay(held, change, How()))
    assert found.rules_after == changed(CLASSIC, leads__renewal__ahead_days=90)


@pytest.mark.parametrize("rows", [1, 5, 1000])
def test_the_size_of_the_chunks_does_not_matter(rows: int) -> None:
    held = a_tenant(5)
    whole = compared(held, AHEAD, everything=True)
    found = compared(held, AHEAD, everything=True, rows_per_chunk=rows)
    assert found == whole
    assert found.effects == {Effect.APPEARS: 5}


def test_few_accounts_are_read_at_a_time() -> None:
    held = a_tenant(5)
    compared(held, AHEAD, rows_per_chunk=1)
    assert len(held.read) == 5


def test_only_what_changes_a_sellers_work_is_kept_unless_everything_is_wanted() -> None:
    held = a_tenant()
    some, every = compared(held, CLASSIC), compared(held, CLASSIC, everything=True)
    assert some.effects == every.effects
    assert sum(every.effects.values()) == len(every.changes) == 9
    assert {each.effect for each in some.changes} <= {Effect.RAISED, Effect.LOWERED}


def test_leads_that_were_told_otherwise_are_counted() -> None:
    held = a_tenant()
    first, second, third, *_ = held.told
    held.told[first] = held.told[first].model_copy(update={"state": "withdrawn"})
    score = held.told[second].score.model_copy(update={"score": 1.0})
    held.told[second] = held.told[second].model_copy(update={"score": score})
    gone = held.told.pop(third)
    assert compared(held, RULES).otherwise_now == 3
    lead = gone.lead.model_copy(update={"lead_id": "gone"})
    held.told["gone"] = gone.model_copy(update={"lead": lead})
    assert compared(held, RULES).otherwise_now == 4


def test_a_newer_catalogue_with_the_same_prices_is_not_otherwise() -> None:
    held = a_tenant()
    for key, event in held.told.items():
        lead = event.lead.model_copy(update={"catalogue_version": 2})
        held.told[key] = event.model_copy(update={"lead": lead})
    assert compared(held, RULES).otherwise_now == 0


def test_alerts_are_counted_for_leads_whose_episode_is_not_open() -> None:
    held = a_tenant()
    low = changed(RULES, scoring__priorities={"critical": 30, "high": 20, "medium": 10})
    critical = sum(event.episode_open for event in held.told.values())
    found = compared(held, low)
    assert found.alerts == 9 - critical > 0
    assert sum(each.alert for each in found.changes) == found.alerts


def test_another_currency_prices_the_catalogue_anew() -> None:
    held = a_tenant()
    found = compared(held, changed(RULES, currency="EUR"), everything=True)
    assert {each.effect for each in found.changes} >= {Effect.OTHER_VALUE}
    assert {each.currency for each in found.changes} == {"EUR"}


def test_what_changes_most_comes_first() -> None:
    held = a_tenant()
    rules = changed(AHEAD, leads__service_attach__status_contains="never")
    found = compared(held, rules)
    assert [each.effect for each in found.changes] == [Effect.APPEARS] * 3 + [Effect.DISAPPEARS] * 3
    scores = [each.after.score for each in found.changes if each.after]
    assert scores == sorted(scores, reverse=True)


def shown(found: WhatIf, how: How | None = None, limit: int = 25) -> str:
    text = io.StringIO()
    console = Console(width=100, file=text)
    for part in tables(found, how or How(), limit):
        console.print(part)
    return text.getvalue()


def test_the_table_says_what_changes_and_that_nothing_is_changed() -> None:
    held = a_tenant()
    text = shown(compared(held, AHEAD))
    assert "nothing is changed" in text
    assert "leads.renewal.ahead_days: 0 → 90" in text
    assert "3 appear; 0 alerts would go out." in text
    assert "Offer to renew" in text
    assert "Note:" not in text


def test_the_table_says_why_a_priority_changes() -> None:
    text = shown(compared(a_tenant(), changed(RULES, scoring__urgency__base=0)))
    assert "scoring.urgency.base: 50.0 → 0.0" in text
    assert "fall in priority" in text
    assert "base +50.0 → 0" in text


def test_the_rest_of_a_long_list_is_counted() -> None:
    text = shown(compared(a_tenant(), AHEAD), limit=1)
    assert "2 more: --limit, --csv or --json show them" in text


def test_work_under_way_and_other_standings_are_said() -> None:
    held = replace(a_tenant(), waiting=("ingest is at work (import)",))
    held.told.clear()
    text = shown(compared(held, RULES))
    assert "Note: ingest is at work (import)." in text
    assert "Note: 9 leads stand otherwise now" in text
    assert "These are the rules in force." in text
    assert "No lead stands otherwise; 0 alerts would go out." in text


def test_as_json_it_is_whole_and_its_effects_add_up() -> None:
    held = a_tenant()
    found = compared(held, CLASSIC, everything=True)
    written = orjson.loads(orjson.dumps(as_json(found, How(everything=True))))
    assert written["rules"]["settings"] == [
        {"path": "scoring.profile", "before": "default", "after": "classic"}
    ]
    assert written["before_is_in_force"] is True
    for side in written["pipeline"].values():
        for parts in (side["by_priority"], side["by_type"]):
            assert sum(part["leads"] for part in parts.values()) == side["leads"]
            assert sum(Decimal(part["open"]) for part in parts.values()) == Decimal(side["open"])
    assert len(written["leads"]) == 9
    for lead in written["leads"]:
        total = sum(each["effect"] for each in lead["why"]["components"])
        assert total == pytest.approx(lead["after"]["score"] - lead["before"]["score"], abs=0.101)


def test_as_csv_there_is_a_line_for_each_lead() -> None:
    lines = as_csv(compared(a_tenant(), AHEAD).changes).splitlines()
    assert lines[0].startswith("effect,lead_id,lead_type,title,account")
    assert len(lines) == 4
    assert all(line.startswith("appears,") for line in lines[1:])
    assert ",HIGH," in lines[1] or ",MEDIUM," in lines[1] or ",CRITICAL," in lines[1]


def test_known_names_keep_their_links_unless_all_are_to_be_linked_anew() -> None:
    lax = changed(RULES, accounts__link_at=70, accounts__review_at=50)
    names = ("Kestrel Aerospace", "Kestrel Aero")
    boxes = [a_box(record_id=name, account_name=name, territory_id=None) for name in names]
    rows: list[Row] = [box.model_copy(update={"support_status": "UNCOVERED"}) for box in boxes]

    class Grown(Held):
        async def state(self) -> TenantState:
            state = await super().state()
            return replace(state, known=side_of_rows(self.held).directory)

    kept = compared(Grown(rows), lax, everything=True)
    assert kept.changes == []
    anew = compared(Grown(rows), lax, everything=True, names_anew=True)
    assert {each.account for each in anew.changes} == {"Kestrel Aero"}
