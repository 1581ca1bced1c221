"""A consumer whose broker is silent for long is not ready; that alone is no reason to end its process."""

from types import SimpleNamespace
from typing import Any, cast

from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from shared.db.engine import Database
from shared.messaging.consumer import Consumer
from shared.messaging.dead_letter import DeadLetters
from shared.ops.health_consumer import STALLED_AFTER_S, Subscription
from shared.topics import RECORDS
from tests.support.set_clock import SetClock


class Client:
    """A consumer's client of one partition; `answers`: whether the broker does."""

    def __init__(self) -> None:
        self.answers = True
        self._coordinator = None
        states = SimpleNamespace(state_value=lambda _: None)
        self._subscription = SimpleNamespace(subscription=SimpleNamespace(assignment=states))

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset({TopicPartition("t", 0)})

    def highwater(self, _: TopicPartition) -> None:
        return None

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        if not self.answers:
            raise KafkaConnectionError
        return dict.fromkeys(partitions, 7)


async def handle(*_: Any) -> None:
    """Handles nothing."""


def subscribed(client: Client) -> Subscription:
    consumer = Consumer("c", RECORDS, cast("Database", None), cast("DeadLetters", None), handle)
    return Subscription(consumer, SimpleNamespace(consumer=client, tasks=[]))


async def test_a_broker_silent_for_long_is_a_problem_until_it_answers(set_clock: SetClock) -> None:
    client = Client()
    subscription = subscribed(client)
    client.answers = False
    set_clock.pass_s(STALLED_AFTER_S)
    await subscription.look()
    assert subscription.problem() is None
    set_clock.pass_s(1)
    await subscription.look()
    said = subscription.problem() or ""
    assert "no answer of the broker for 61 s" in said
    assert subscription.dead() is None
    client.answers = True
    await subscription.look()
    assert subscription.problem() is None
