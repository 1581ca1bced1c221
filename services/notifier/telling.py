"""Collects what one batch of messages gives to tell, and makes the deliveries of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.notifier.domain.contents import Change, Content, FollowUp, Update, Withdrawal
from services.notifier.domain.delivery import Delivery, Purpose
from services.notifier.domain.message import Alert, plain
from services.notifier.domain.moves import Move, move_of
from services.notifier.domain.plan import Plan, Target
from services.notifier.domain.routing import Withdraw
from services.notifier.domain.standing import Standing
from services.notifier.repository import Hearer, Key, NewDelivery, Told
from shared.events import LeadChange, LeadChanged, LeadStatusChanged
from shared.messaging.codec import Received

_SEQUENCE_EPOCH_S = 1_577_836_800
"""2020-01-01: an invitation's sequence counts seconds from here, and stays a small number."""


@dataclass(frozen=True)
class News:
    """What caused something to be told; `version` numbers it among the news of a lead."""

    version: int
    event_id: str
    traceparent: str | None
    batch_id: str | None

    @classmethod
    def caused_by(cls, message: Received, version: int, lead: LeadChanged | None = None) -> "News":
        """The cause as a message gives it; a lead knows the import it comes from."""
        envelope = message.envelope
        batch_id = envelope.batch_id if lead is None else lead.batch_id
        return cls(version, envelope.id, envelope.traceparent, batch_id)


@dataclass(frozen=True)
class _Later:
    """An update or a withdrawal, for each sink that an alert went to."""

    content: Update | Withdrawal
    purpose: Purpose
    news: News


