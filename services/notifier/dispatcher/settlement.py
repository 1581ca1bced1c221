"""Tells what became of a delivery: the event for `onelead.notifications.v1`, when it is final."""

from services.notifier.domain.attempt import Step, words
from services.notifier.domain.contents import office_of
from services.notifier.domain.delivery import State
from services.notifier.repository import Leased
from services.notifier.repository.queue import Unreadable
from shared.events import DeliveryOutcome, NotificationSettled
from shared.messaging.codec import OutboxMessage, encode
from shared.messaging.versions import next_version
from shared.ops.tracing import next_traceparent
from shared.topics import NOTIFICATIONS

_OUTCOMES = {
    State.SENT: DeliveryOutcome.SENT,
    State.DEAD: DeliveryOutcome.DEAD,
    State.UNKNOWN: DeliveryOutcome.UNSURE,
}
_ENDED = {State.CANCELLED: DeliveryOutcome.CANCELLED, State.FOLDED: DeliveryOutcome.FOLDED}


def settled(item: Leased, state: State | None, step: Step) -> list[OutboxMessage]:
    """The message for a final state of an attempt; none when it is to be tried again, or was cancelled:
    what ends unsent is told of by `ended`."""
    if state not in _OUTCOMES:
        return []
    return [_message(item, _OUTCOMES[state], words(step))]


def ended(item: Leased, state: State, note: str) -> OutboxMessage:
    """The message for a delivery that was cancelled, or folded into a digest."""
    return _message(item, _ENDED[state], note)


def _message(item: Leased, outcome: DeliveryOutcome, detail: str | None) -> OutboxMessage:
    delivery = item.delivery
    event = NotificationSettled(
        version=next_version(None),
        causes=(item.event_id,),
        office_id=None if isinstance(item.content, Unreadable) else office_of(item.content),
        delivery_id=delivery.id,
        lead_id=delivery.lead_id,
        episode=delivery.episode,
        purpose=delivery.purpose.value,
        channel=delivery.channel,
        target=delivery.target,
        outcome=outcome,
        attempts=delivery.tries,
        detail=detail,
    )
    return encode(
        event,
        tenant_id=delivery.tenant_id,
        source="/onelead/notifier",
        subject=delivery.id,
        topic=NOTIFICATIONS.name,
        key=f"{delivery.tenant_id}|{delivery.lead_id}",
        traceparent=next_traceparent(item.traceparent),
        batch_id=item.batch_id,
    )
