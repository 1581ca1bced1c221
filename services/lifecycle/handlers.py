"""The use cases of lifecycle: the public leads change, a command comes, a flag falls due."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.lifecycle.domain.deciding import decide
from services.lifecycle.domain.flags import fall_due
from services.lifecycle.domain.presence import appears, observed
from services.lifecycle.domain.status import AccountFlag, Known, Lead, Status
from services.lifecycle.domain.verdict import Changed, Refused
from services.lifecycle.repository import Key, LifecycleRepository
from services.lifecycle.telling import Cause, Telling
from shared import clock
from shared.events import Event, LeadAction, LeadChange, LeadChanged, LeadCommand
from shared.messaging.codec import Received
from shared.messaging.inbox import Inbox
from shared.messaging.outbox import Outbox


class LifecycleHandlers:
    """Each method works inside one transaction and neither publishes nor commits."""

    def __init__(self, repository: LifecycleRepository, outbox: Outbox, inbox: Inbox) -> None:
        self._repository = repository
        self._outbox = outbox
        self._inbox = inbox

    async def on_leads(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Public leads: they appear, are withdrawn, return; what lists show of them is kept."""
        newest = _newest(batch)
        accounts = {
            (tenant, message.event.account_id)
            for (tenant, _), message in newest.items()
            if isinstance(message.event, LeadChanged)
        }
        telling = await self._hold(connection, newest.keys(), accounts)
        seen = [_observe(telling, key, message) for key, message in sorted(newest.items())]
        await self._repository.save_leads(connection, [lead for lead in seen if lead is not None])
        await self._save(connection, telling)

    async def on_commands(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Commands: each id is decided once; one that comes again is answered as it was."""
        fresh = [m for m in await self._inbox.first_seen(connection, batch) if _command(m)]
        claimed = await self._repository.claim(connection, {_command_key(m) for m in fresh})
        answers = await self._repository.answers(
            connection, {_command_key(m) for m in fresh} - claimed
        )
        ours = [message for message in fresh if _command_key(message) in claimed]
        telling = await self._hold_for(connection, ours)
        made: dict[Key, Event] = {}
        for message in fresh:
            key = _command_key(message)
            given = made.get(key) or answers.get(key)
            if given is not None:
                telling.answer_again(key[0], given, message.envelope.traceparent)
            elif key in claimed:
                made[key] = _carry_out(telling, message)
        await self._repository.save_answers(connection, made)
        await self._save(connection, telling)

    async def due_step(self, connection: AsyncConnection, tenant_id: str, limit: int) -> int:
        """Lets the flags of up to `limit` leads of a tenant fall due. Returns of how many."""
        now = clock.now()
        leads = await self._repository.due_leads(connection, tenant_id, now, limit)
        telling = Telling(leads=dict(leads))
        for lead in leads.values():
            _take_steps(telling, lead, fall_due(lead.status, now), Cause(now))
        await self._save(connection, telling)
        return len(leads)

    async def _hold_for(self, connection: AsyncConnection, commands: Sequence[Received]) -> Telling:
        """The leads of commands; where an account is not to be contacted, all of its leads."""
        keys = {_lead_key(message) for message in commands}
        flagging = {
            _lead_key(message)
            for message in commands
            if (command := _command(message)) and command.action is LeadAction.DO_NOT_CONTACT
        }
        return await self._hold(connection, keys, whole=flagging)

    async def _hold(
        self,
        connection: AsyncConnection,
        leads: Collection[Key],
        accounts: Collection[Key] = (),
        whole: Collection[Key] = (),
    ) -> Telling:
        """Locks these accounts, those of the leads, and the leads; with `whole` leads, their siblings."""
        repository, held = self._repository, set[Key]()
        wanted = {*accounts, *await repository.accounts_of_leads(connection, leads)}
        while wanted - held:
            await repository.lock_accounts(connection, wanted - held)
            held |= wanted
            # A lead may have moved while we waited; from now on none of these can.
            wanted |= await repository.accounts_of_leads(connection, leads)
        siblings = await repository.leads_of_accounts(
            connection, await repository.accounts_of_leads(connection, whole)
        )
        found = await repository.locked_leads(connection, {*leads, *siblings})
        return Telling(leads=found, accounts=await repository.accounts(connection, held))

    async def _save(self, connection: AsyncConnection, telling: Telling) -> None:
        changed = [telling.leads[key] for key in sorted(telling.changed)]
        flags = {key: telling.accounts[key] for key in telling.flagged}
        await self._repository.save_statuses(connection, changed)
        await self._repository.save_accounts(connection, flags)
        await self._repository.add_history(connection, telling.history)
        await self._outbox.add(connection, telling.messages)


def _observe(telling: Telling, key: Key, message: Received) -> Lead | None:
    """A public lead is taken over. Returns it, None for one that is stale or was never open here."""
    event = message.event if isinstance(message.event, LeadChanged) else None
    version = event.version if event is not None else message.envelope.version
    lead = telling.leads.get(key)
    withdrawn = event is None or event.state == "withdrawn"
    if (lead is None and withdrawn) or (lead is not None and lead.known.version >= version):
        return None
    by = _cause(message)
    if lead is None:
        assert event is not None
        lead = Lead(*key, Known.of(event), Status())
        steps = appears(telling.flag_of(lead.account), by.now)
    else:
        left = lead.known.office_id
        lead = lead.known_as(Known.of(event) if event is not None else None, version)
        telling.leads[key] = lead
        if lead.known.office_id != left:
            telling.route(lead, left, by)
            lead = telling.leads[key]
        steps = observed(lead, telling.flag_of(lead.account), by.now, withdrawn=withdrawn)
    _take_steps(telling, lead, steps, by)
    return lead


def _carry_out(telling: Telling, message: Received) -> Event:
    """A command is decided. Returns the answer to it."""
    command = _command(message)
    assert command is not None
    key = _lead_key(message)
    lead, by = telling.leads.get(key), _cause(message)
    flag = telling.flag_of(lead.account) if lead is not None else AccountFlag()
    verdict = decide(command, lead, flag, by.now)
    if isinstance(verdict, Refused) or lead is None:
        assert isinstance(verdict, Refused)
        return telling.refuse(key[0], command, verdict, by)
    by = Cause(by.now, command.actor, verdict.why, command.command_id, by.causes, by.traceparent)
    answer = telling.change(lead, verdict.status, verdict.change, by)
    if verdict.account_wide:
        _spread(telling, lead, verdict, command.office_id, by)
    return answer


def _spread(telling: Telling, lead: Lead, verdict: Changed, asking: str | None, by: Cause) -> None:
    """The account's other leads get its do-not-contact; another office learns the date, no more."""
    until = verdict.status.do_not_contact_until
    telling.accounts[lead.account] = AccountFlag(until, asking)
    telling.flagged.add(lead.account)
    siblings = [each for _, each in sorted(telling.leads.items()) if each.account == lead.account]
    for each in siblings:
        if each.status.do_not_contact_until != until:
            same_office = each.known.office_id == lead.known.office_id
            cause = by if same_office else by.unsaid()
            telling.change(each, each.status.not_contacted(until), verdict.change, cause)


def _take_steps(
    telling: Telling, lead: Lead, steps: Sequence[tuple[LeadChange, Status]], by: Cause
) -> None:
    key = (lead.tenant_id, lead.lead_id)
    for change, status in steps:
        telling.change(telling.leads.get(key, lead), status, change, by)


def _newest(batch: Sequence[Received]) -> Mapping[Key, Received]:
    """Of each lead the message with the highest version; a tombstone's lead is its subject."""
    newest: dict[Key, Received] = {}
    for message in batch:
        event, envelope = message.event, message.envelope
        if event is not None and not isinstance(event, LeadChanged):
            continue
        lead_id = event.lead_id if event is not None else envelope.subject
        key = (envelope.tenant_id, lead_id)
        if key not in newest or _version(newest[key]) < _version(message):
            newest[key] = message
    return newest


def _version(message: Received) -> int:
    return message.envelope.version if message.event is None else message.event.version


def _cause(message: Received) -> Cause:
    envelope = message.envelope
    return Cause(clock.now(), causes=(envelope.id,), traceparent=envelope.traceparent)


def _command(message: Received) -> LeadCommand | None:
    return message.event if isinstance(message.event, LeadCommand) else None


def _command_key(message: Received) -> Key:
    command = _command(message)
    return message.envelope.tenant_id, command.command_id if command is not None else ""


def _lead_key(message: Received) -> Key:
    command = _command(message)
    return message.envelope.tenant_id, command.lead_id if command is not None else ""
