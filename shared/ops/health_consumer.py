"""Whether a consumer lives: the tasks under it, and its progress against what the broker says waits."""

import asyncio
from asyncio import Task
from collections.abc import Iterator
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from shared import clock
from shared.messaging.consumer import Consumer
from shared.messaging.static_member import has_its_share

STALLED_AFTER_S = 60.0
"""Without progress for so long, whatever the reason, a service is not ready."""
LOOKS_IN_VAIN = 5
"""So often in a row, 5 s apart, the loop may have taken nothing of what waits: red within 30 s.

Counted, not timed: a process that was stopped and goes on gets its chance.
"""
HANDLER_STUCK_AFTER_S = 300.0
"""After this time in one batch the group has given its partitions away (max.poll.interval.ms)."""
_LOOK_TIMEOUT_S = 3.0

Where = tuple[str, int]


class Subscription:
    """A consumer with the FastStream subscriber that feeds it."""

    def __init__(self, consumer: Consumer, subscriber: Any) -> None:
        self.consumer = consumer
        self.subscriber = subscriber
        self._ends: dict[Where, int] = {}
        self._looks_in_vain = 0
        self._turn_seen_s = 0.0
        self._answered_s = clock.monotonic_s()
        self._has_its_share = False

    @property
    def kafka(self) -> AIOKafkaConsumer | None:
        """The client under the subscriber, once it has started."""
        client: AIOKafkaConsumer | None = self.subscriber.consumer
        return client

    def coordinator_is_dead(self) -> bool:
        """Whether the group's coordinator task ended although the client says that it runs."""
        return _has_ended(getattr(self.kafka, "_coordinator", None), "_coordination_task")

    def dead(self) -> str | None:
        """Why only a new process can go on reading, or None."""
        return next((f"{self.consumer.name}: {reason}" for reason in self._fatal()), None)

    def _fatal(self) -> Iterator[str]:
        if self.coordinator_is_dead():
            yield "the group coordinator task has ended"
        if _has_ended(getattr(self.kafka, "_fetcher", None), "_fetch_task"):
            yield "the fetching task has ended"
        tasks: list[Task[Any]] = getattr(self.subscriber, "tasks", [])
        if tasks and all(task.done() for task in tasks):
            yield "the consuming task has ended"
        turn_s = clock.monotonic_s() - self.consumer.last_turn_s
        if self.consumer.in_hand and turn_s > HANDLER_STUCK_AFTER_S:
            yield f"its handler has not come back for {turn_s:.0f} s"
        if self._looks_in_vain >= LOOKS_IN_VAIN:
            yield f"nothing of what waits was taken for {turn_s:.0f} s"

    async def look(self) -> None:
        """Asks the broker how far its partitions go; without an answer nothing is held against us."""
        client = self.kafka
        if client and not self._has_its_share:
            self._has_its_share = has_its_share(client)
        partitions = list(client.assignment()) if client else []
        try:
            async with asyncio.timeout(_LOOK_TIMEOUT_S):
                ends = await client.end_offsets(partitions) if client and partitions else {}
        except (KafkaError, OSError, TimeoutError):
            self._looks_in_vain = 0
            return
        self._answered_s = clock.monotonic_s()
        self._ends = {(p.topic, p.partition): int(end) for p, end in ends.items()}
        self._note_waiting()

    def _note_waiting(self) -> None:
        """Counts looks at which messages wait and the loop took none; a turn begins it anew."""
        if self.consumer.in_hand or not sum(self.lag().values()):
            self._looks_in_vain = 0
        elif self._turn_seen_s != self.consumer.last_turn_s:
            self._looks_in_vain = 1
        else:
            self._looks_in_vain += 1
        self._turn_seen_s = self.consumer.last_turn_s

    def lag(self) -> dict[Where, int]:
        """Messages not yet handled, by topic and partition: as the broker said last, or its fetches."""
        client = self.kafka
        if client is None:
            return {}
        found = {}
        for partition in client.assignment():
            where = (partition.topic, partition.partition)
            ends = [
                end
                for end in (client.highwater(partition), self._ends.get(where))
                if end is not None
            ]
            position = _position(client, partition)
            if ends and position is not None:
                found[where] = max(0, max(ends) - position) + self.consumer.in_hand[where]
        return found

    def problem(self) -> str | None:
        """What is wrong with this subscription, or None."""
        if self.consumer.stopped_because:
            return f"{self.consumer.name} stopped: {self.consumer.stopped_because}"
        if reason := self.dead():
            return reason
        idle_s = clock.monotonic_s() - self.consumer.last_progress_s
        if idle_s > STALLED_AFTER_S and sum(self.lag().values()) > 0:
            return f"{self.consumer.name}: no progress for {idle_s:.0f} s although messages wait"
        silent_s = clock.monotonic_s() - self._answered_s
        if silent_s > STALLED_AFTER_S:
            return f"{self.consumer.name}: no answer of the broker for {silent_s:.0f} s"
        return None

    def shown(self) -> dict[str, Any]:
        """Where it stands, for the readiness page."""
        client = self.kafka
        return {
            "coordinator": self._coordinator(),
            "partitions": len(client.assignment()) if client else 0,
            "lag": sum(self.lag().values()),
            "in_hand": self.consumer.in_hand.total(),
            "seconds_since_progress": round(clock.monotonic_s() - self.consumer.last_progress_s, 1),
        }

    def _coordinator(self) -> str:
        coordinator = getattr(self.kafka, "_coordinator", None)
        if coordinator is None:
            return "not started"
        if self.coordinator_is_dead():
            return "ended"
        return "known" if getattr(coordinator, "coordinator_id", None) is not None else "looked for"


def _has_ended(part: object, name: str) -> bool:
    task = getattr(part, name, None)
    return task is not None and task.done()


def _position(client: AIOKafkaConsumer, partition: TopicPartition) -> int | None:
    # The public position() waits for a fetch; a probe must not wait.
    state = client._subscription.subscription.assignment.state_value(partition)
    return None if state is None or not state.has_valid_position else int(state.position)
