"""Replays a tenant's records under two sets of rules, chunk by chunk, and gathers what differs."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from onelead.what_if.changes import TURNS, Change, Effect, changes
from onelead.what_if.chunks import chunks
from onelead.what_if.pipeline import Pipeline
from onelead.what_if.side import Judged, Place, PlacedRow, Side, territory_totals
from onelead.what_if.snapshot import TenantState
from services.ingest.domain.accounts.directory import Directory
from services.ingest.domain.accounts.merges import overlay
from services.ingest.domain.accounts.reconcile import reconcile
from services.ingest.domain.catalogue import families_of
from services.ingest.domain.profile import ClosedTotals
from services.ingest.domain.values import PriceList
from services.scoring.domain.changes import differs
from services.scoring.domain.episodes import EpisodeState
from shared.db.rules_store import RulesInForce
from shared.events import LeadScored
from shared.rules.load import rules_version
from shared.rules.model import Rules

ROWS_PER_CHUNK = 2_000


class Moment(Protocol):
    """A tenant at one moment, as onelead.what_if.snapshot reads it."""

    tenant_id: str

    async def rules(self) -> RulesInForce:
        """The rules in force."""

    async def state(self) -> TenantState:
        """The tenant but for its rows."""

    async def closed_projects(self, rules: Rules) -> dict[Place, ClosedTotals]:
        """The closed projects of each place that count by these rules."""

    async def rows(self, places: Sequence[Place]) -> list[PlacedRow]:
        """The rows of places, in the order they were read."""

    async def emitted(self, lead_ids: Collection[str]) -> dict[str, LeadScored]:
        """What scoring told last of these leads."""

    async def open_leads(self) -> int:
        """How many leads are open by what scoring told last."""

    async def under_way(self) -> tuple[str, ...]:
        """What is not worked off yet, in words."""


@dataclass(frozen=True)
class How:
    """`everything`: keep leads of which only score, value or offer changes, too. `names_anew`: link
    all names as if they came for the first time, so that cut-offs act on known ones as well."""

    everything: bool = False
    names_anew: bool = False
    rows_per_chunk: int = ROWS_PER_CHUNK


@dataclass
class WhatIf:
    """The comparison. `changes` are kept as asked for; `effects` and `alerts` count them all.

    `otherwise_now`: leads that do not stand as "before" says by what was told of them last.
    """

    tenant_id: str
    as_of: date
    rules_before: Rules
    rules_after: Rules
    before: Pipeline = field(default_factory=Pipeline)
    after: Pipeline = field(default_factory=Pipeline)
    effects: Counter[Effect] = field(default_factory=Counter)
    alerts: int = 0
    changes: list[Change] = field(default_factory=list)
    otherwise_now: int = 0
    under_way: tuple[str, ...] = ()


async def replay(moment: Moment, change: Callable[[Rules], Rules], how: How) -> WhatIf:
    """What becomes of a tenant's leads when `change` makes other rules of those in force.

    Raises UserError for a tenant without records, and what `change` raises.
    """
    in_force = await moment.rules()
    new = change(in_force.rules)
    state = await moment.state()
    before = await side_of(moment, state, in_force.rules, how)
    after = await side_of(moment, state, new, how)
    found = WhatIf(moment.tenant_id, state.as_of, in_force.rules, new)
    found.under_way = await moment.under_way()
    known = 0
    for places in chunks(state.places, before.account_of, after.account_of, how.rows_per_chunk):
        rows = await moment.rows(places)
        old, other = before.judged(rows), after.judged(rows)
        emitted = await moment.emitted({*old, *other})
        known += _check(found, old, emitted)
        _compare(found, old, other, emitted, TURNS if not how.everything else tuple(Effect))
    found.otherwise_now += await moment.open_leads() - known
    found.changes.sort(key=_order)
    return found


async def side_of(moment: Moment, state: TenantState, rules: Rules, how: How | None = None) -> Side:
    """As ingest does when rules are applied: names linked, people's decisions over it, sums anew."""
    known = Directory() if how and how.names_anew else state.known
    base = reconcile(moment.tenant_id, state.uses, state.territory_ids, known, rules.accounts)
    directory = overlay(base, state.decisions)
    closed = await moment.closed_projects(rules)
    return Side(
        tenant_id=moment.tenant_id,
        as_of=state.as_of,
        rules=rules,
        version=rules_version(rules),
        directory=directory,
        territory_totals=territory_totals(directory, closed),
        prices=PriceList(
            families_of(state.services, rules.currency), state.versions, rules.currency
        ),
    )


def _check(found: WhatIf, before: Mapping[str, Judged], emitted: Mapping[str, LeadScored]) -> int:
    """Counts the leads that were not told as `before` has them. Returns how many are open now."""
    is_open = {lead_id: event for lead_id, event in emitted.items() if event.state == "open"}
    for lead_id, judged in before.items():
        told = is_open.get(lead_id)
        if told is None or differs(told, _retold(told, judged)):
            found.otherwise_now += 1
    return sum(lead_id in is_open for lead_id in before)


def _retold(told: LeadScored, judged: Judged) -> LeadScored:
    facts = {"lead": judged.lead, "account": judged.account, "score": judged.score}
    return told.model_copy(update=facts)


def _compare(
    found: WhatIf,
    before: Mapping[str, Judged],
    after: Mapping[str, Judged],
    emitted: Mapping[str, LeadScored],
    kept: Collection[Effect],
) -> None:
    found.before.add(before.values())
    found.after.add(after.values())
    episodes = {
        lead_id: EpisodeState(event.episode, event.episode_open, event.critical_since)
        for lead_id, event in emitted.items()
    }
    for change in changes(before, after, episodes):
        found.effects[change.effect] += 1
        found.alerts += change.alert
        if change.alert or change.effect in kept:
            found.changes.append(change)


def _order(change: Change) -> tuple[int, float, str]:
    """What changes most first: by effect, then by the score it has or had."""
    standing = change.after or change.before
    score = standing.score if standing else 0.0
    return list(Effect).index(change.effect), -score, change.lead_id
