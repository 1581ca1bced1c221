"""Compares what OneLead last told a CRM with what the CRM holds: field by field, and whose each field is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation

from services.notifier.domain.crm.records import (
    LEFT_OPEN,
    OPEN,
    OWNED_BY,
    WITHDRAWN,
    CrmRecord,
    Entry,
    Field,
    FieldValue,
    Owner,
    folded,
)
from services.notifier.domain.crm.stages import Stages, meaning
from shared.events import LeadState

COMPARED = (*(name for name, owner in OWNED_BY.items() if owner is Owner.ONELEAD), Field.STAGE)


@dataclass(frozen=True)
class Told:
    """A lead that a CRM was told of: the newest thing said, and how the lead stands with us."""

    tenant_id: str
    entry: Entry
    state: LeadState


@dataclass(frozen=True)
class Drift:
    """A field that differs. What OneLead owns can be written again, what the CRM owns is only shown."""

    field: Field
    owner: Owner
    ours: str
    theirs: str


@dataclass(frozen=True)
class Drifted:
    """A record that is not as OneLead left it, or whose stage is not where the lead stands."""

    told: Told
    external_id: str
    drifts: tuple[Drift, ...]

    @property
    def mendable(self) -> bool:
        """Whether OneLead may write it again."""
        return any(drift.owner is Owner.ONELEAD for drift in self.drifts)


@dataclass(frozen=True)
class Comparison:
    """Everything that was compared, by what came of it.

    `unknown`: open records with a OneLead id that is no lead of ours. `stages`: records in stages
    whose meaning nobody has told us. `several`: leads with more than one record.
    """

    in_sync: tuple[str, ...] = ()
    drifted: tuple[Drifted, ...] = ()
    missing: tuple[Told, ...] = ()
    unknown: tuple[CrmRecord, ...] = ()
    stages: tuple[CrmRecord, ...] = ()
    several: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether nothing is left for anybody to look at."""
        return not (self.drifted or self.missing or self.unknown or self.stages or self.several)


@dataclass(frozen=True)
class Meanings:
    """How a CRM's stages are read: what each means, the one records begin with, and text lengths."""

    stages: Stages
    opening_stage: str
    lengths: Mapping[Field, int] = field(default_factory=dict)


def compare(
    told: Sequence[Told],
    held: Mapping[str, Sequence[CrmRecord]],
    meanings: Meanings,
    *,
    others: frozenset[str] = frozenset(),
) -> Comparison:
    """What is in sync and what is not. `held`: every record with a OneLead id, by it; `others`: ids of
    leads that belong to tenants which are not compared now.
    """
    ours = {each.entry.lead_id: each for each in told}
    single = {lead_id: records[0] for lead_id, records in held.items() if len(records) == 1}
    drifted = [
        Drifted(each, single[lead_id].external_id, drifts)
        for lead_id, each in ours.items()
        if lead_id in single and (drifts := drifts_of(each, single[lead_id], meanings))
    ]
    off = {each.told.entry.lead_id for each in drifted}
    strange = [r for i, r in single.items() if i in ours and _strange(r, meanings)]
    off |= {record.lead_id for record in strange}
    return Comparison(
        in_sync=tuple(i for i in ours if i in single and i not in off),
        drifted=tuple(drifted),
        missing=tuple(
            e for i, e in ours.items() if i not in held and e.entry.at_creation is not None
        ),
        unknown=tuple(
            r for i, r in single.items() if i not in ours and i not in others and _is_open(r)
        ),
        stages=tuple(strange),
        several={i: tuple(r.external_id for r in rs) for i, rs in held.items() if len(rs) > 1},
    )


def drifts_of(told: Told, record: CrmRecord, meanings: Meanings) -> tuple[Drift, ...]:
    """The fields of a record that differ from what was last told, and a stage the lead does not stand at."""
    found = [
        Drift(name, OWNED_BY[name], _shown(value), _shown(record.values.get(name)))
        for name, value in told.entry.ours.items()
        if not same(name, value, record.values.get(name), meanings.lengths)
    ]
    state = meaning(record.stage, meanings.stages)
    began = folded(record.stage) == folded(meanings.opening_stage)
    if state is not None and state is not told.state and not began:
        stage = Drift(Field.STAGE, Owner.CRM, told.state.value, f"{record.stage} ({state.value})")
        found.append(stage)
    return tuple(found)


def same(
    name: Field, ours: FieldValue, theirs: FieldValue | None, lengths: Mapping[Field, int]
) -> bool:
    """Whether a field holds what was written: numbers by value, texts as far as they fit, blanks as one."""
    if theirs is None:
        return ours == ""
    if isinstance(ours, Decimal):
        try:
            return Decimal(str(theirs)) == ours
        except InvalidOperation:
            return False
    wrote, stands = _words(cut(str(ours), lengths.get(name))), _words(str(theirs))
    if name is Field.DESCRIPTION:
        wrote, _, _ = wrote.partition(_words(LEFT_OPEN))
        stands, _, _ = stands.partition(_words(LEFT_OPEN))
    return wrote.strip() == stands.strip()


def cut(text: str, limit: int | None) -> str:
    """The text, or as much of it as fits into `limit` UTF-16 units, with an ellipsis at its end."""
    if limit is None or len(text.encode("utf-16-le")) <= 2 * limit:
        return text
    kept = text.encode("utf-16-le")[: 2 * (limit - 1)].decode("utf-16-le", errors="ignore")
    return f"{kept}…"


def _words(text: str) -> str:
    return " ".join(text.split())


def _shown(value: FieldValue | None) -> str:
    return "" if value is None else str(value)


def _strange(record: CrmRecord, meanings: Meanings) -> bool:
    began = folded(record.stage) == folded(meanings.opening_stage)
    return not began and meaning(record.stage, meanings.stages) is None


def _is_open(record: CrmRecord) -> bool:
    status = record.values.get(Field.STATUS, OPEN)
    return folded(str(status)) != folded(WITHDRAWN)
