"""Says whether a service lives and works, by probes of our own: a broker's ping stays true for ever."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared import clock
from shared.messaging.consumer import Consumer
from shared.ops import metrics

STALLED_AFTER_S = 60.0
Probe = Callable[[], Awaitable[str | None]]


@dataclass(frozen=True)
class Subscription:
    """A consumer with the FastStream subscriber that feeds it."""

    consumer: Consumer
    subscriber: Any

    @property
    def kafka(self) -> AIOKafkaConsumer | None:
        """The client under the subscriber, once it has started."""
        client: AIOKafkaConsumer | None = self.subscriber.consumer
        return client

    def coordinator_is_dead(self) -> bool:
        """Whether the group's coordinator task ended although the client says that it runs."""
        coordinator = getattr(self.kafka, "_coordinator", None)
        task = getattr(coordinator, "_coordination_task", None)
        return task is not None and task.done()

    def lag(self) -> dict[tuple[str, int], int]:
        """Messages not yet handled, by topic and partition, as far as the client knows."""
        client = self.kafka
        if client is None:
            return {}
        found = {}
        for partition in client.assignment():
            high = client.highwater(partition)
            position = _position(client, partition)
            if high is not None and position is not None:
                where = (partition.topic, partition.partition)
                found[where] = max(0, high - position) + self.consumer.in_hand[where]
        return found

    def problem(self) -> str | None:
        """What is wrong with this subscription, or None."""
        if self.consumer.stopped_because:
            return f"{self.consumer.name} stopped: {self.consumer.stopped_because}"
        if self.coordinator_is_dead():
            return f"{self.consumer.name}: the group coordinator task has ended"
        idle_s = clock.monotonic_s() - self.consumer.last_progress_s
        if idle_s > STALLED_AFTER_S and sum(self.lag().values()) > 0:
            return f"{self.consumer.name}: no progress for {idle_s:.0f} s although messages wait"
        return None


def _position(client: AIOKafkaConsumer, partition: Any) -> int | None:
    # The public position() waits for a fetch; a probe must not wait.
    state = client._subscription.subscription.assignment.state_value(partition)
    return None if state is None or not state.has_valid_position else int(state.position)


class Health:
    """Collects probes and answers /healthz, /readyz and /metrics."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.subscriptions: list[Subscription] = []
        self.probes: dict[str, Probe] = {}
        self.ready = False

    def dead(self) -> list[str]:
        """Reasons to end this process and start another."""
        return [
            f"{s.consumer.name}: the group coordinator task has ended"
            for s in self.subscriptions
            if s.coordinator_is_dead()
        ]

    async def problems(self) -> dict[str, str]:
        """Everything that is wrong now, by probe."""
        found = {s.consumer.name: p for s in self.subscriptions if (p := s.problem())}
        for name, probe in self.probes.items():
            try:
                problem = await probe()
            except Exception as error:  # noqa: BLE001 - a probe that fails is itself the finding
                problem = f"{type(error).__name__}: {str(error)[:200]}"
            if problem:
                found[name] = problem
        if not self.ready:
            found["start"] = "not started yet"
        return found

    def app(self) -> Starlette:
        """The ASGI application of the ops port."""
        return Starlette(
            routes=[
                Route("/healthz", self._healthz),
                Route("/readyz", self._readyz),
                Route("/metrics", self._metrics),
            ]
        )

    async def _healthz(self, _request: Request) -> Response:
        dead = self.dead()
        body = {"service": self.service, "alive": not dead, "problems": dead}
        return JSONResponse(body, status_code=503 if dead else 200)

    async def _readyz(self, _request: Request) -> Response:
        problems = await self.problems()
        body = {"service": self.service, "ready": not problems, "problems": problems}
        return JSONResponse(body, status_code=503 if problems else 200)

    async def _metrics(self, _request: Request) -> Response:
        await self.problems()
        metrics.LAG.clear()  # a partition that another replica has now is no longer ours to tell of
        for subscription in self.subscriptions:
            for (topic, partition), lag in subscription.lag().items():
                metrics.LAG.labels(subscription.consumer.name, topic, str(partition)).set(lag)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
