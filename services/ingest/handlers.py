"""The use cases of ingest on arrival: a tenant's records are judged and staged, rules are stored.

Nothing is applied or derived here; a completed batch, a single change and new rules leave work behind.
"""

from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.arrivals import by_batch, changes_in, is_single, runs_of
from services.ingest.deciding import DECISION, asked
from services.ingest.domain.batch import OF_RULES, Batch
from services.ingest.messages import progressed
from services.ingest.repository import (
    AccountDecisionsRepository,
    BatchesRepository,
    RecordsRepository,
)
from services.ingest.staging import stage
from shared import clock
from shared.db.rules_store import RulesInForce, RulesStore
from shared.events import AccountCommand, BatchCompleted, BatchOpened, ImportPhase
from shared.messaging.codec import Received
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import Outbox
from shared.rules.influence import OF_INGEST


class IngestHandlers:
    """Each method is handed one batch inside one transaction and neither publishes nor commits."""

    def __init__(
        self, rules: RulesStore, outbox: Outbox, inbox: Inbox, *, as_of: date | None
    ) -> None:
        self._batches = BatchesRepository()
        self._records = RecordsRepository()
        self._decisions = AccountDecisionsRepository()
        self._rules = rules
        self._outbox = outbox
        self._inbox = inbox
        self._as_of = as_of

    async def on_records(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Rows, their batches' ends, and single changes, of any number of tenants."""
        for tenant_id in sorted({message.envelope.tenant_id for message in batch}):
            await self._batches.lock_tenant(connection, tenant_id)
            await self._batches.begin_tenant(connection, tenant_id, self._as_of or clock.today())
            rules = (await self._rules.in_force(connection, {tenant_id}))[tenant_id]
            for run in runs_of([m for m in batch if m.envelope.tenant_id == tenant_id]):
                await self._open(connection, tenant_id, run)
                await self._stage(connection, tenant_id, run, rules)
                await self._change(connection, tenant_id, run, rules)
                await self._complete(connection, tenant_id, run)

    async def on_rules(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """New rules: what they influence is made anew, when it is ingest's to make."""
        for tenant_id, change in (await self._rules.save(connection, batch)).items():
            if not (anew := change.anew & OF_INGEST):
                continue
            await self._batches.lock_tenant(connection, tenant_id)
            await self._batches.begin_tenant(connection, tenant_id, self._as_of or clock.today())
            version = max(m.envelope.version for m in batch if m.envelope.tenant_id == tenant_id)
            await self._batches.open_batch(
                connection,
                tenant_id,
                f"rules-{version}",
                work=OF_RULES,
                state="complete",
                anew=anew,
            )

    async def on_account_commands(
        self, connection: AsyncConnection, batch: Sequence[Received]
    ) -> None:
        """Commands about accounts: each is decided when its turn comes, once by its id."""
        for tenant_id in sorted({message.envelope.tenant_id for message in batch}):
            await self._batches.lock_tenant(connection, tenant_id)
            await self._batches.begin_tenant(connection, tenant_id, self._as_of or clock.today())
            for message in batch:
                command, envelope = message.event, message.envelope
                if envelope.tenant_id == tenant_id and isinstance(command, AccountCommand):
                    unit = await self._batches.open_batch(
                        connection,
                        tenant_id,
                        f"{DECISION}-{command.command_id}",
                        work=DECISION,
                        state="complete",
                        actor=command.actor,
                        traceparent=envelope.traceparent,
                    )
                    await self._decisions.add(connection, tenant_id, asked(unit, command))

    async def _open(
        self, connection: AsyncConnection, tenant_id: str, messages: Sequence[Received]
    ) -> None:
        for message in messages:
            if isinstance(message.event, BatchOpened):
                await self._batches.open_batch(
                    connection,
                    tenant_id,
                    message.event.batch_id,
                    work="import",
                    state="receiving",
                    parts=message.event.parts,
                    actor=message.event.actor,
                    traceparent=message.envelope.traceparent,
                )

    async def _stage(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        messages: Sequence[Received],
        rules: RulesInForce,
    ) -> None:
        rows = by_batch(messages)
        known = await self._batches.by_ids(connection, tenant_id, sorted(rows))
        for batch_id, observed in rows.items():
            batch = known.get(batch_id)
            if batch is None:
                raise ValueError(f"rows of batch {batch_id[:80]!r}, which was never opened")
            if batch.state == "receiving":
                await self._save(connection, batch, observed, rules)
                await self._tell(connection, batch, ImportPhase.RECEIVING)

    async def _change(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        messages: Sequence[Received],
        rules: RulesInForce,
    ) -> None:
        """Single changes: those not seen before become a small unit of work of their own."""
        new = await self._inbox.first_seen(connection, [m for m in messages if is_single(m)])
        if not new:
            return
        first = new[0].envelope
        batch = await self._batches.open_batch(
            connection,
            tenant_id,
            f"change-{first.id}",
            work="change",
            state="complete",
            traceparent=first.traceparent,
        )
        await self._save(connection, batch, new, rules)

    async def _save(
        self,
        connection: AsyncConnection,
        batch: Batch,
        messages: Sequence[Received],
        rules: RulesInForce,
    ) -> None:
        staged = stage(changes_in(messages), batch.parts, rules.rules)
        await self._records.stage(connection, batch, [vars(row) for row in staged.rows])
        await self._batches.add_findings(connection, batch, staged.findings)

    async def _complete(
        self, connection: AsyncConnection, tenant_id: str, messages: Sequence[Received]
    ) -> None:
        ends = [m.event for m in messages if isinstance(m.event, BatchCompleted)]
        known = await self._batches.by_ids(connection, tenant_id, [end.batch_id for end in ends])
        for end in ends:
            batch = known.get(end.batch_id)
            if batch is None:
                raise ValueError(f"end of batch {end.batch_id[:80]!r}, which was never opened")
            if batch.state == "receiving":
                await self._batches.complete(connection, batch, end.count)

    async def _tell(self, connection: AsyncConnection, batch: Batch, phase: ImportPhase) -> None:
        done = await self._batches.received(connection, batch)
        version = await self._batches.next_progress_version(connection, batch)
        await self._outbox.add(connection, [progressed(batch, version, phase, done=done)])
