"""A CRM as a channel: an alert becomes a record, later news change what OneLead owns in it.

What goes out at about the same time shares calls: one look at what stands there, one at the accounts,
one write (rules.md §8).
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import asdict
from typing import Any, ClassVar, TypeVar

import orjson

from services.notifier.channels.crm.base import Crm, CrmError, CrmSink
from services.notifier.channels.crm.coalescer import Bounds, Coalescer
from services.notifier.channels.sink import SinkSettings
from services.notifier.domain.attempt import Certainty, Outcome, Rejected
from services.notifier.domain.contents import CallTask, Content
from services.notifier.domain.crm.records import (
    Call,
    CrmRecord,
    Entry,
    Field,
    Write,
    call_of,
    entry_of,
    folded,
    noted,
    write_of,
)
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.plan import Target

T = TypeVar("T")
_MOST_UNDER_WAY = 200


class CrmChannel:
    """Records of leads in one organisation of one CRM; each CRM's channel says how it is opened."""

    name: ClassVar[str]
    settings_class: ClassVar[type[SinkSettings]]
    accepts: ClassVar[frozenset[Purpose]] = frozenset(
        {Purpose.ALERT, Purpose.UPDATE, Purpose.WITHDRAWAL, Purpose.CALL_TASK}
    )
    certainty: ClassVar[Certainty] = Certainty.IDEMPOTENT
    repeatable = True

    def __init__(self, sink: CrmSink, crm: Crm, address: str) -> None:
        self.sink = sink
        self.crm = crm
        self.concurrency = sink.concurrency or _MOST_UNDER_WAY
        self._address = address
        bounds = Bounds(crm.most)
        self._entries = Coalescer(self.write, key=_lead_of, size=_size, bounds=bounds)
        self._calls = Coalescer(self._add_calls, key=_task_of, size=_size, bounds=bounds)

    @property
    def targets(self) -> tuple[Target, ...]:
        """The organisation, named by its host."""
        return (Target(self.name, self._address, tells_withdrawals=True),)

    def render(self, content: Content, delivery: Delivery) -> Entry | Call:
        """What to write of a lead, or a task. Raises TypeError for anything else."""
        if delivery.purpose not in self.accepts:
            raise TypeError(f"a CRM is not told of {delivery.purpose.value} ({delivery.id})")
        if isinstance(content, CallTask):
            return call_of(content, delivery.id)
        return entry_of(content, self.sink.opening_stage)

    def wire(self, rendered: Entry | Call) -> bytes:
        """The fields as JSON, by the names that OneLead has for them."""
        return orjson.dumps(asdict(rendered), default=str, option=orjson.OPT_NON_STR_KEYS)

    async def find(self, rendered: Entry | Call) -> Outcome | None:
        """Never asked: writing again has the effect of once."""
        raise NotImplementedError

    async def send(self, rendered: Entry | Call) -> Outcome:
        """Writes it, with others that come at the same time."""
        try:
            if isinstance(rendered, Call):
                return await self._calls.submit(rendered)
            return await self._entries.submit(rendered)
        except CrmError as error:
            return error.outcome

    async def close(self) -> None:
        """Lets calls under way come to their end and closes the client."""
        await self._entries.close()
        await self._calls.close()
        await self.crm.close()

    async def write(self, entries: Sequence[Entry]) -> list[Outcome]:
        """Writes each entry, no lead twice; how it went for each. Raises CrmError for all of them."""
        held = await self.held({e.lead_id for e in entries}, (Field.ACCOUNT,))
        names = {e.account for e in entries if e.account and _looked_up(e, held)}
        accounts = await self.crm.accounts(names) if names else {}
        outcomes: dict[str, Outcome] = {}
        writes: list[Write] = []
        for entry in entries:
            ids = accounts.get(folded(entry.account or ""), ())
            decided = write_of(entry, held.get(entry.lead_id, ()), ids)
            if isinstance(decided, Write):
                writes.append(decided)
            else:
                outcomes[entry.lead_id] = decided
        for write, outcome in zip(writes, await _halved(self.crm.upsert, writes), strict=True):
            outcomes[write.lead_id] = noted(outcome, write.note)
        return [outcomes[entry.lead_id] for entry in entries]

    async def held(
        self, lead_ids: Collection[str], fields: Collection[Field]
    ) -> dict[str, list[CrmRecord]]:
        """What the CRM holds of leads, by lead; several records where a lead has several."""
        found: dict[str, list[CrmRecord]] = {}
        for record in await self.crm.read(sorted(lead_ids), fields):
            found.setdefault(record.lead_id, []).append(record)
        return found

    async def _add_calls(self, calls: Sequence[Call]) -> Sequence[Outcome]:
        held = await self.held({call.lead_id for call in calls}, (Field.OWNER,))
        outcomes: dict[str, Outcome] = {}
        ready: list[tuple[Call, CrmRecord | None]] = []
        for call in calls:
            records = held.get(call.lead_id, [])
            if len(records) > 1:
                reason = f"{len(records)} records in the CRM are of this lead"
                outcomes[call.task_id] = Rejected(reason, error="ambiguous")
            else:
                ready.append((call, records[0] if records else None))
        for (call, record), outcome in zip(
            ready, await _halved(self.crm.add_calls, ready), strict=True
        ):
            alone = (
                None if record else "the CRM holds no record of this lead: the task stands alone"
            )
            outcomes[call.task_id] = noted(outcome, alone)
        return [outcomes[call.task_id] for call in calls]


async def _halved(
    call: Callable[[Sequence[T]], Awaitable[Sequence[Outcome]]], items: Sequence[T]
) -> Sequence[Outcome]:
    """One call for all items. One that spoils it for the others is found by halving."""
    if not items:
        return []
    try:
        return await call(items)
    except CrmError as error:
        if not isinstance(error.outcome, Rejected):
            raise
        if len(items) == 1:
            return [error.outcome]
    middle = len(items) // 2
    return [*await _halved(call, items[:middle]), *await _halved(call, items[middle:])]


def _looked_up(entry: Entry, held: dict[str, list[CrmRecord]]) -> bool:
    """Whether the account matters: a new record, or one that nobody gave an account yet."""
    records = held.get(entry.lead_id, [])
    if not records:
        return entry.at_creation is not None
    return len(records) == 1 and not records[0].values.get(Field.ACCOUNT)


def _lead_of(entry: Entry) -> str:
    return entry.lead_id


def _task_of(call: Call) -> str:
    return call.task_id


def _size(item: Any) -> int:
    """About how many bytes it takes in a call."""
    texts = (item.description,) if isinstance(item, Call) else item.ours.values()
    return 500 + sum(len(str(text).encode()) for text in texts)
