"""Ingest ends itself in the middle of an undo: the accounts must be as if they had never been merged."""

import asyncio
import uuid
from collections.abc import Sequence

from onelead.accounts.asking import ask
from services.ingest.domain.ids import account_id_of_territory
from shared import clock
from shared.errors import UserError
from shared.events import AccountAction, AccountCommand, AccountDecided, AccountOutcome, Actor
from tests.faults.fault import Blow, FaultKind, Hit
from tests.faults.generator import BOXES_PER_TERRITORY, Change, batch
from tests.faults.history import Broken, Entry, Merged
from tests.faults.kinds.named_point import TIMES, ended_at
from tests.faults.offices import OFFICES
from tests.faults.points import UNDO_POINTS, arm

_ANSWERED_WITHIN_S = 60.0
_AGAIN_S = 0.3
_BOXES_EACH = 2


class UndoneHalfway(FaultKind):
    """Two accounts are merged, and this is undone: ingest is killed between two steps of the undo."""

    name = "undo"
    title = "kill -9 in the middle of an undo"
    rounds = len(UNDO_POINTS) * TIMES
    short_rounds = 1
    boxes = 6
    launched = True
    within_s = 0.3

    async def inject(self, blow: Blow) -> Hit:
        """Merges two accounts of the import's, arms a point, and takes the merge back."""
        tenant = blow.tenants[blow.round % len(blow.tenants)]
        rows = _rows(tenant, blow.round)
        await blow.feed.hand_over(rows)
        account_id, into = (account_id_of_territory(tenant, each) for each in _territories(rows))
        merge = AccountCommand(
            version=clock.now_us(),
            actor=Actor(kind="person", id="battery"),
            command_id="",
            action=AccountAction.MERGE,
            account_id=account_id,
            into=into,
        )
        merged = await self._once_made(blow, tenant, merge)
        point = UNDO_POINTS[blow.round % len(UNDO_POINTS)]
        [victim] = blow.world.keeper.of("ingest")
        arm(victim.arm_file, point, passes=0)
        undo = merge.model_copy(
            update={"action": AccountAction.UNDO, "decision": merged.decision, "into": None}
        )
        asked = asyncio.create_task(_asked(blow, tenant, undo))
        entries: list[Entry] = [Merged(tenant, account_id, into)]
        if not await ended_at(victim):
            entries.append(Broken(self.name, blow.round, f"{point.name} was never reached"))
        answer = await asked
        if answer is None or answer.outcome is not AccountOutcome.UNDONE:
            said = "no answer" if answer is None else answer.detail
            entries.append(Broken(self.name, blow.round, f"the undo: {said}"))
        return Hit(f"ingest: {point.name}", entries=entries)

    async def _once_made(self, blow: Blow, tenant: str, merge: AccountCommand) -> AccountDecided:
        """The merge, asked for until the import has brought both accounts."""
        async with asyncio.timeout(_ANSWERED_WITHIN_S):
            while True:
                answer = await _asked(blow, tenant, merge)
                if answer is not None and answer.outcome is AccountOutcome.MADE:
                    return answer
                await asyncio.sleep(_AGAIN_S)


async def _asked(blow: Blow, tenant: str, command: AccountCommand) -> AccountDecided | None:
    """Ingest's answer; None when none came in time."""
    named = command.model_copy(update={"command_id": uuid.uuid4().hex})
    try:
        return await ask(blow.world.bootstrap, tenant, named, timeout_s=_ANSWERED_WITHIN_S)
    except UserError:
        return None


def _rows(tenant: str, number: int) -> list[Change]:
    """An import of two accounts of one office, each of so few boxes that together they are no larger one."""
    size = BOXES_PER_TERRITORY * (len(OFFICES) + 1)
    rows = batch(tenant, number, size)
    return [*rows[:_BOXES_EACH], *rows[-_BOXES_EACH:]]


def _territories(rows: Sequence[Change]) -> Sequence[str]:
    """The territories of the first row and of the last."""
    return [(row.values or {})["territory_id"] for row in (rows[0], rows[-1])]