@dataclass
class Telling:
    """What is to be told at the end of a batch. Later news of a lead replaces what is collected of it."""

    plan: Plan
    now: datetime
    deliveries: list[NewDelivery] = field(default_factory=list)
    ended: dict[Key, Withdraw] = field(default_factory=dict)
    stopped: dict[Key, str] = field(default_factory=dict)
    moves: dict[Key, tuple[Move, News]] = field(default_factory=dict)
    unaware: set[Hearer] = field(default_factory=set)
    """Who never learns that another office had the lead."""
    _withdrawals: dict[Key, tuple[Withdraw, News, Alert | None]] = field(default_factory=dict)
    _updates: dict[tuple[Key, bool], _Later] = field(default_factory=dict)

    @property
    def asked(self) -> set[Key]:
        """The leads of which something is told to whom an alert went to."""
        return {key for key, _ in self._updates} | self._withdrawals.keys() | self.moves.keys()

    def announce(
        self, key: Key, alert: Alert, standing: Standing, news: News, targets: Iterable[Target]
    ) -> None:
        """An alert to each target, not before snooze, do-not-contact and quiet hours let it."""
        for target in targets:
            until = standing.held_until(self.now, keeps_records=target.tells_withdrawals)
            delivery = self._delivery(key, alert.episode, Purpose.ALERT, target)
            due_at = self.plan.due_at(target, until, alert)
            self.deliveries.append(_new(delivery, alert, due_at, news))

    def move(self, key: Key, before: Alert | None, alert: Alert, news: News) -> None:
        """If the lead is another office's now, the one that it left hears so, and nothing after that."""
        earlier = self.moves.get(key)
        # Followed to where it is at last: between two versions that hold it may have been withdrawn.
        if move := replace(earlier[0], alert=alert) if earlier else move_of(before, alert):
            self.moves[key] = (move, news)

    def withdraw(self, key: Key, withdraw: Withdraw, news: News, last: Alert | None = None) -> None:
        """The lead no longer holds: what waits is cancelled, what was told is taken back.

        `last`: the lead as it was, which says whose it was.
        """
        self.ended[key] = Withdraw(f"withdrawn: {withdraw.reason}", withdraw.through)
        self.stopped[key] = "the lead was withdrawn"
        self._withdrawals[key] = (withdraw, news, last)
        for to_keepers in (True, False):
            self._updates.pop((key, to_keepers), None)

    def lapse(self, key: Key, lapse: Withdraw) -> None:
        """The episode is over: alerts that wait are cancelled, and what an earlier end had cancelled."""
        earlier = self.ended.get(key, lapse)
        self.ended[key] = replace(lapse, alerts_only=earlier.alerts_only)

    def update(
        self, key: Key, alert: Alert, changes: tuple[Change, ...], news: News, *, to_keepers: bool
    ) -> None:
        """A change to those who were told: sinks that keep records, or people."""
        earlier = self._updates.get((key, to_keepers))
        if earlier is not None and isinstance(earlier.content, Update):
            changes = _joined(earlier.content.changes, changes)
        content = Update(alert=alert, changes=changes)
        self._updates[key, to_keepers] = _Later(content, Purpose.UPDATE, news)

    def follow_up(self, key: Key, alert: Alert, status: LeadStatusChanged, news: News) -> None:
        """An invitation to a follow-up that was set or cleared, a reminder of one that is due."""
        due = status.change is LeadChange.FOLLOW_UP_DUE
        content = FollowUp(
            kind="due" if due else "set",
            alert=alert,
            at=status.follow_up_at or status.changed_at,
            note=plain(status.follow_up_note),
            owner=status.owner,
            sequence=max(0, news.version // 1_000_000 - _SEQUENCE_EPOCH_S),
            cancelled=status.follow_up_at is None and not due,
        )
        for target in self.plan.routed(key[0], alert, Purpose.FOLLOW_UP):
            delivery = self._delivery(key, alert.episode, Purpose.FOLLOW_UP, target, news.version)
            self.deliveries.append(_new(delivery, content, self.now, news))

    def further(self, told: Sequence[Told]) -> list[NewDelivery]:
        """The updates and withdrawals for the sinks that alerts went to, or may have gone to."""
        return [new for each in told for new in self._about(each)]

    def updates(self, new: Sequence[NewDelivery]) -> list[NewDelivery]:
        """The updates among deliveries; older ones that wait give way to them."""
        return [item for item in new if item.delivery.purpose is Purpose.UPDATE]

    def _about(self, told: Told) -> Iterable[NewDelivery]:
        if (found := self._withdrawals.get(told.key)) is not None:
            withdraw, news, last = found
            if self.plan.sees(told.target, told.key[0], (last or told.alert).office_id):
                if told.episode <= withdraw.through and self._tells(told, Purpose.WITHDRAWAL):
                    content = Withdrawal(alert=told.alert, reason=withdraw.reason)
                    delivery = self._delivery(
                        told.key, told.episode, Purpose.WITHDRAWAL, told.target
                    )
                    yield _new(delivery, content, self.plan.due_at(told.target, self.now), news)
                return
        if (moved := self.moves.get(told.key)) is not None:
            move, because = moved
            unaware = (*told.key, told.target.channel, told.target.address) in self.unaware
            heard = move.heard_by(told.target, told.alert, self.plan, unaware=unaware)
            if heard is not None:
                yield from self._of_move(told, heard, because)
                return
        later = self._updates.get((told.key, told.target.tells_withdrawals))
        if later is None or not self._tells(told, Purpose.UPDATE):
            return
        if self.plan.sees(told.target, told.key[0], later.content.alert.office_id):
            number = later.news.version
            delivery = self._delivery(told.key, told.episode, Purpose.UPDATE, told.target, number)
            due_at = self.plan.due_at(told.target, self.now, later.content.alert)
            yield _new(delivery, later.content, due_at, later.news)

    def _of_move(
        self, told: Told, heard: tuple[Withdrawal | Update, Purpose], news: News
    ) -> Iterable[NewDelivery]:
        content, purpose = heard
        if self._tells(told, purpose):
            number = news.version
            delivery = self._delivery(told.key, told.episode, purpose, told.target, number)
            yield _new(delivery, content, self.plan.due_at(told.target, self.now), news)

    def _tells(self, told: Told, purpose: Purpose) -> bool:
        return self.plan.hears(told.key[0], told.target, purpose)

    def _delivery(
        self, key: Key, episode: int, purpose: Purpose, target: Target, number: int = 0
    ) -> Delivery:
        return Delivery(
            tenant_id=key[0],
            lead_id=key[1],
            episode=episode,
            purpose=purpose,
            channel=target.channel,
            target=target.address,
            created_at=self.now,
            number=number,
        )


def _joined(earlier: tuple[Change, ...], later: tuple[Change, ...]) -> tuple[Change, ...]:
    """Two sets of changes as one: from what stood first to what stands last."""
    found: Mapping[str, Change] = {change.what: change for change in earlier}
    merged = dict(found)
    for change in later:
        first = found.get(change.what)
        merged[change.what] = (
            change if first is None else change.model_copy(update={"before": first.before})
        )
    return tuple(change for change in merged.values() if change.before != change.after)


def _new(delivery: Delivery, content: Content, due_at: datetime, news: News) -> NewDelivery:
    return NewDelivery(
        delivery=delivery,
        content=content,
        due_at=due_at,
        event_id=news.event_id,
        traceparent=news.traceparent,
        batch_id=news.batch_id,
    )
