"""The use cases of the notifier: a lead changed, or how it stands with people → what is to be told."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from services.notifier.domain.delivery import Purpose
from services.notifier.domain.message import Alert, alert_of
from services.notifier.domain.plan import Plan
from services.notifier.domain.routing import Announce, Observed, Withdraw, is_news, react
from services.notifier.domain.standing import Standing, news_between, status_news, worth_a_word
from services.notifier.repository import Held, Key, LeadsRepository, NotifierRepository
from services.notifier.repository.moves import follow
from services.notifier.repository.people import PeopleRepository
from services.notifier.telling import News, Telling
from shared import clock
from shared.events import LeadChange, LeadChanged, LeadStatusChanged
from shared.messaging.codec import Received

_FOLLOW_UPS = frozenset((LeadChange.FOLLOW_UP_SET, LeadChange.FOLLOW_UP_DUE))


class NotifierHandlers:
    """Each method is handed one batch inside one transaction; nothing is sent from here."""

    def __init__(
        self,
        repository: NotifierRepository,
        plan: Plan,
        *,
        since: date | None,
        console_url: str,
    ) -> None:
        self._repository = repository
        self._leads = LeadsRepository()
        self._people = PeopleRepository()
        self._plan = plan
        self._since = since
        self._console_url = console_url

    async def on_leads(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Announces open CRITICAL episodes, tells of changes, withdraws what no longer holds."""
        observed = sorted(_observed(batch), key=lambda pair: pair[0].version)
        held = await self._leads.lock(connection, {_key(item) for item, _ in observed})
        telling = Telling(self._plan, clock.now())
        for item, message in observed:
            before = held[_key(item)]
            if is_news(item, before.known):
                held[_key(item)] = self._heard(item, message, before, telling)
        await self._leads.save(connection, held, telling.now)
        await self._tell(connection, telling)

    async def on_statuses(self, connection: AsyncConnection, batch: Sequence[Received]) -> None:
        """Takes over how leads stand; tells of states, owners and follow-ups, holds back, ends."""
        statuses = sorted(_statuses(batch), key=lambda pair: pair[0].version)
        keys = {(m.envelope.tenant_id, status.lead_id) for status, m in statuses}
        held = await self._leads.lock(connection, keys)
        telling = Telling(self._plan, clock.now())
        for status, message in statuses:
            key = (message.envelope.tenant_id, status.lead_id)
            if status.version > held[key].standing.version:
                held[key] = _stands(status, message, held[key], telling)
        await self._leads.save(connection, held, telling.now)
        await self._leads.save_standings(connection, {k: h.standing for k, h in held.items()})
        await self._hold_back(connection, held, telling.now)
        await self._tell(connection, telling)

    def _heard(self, item: Observed, message: Received, before: Held, telling: Telling) -> Held:
        """What is held after a newer version of a lead; what is to be told goes to `telling`."""
        alert = self._alert(item, before.standing)
        after = replace(
            before,
            known=before.known.after(item),
            alert=alert,
            first_seen_at=before.first_seen_at or telling.now,
        )
        key, news = _key(item), News.caused_by(message, item.version, item.lead)
        targets = self._plan.routed(item.tenant_id, alert, Purpose.ALERT) if alert else ()
        if alert is not None and not before.standing.closed:
            telling.move(key, before.alert, alert, news)
        match react(item, before.known, targets=targets, since=self._since):
            case Withdraw(alerts_only=True) as lapse:
                telling.lapse(key, lapse)
            case Withdraw() as withdraw:
                telling.withdraw(key, withdraw, news, before.alert)
                return replace(after, told=None)
            case Announce() if alert is not None and not before.standing.closed:
                telling.announce(key, alert, before.standing, news, targets)
                if before.told is None or alert.episode > before.known.episode:
                    return replace(after, told=alert)
        if alert is None or before.told is None or before.standing.closed:
            return after
        return _changed(key, before, after, alert, (telling, news))

    def _alert(self, item: Observed, standing: Standing) -> Alert | None:
        if item.lead is None or item.withdrawn:
            return None
        return alert_of(
            item.lead,
            tenant_id=item.tenant_id,
            console_url=self._console_url,
            owner=standing.owner,
        )

    async def _hold_back(
        self, connection: AsyncConnection, held: Mapping[Key, Held], now: datetime
    ) -> None:
        """Alerts that wait go out when snooze and do-not-contact let them, not before."""
        keeping = {(t.channel, t.address): t for t in self._plan.targets}
        due: dict[tuple[Key, int, str, str], datetime] = {}
        for waiting in await self._repository.waiting_alerts(connection, held.keys()):
            key, _, channel, address = waiting
            if (target := keeping.get((channel, address))) is not None:
                keeps_records = target.tells_withdrawals
                until = held[key].standing.held_until(now, keeps_records=keeps_records)
                due[waiting] = self._plan.due_at(target, until, held[key].alert)
        await self._repository.put_off(connection, due)

    async def _tell(self, connection: AsyncConnection, telling: Telling) -> None:
        keepers = [target for target in self._plan.targets if target.tells_withdrawals]
        await self._repository.add(connection, telling.deliveries)
        await self._repository.cancel(connection, telling.ended, telling.now)
        await self._people.stop(connection, telling.stopped, telling.now)
        offices = {key: move.alert.office_id for key, (move, _) in telling.moves.items()}
        telling.unaware = await follow(connection, self._plan, offices, telling.now)
        told = await self._repository.told(connection, telling.asked, keepers)
        further = telling.further(told)
        await self._repository.supersede(connection, telling.updates(further), telling.now)
        await self._repository.add(connection, further)


