"""Decides a command about accounts when its turn comes among the units of work, and answers it."""

from sqlalchemy.ext.asyncio import AsyncConnection

from services.ingest.domain.accounts.decisions import Decision, DecisionState, decide, refused
from services.ingest.domain.accounts.merges import overlay
from services.ingest.domain.batch import Batch
from services.ingest.messages import decided
from services.ingest.repository import AccountDecisionsRepository, AccountsRepository
from shared import clock
from shared.events import AccountCommand, AccountRefusal
from shared.messaging.outbox import Outbox

DECISION = "decision"
"""The kind of work that a command about accounts is."""


def asked(unit: Batch, command: AccountCommand) -> Decision:
    """A command as the log holds it until its turn comes."""
    return Decision(
        number=unit.batch_no,
        command_id=command.command_id,
        action=command.action,
        account_id=command.account_id,
        into=command.into,
        name=command.name,
        founder=command.founder,
        undoes=command.decision,
        why=command.why,
        actor=command.actor,
        office_id=command.office_id,
        asked_at=clock.now(),
    )


class Deciding:
    """Decides inside the transaction of the unit of work."""

    def __init__(self, outbox: Outbox) -> None:
        self._accounts = AccountsRepository()
        self._decisions = AccountDecisionsRepository()
        self._outbox = outbox

    async def decide(self, connection: AsyncConnection, unit: Batch) -> bool:
        """Decides the command behind a unit of work and answers it. Returns whether it takes effect."""
        log = await self._decisions.log(connection, unit.tenant_id)
        command = next((each for each in log if each.number == unit.batch_no), None)
        if command is None:
            raise LookupError(f"decision {unit.batch_no} is not in the log, or cannot be read")
        base = (await self._accounts.load_directory(connection, unit.tenant_id)).base
        changed = decide(command, base, overlay(base, log), log, clock.now())
        await self._settle(connection, unit, *changed)
        return changed[0].state is DecisionState.MADE

    async def give_up(self, connection: AsyncConnection, unit: Batch) -> None:
        """Refuses the command of a unit of work that cannot be worked off, unless it was decided."""
        if unit.work != DECISION:
            return
        log = await self._decisions.log(connection, unit.tenant_id)
        for each in log:
            if each.number == unit.batch_no and each.state is DecisionState.ASKED:
                detail = "it could not be worked off; ingest's log says why"
                failed = refused(each, AccountRefusal.FAILED, detail, clock.now())
                await self._settle(connection, unit, failed)

    async def _settle(self, connection: AsyncConnection, unit: Batch, *changed: Decision) -> None:
        await self._decisions.save(connection, unit.tenant_id, changed)
        await self._outbox.add(connection, [decided(unit, changed[0])])
