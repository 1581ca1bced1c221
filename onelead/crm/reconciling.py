"""Reads what was told and what a CRM holds, compares both, writes again what OneLead owns."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from services.notifier.channels.crm.base import CrmError
from services.notifier.channels.crm.channel import CrmChannel
from services.notifier.domain.attempt import Delivered, Outcome
from services.notifier.domain.contents import Update
from services.notifier.domain.crm.comparison import (
    COMPARED,
    Comparison,
    Meanings,
    Told,
    compare,
)
from services.notifier.domain.crm.records import CrmRecord, Entry, Field, entry_of
from services.notifier.repository.crm import LastTold
from shared.errors import UserError

ToldByTenant = Mapping[str, Sequence[LastTold]]


@dataclass(frozen=True)
class CrmOf:
    """A CRM among the sinks."""

    name: str
    channel: CrmChannel


@dataclass(frozen=True)
class Reconciled:
    """How a CRM stands. `mended`: leads written again; `refused`: why others could not be."""

    sink: str
    comparison: Comparison
    mended: tuple[str, ...] = ()
    refused: Mapping[str, str] | None = None


async def reconcile(
    crm: CrmOf, told: ToldByTenant, tenants: Collection[str], *, mend: bool
) -> Reconciled:
    """Compares the tenants' leads; `told` has every tenant of the CRM, so that no lead is strange.

    Raises UserError when the CRM cannot be read or written.
    """
    try:
        found = await _compared(crm, told, tenants)
        if not mend:
            return Reconciled(crm.name, found)
        outcomes = await _mended(crm, found)
        again = await _compared(crm, told, tenants) if outcomes else found
    except CrmError as error:
        reason = getattr(error.outcome, "reason", "it did not answer")
        raise UserError(f"sink {crm.name}: {reason}") from None
    done = tuple(lead for lead, outcome in outcomes.items() if isinstance(outcome, Delivered))
    refused = {
        lead: outcome.reason
        for lead, outcome in outcomes.items()
        if not isinstance(outcome, Delivered)
    }
    return Reconciled(crm.name, again, done, refused)


async def _compared(crm: CrmOf, told: ToldByTenant, tenants: Collection[str]) -> Comparison:
    sink = crm.channel.sink
    ours = [_told(t, each, sink.opening_stage) for t in tenants for each in told.get(t, ())]
    others = {each.lead_id for t in told.keys() - set(tenants) for each in told[t]}
    meanings = Meanings(sink.meanings, sink.opening_stage, crm.channel.crm.lengths)
    held = await _held(crm.channel, {each.entry.lead_id for each in ours})
    return compare(ours, held, meanings, others=frozenset(others))


async def _held(channel: CrmChannel, ours: Collection[str]) -> dict[str, list[CrmRecord]]:
    """Our leads' records with all that is compared; of the rest just enough to tell that they are there."""
    found = await channel.held(ours, COMPARED) if ours else {}
    for record in await channel.crm.changed_since(None, (Field.STAGE, Field.STATUS)):
        if record.lead_id not in ours:
            found.setdefault(record.lead_id, []).append(record)
    return found


async def _mended(crm: CrmOf, found: Comparison) -> dict[str, Outcome]:
    """Writes again what drifted and what is missing; what the CRM owns is left to it."""
    again = [each.told.entry for each in found.drifted if each.mendable]
    entries: list[Entry] = [*again, *(each.entry for each in found.missing)]
    outcomes: dict[str, Outcome] = {}
    for start in range(0, len(entries), crm.channel.crm.most):
        part = entries[start : start + crm.channel.crm.most]
        written = await crm.channel.write(part)
        outcomes |= {entry.lead_id: o for entry, o in zip(part, written, strict=True)}
    return outcomes


def _told(tenant_id: str, last: LastTold, opening_stage: str) -> Told:
    # A record that was deleted is made again whole, even if the last thing said was a change.
    content = last.content.alert if isinstance(last.content, Update) else last.content
    return Told(tenant_id, entry_of(content, opening_stage), last.state)