def _changed(key: Key, before: Held, after: Held, alert: Alert, to: tuple[Telling, News]) -> Held:
    """Tells of what differs: sinks that keep records of everything, people of what is worth a word."""
    telling, news = to
    if before.alert is not None and (changes := news_between(before.alert, alert)):
        telling.update(key, alert, changes, news, to_keepers=True)
    if before.told is not None and worth_a_word(before.told, alert):
        changes = news_between(before.told, alert)
        telling.update(key, alert, changes, news, to_keepers=False)
        return replace(after, told=alert)
    return after


def _stands(status: LeadStatusChanged, message: Received, before: Held, telling: Telling) -> Held:
    """What is held after a status fact; what is to be told goes to `telling`."""
    key = (message.envelope.tenant_id, status.lead_id)
    news = News.caused_by(message, status.version)
    standing = Standing.of(status)
    alert = _owned(before.alert, standing.owner)
    after = replace(before, standing=standing, alert=alert)
    if standing.state is not before.standing.state:
        telling.stopped[key] = f"the lead is {standing.state.value} now"
    if (until := standing.do_not_contact_until) is not None and until > telling.now:
        telling.stopped[key] = "the account is not to be contacted"
    if standing.closed and not before.standing.closed:
        telling.ended[key] = Withdraw(f"the lead is {standing.state.value}", before.known.episode)
    if alert is None:
        return after
    if before.told is not None and (changes := status_news(before.standing, status)):
        telling.update(key, alert, changes, news, to_keepers=False)
        if status.actor.kind != "crm":
            telling.update(key, alert, changes, news, to_keepers=True)
    if status.change in _FOLLOW_UPS:
        telling.follow_up(key, alert, status, news)
    return after


def _owned(alert: Alert | None, owner: str | None) -> Alert | None:
    """The alert with the lead's owner as lifecycle has it."""
    return None if alert is None else alert.model_copy(update={"owner": owner})


def _key(item: Observed) -> Key:
    return item.tenant_id, item.lead_id


def _observed(batch: Sequence[Received]) -> Iterable[tuple[Observed, Received]]:
    """The leads and tombstones among the messages; a tombstone's lead is its subject."""
    for message in batch:
        envelope, event = message.envelope, message.event
        if isinstance(event, LeadChanged):
            yield Observed(envelope.tenant_id, event.lead_id, event.version, event), message
        elif event is None:
            yield Observed(envelope.tenant_id, envelope.subject, envelope.version, None), message


def _statuses(batch: Sequence[Received]) -> Iterable[tuple[LeadStatusChanged, Received]]:
    for message in batch:
        if isinstance(message.event, LeadStatusChanged):
            yield message.event, message
