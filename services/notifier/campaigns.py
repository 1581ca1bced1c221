"""Takes the steps of campaigns when they fall due: reads lead, status and refusals, adds the mail or task."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.campaigns import (
    CAMPAIGNS,
    Action,
    Call,
    Circumstances,
    Enrolment,
    Stop,
    due_at,
    next_action,
)
from services.notifier.domain.contents import CallTask, Content
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Alert
from services.notifier.domain.plan import Plan, Target
from services.notifier.outreach import Writer
from services.notifier.repository import Held, LeadsRepository, NewDelivery, NotifierRepository
from services.notifier.repository.people import PeopleRepository
from shared import clock
from shared.errors import UserError
from shared.ops.composition import Base
from shared.ops.logs import get_logger
from shared.ops.ticks import run_ticks

_log = get_logger(__name__)
_AT_ONCE = 50


class Campaigns:
    """Every tenant's campaigns."""

    def __init__(self, base: Base, plan: Plan, writer: Writer, *, interval_s: float) -> None:
        self._base = base
        self._plan = plan
        self._writer = writer
        self._interval_s = interval_s
        self._people = PeopleRepository()
        self._leads = LeadsRepository()
        self._deliveries = NotifierRepository()

    async def run(self) -> None:
        """Takes what is due until cancelled."""
        await run_ticks(self.step, self._interval_s)

    async def step(self) -> bool:
        """Takes up to a handful of steps of each tenant. Returns whether any was taken."""
        now = clock.now()
        async with self._base.tick_database.transaction() as connection:
            tenants = await self._people.tenants_with_steps(connection, now)
        taken = [await self._steps(tenant_id, now) for tenant_id in tenants]
        return any(taken)

    async def _steps(self, tenant_id: str, now: datetime) -> int:
        async with self._base.database.transaction({tenant_id}) as connection:
            await self._people.take_bounces(connection, now)
            found = await self._people.due(connection, tenant_id, now, _AT_ONCE)
            held = await self._leads.held(connection, {(tenant_id, e.lead_id) for e in found})
            addresses = {(tenant_id, enrolment.contact) for enrolment in found}
            refused = await self._people.suppressed(connection, addresses)
            for enrolment in found:
                lead = held.get((tenant_id, enrolment.lead_id), Held())
                why = refused.get((tenant_id, enrolment.contact))
                known = Circumstances(lead.alert, lead.standing, why, now)
                await self._take(connection, enrolment, known)
        return len(found)

    async def _take(
        self, connection: AsyncConnection, enrolment: Enrolment, known: Circumstances
    ) -> None:
        """One step: what it asks for is made and the next one set; what cannot be made ends it."""
        campaign = CAMPAIGNS[enrolment.campaign]
        action = next_action(campaign, enrolment, known)
        try:
            new = await self._made(action, enrolment, known)
        except UserError as error:
            action, new = Stop(error.message), []
        if isinstance(action, Stop):
            await self._people.end(connection, enrolment, action.reason)
            _log.info("campaign stopped", lead=enrolment.lead_id, reason=action.reason)
            return
        await self._deliveries.add(connection, new)
        next_at = due_at(campaign, enrolment, enrolment.next_step + 1)
        await self._people.advance(connection, enrolment, next_at)

    async def _made(
        self, action: Action, enrolment: Enrolment, known: Circumstances
    ) -> list[NewDelivery]:
        """The deliveries of a step. Raises UserError when no sink or no template can carry it."""
        if isinstance(action, Stop) or known.alert is None:
            return []
        if isinstance(action, Call):
            task = _task(enrolment, known.alert, known.now)
            return self._deliveries_of(enrolment, task, known, Purpose.CALL_TASK)
        owned = replace(enrolment, owner=known.standing.owner)
        mail = await self._writer.write(action.template, owned, known.alert)
        found = self._deliveries_of(enrolment, mail, known, Purpose.OUTREACH)
        if not found:
            raise UserError("no sink sends campaign mails (a mail sink with `outreach: true`)")
        return found[:1]  # one mail to the customer, however many sinks could carry it

    def _deliveries_of(
        self, enrolment: Enrolment, content: Content, known: Circumstances, purpose: Purpose
    ) -> list[NewDelivery]:
        if known.alert is None:
            return []
        targets = self._plan.routed(enrolment.tenant_id, known.alert, purpose)
        return [self._delivery(enrolment, content, t, known, purpose) for t in targets]

    def _delivery(
        self,
        enrolment: Enrolment,
        content: Content,
        target: Target,
        known: Circumstances,
        purpose: Purpose,
    ) -> NewDelivery:
        episode = known.alert.episode if known.alert else 0
        delivery = Delivery(
            tenant_id=enrolment.tenant_id,
            lead_id=enrolment.lead_id,
            episode=episode,
            purpose=purpose,
            channel=target.channel,
            target=target.address,
            created_at=known.now,
            number=enrolment.number(),
        )
        due = self._plan.due_at(target, known.now)
        return NewDelivery(delivery, content, due, f"campaign/{enrolment.campaign}")


def _task(enrolment: Enrolment, alert: Alert, now: datetime) -> CallTask:
    return CallTask(
        alert=alert, campaign=enrolment.campaign, contact=enrolment.contact, due=now.date()
    )
