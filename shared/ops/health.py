"""Says whether a service lives and works, by probes of our own: a broker's ping stays true for ever."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.ops import metrics
from shared.ops.health_consumer import Subscription

Probe = Callable[[], Awaitable[str | None]]
PROBE_TIMEOUT_S = 5.0
LOOK_INTERVAL_S = 5.0


class Health:
    """Collects probes and answers /healthz, /readyz and /metrics."""

    def __init__(self, service: str) -> None:
        self.service = service
        self.subscriptions: list[Subscription] = []
        self.probes: dict[str, Probe] = {}
        self.shown: dict[str, Any] = {}
        """What the probes saw, for the readiness page."""
        self.ready = False

    def dead(self) -> list[str]:
        """Reasons to end this process and start another."""
        return [reason for s in self.subscriptions if (reason := s.dead())]

    async def watch(self) -> None:
        """Compares each consumer with what the broker says, again and again."""
        while True:
            await asyncio.gather(*(s.look() for s in self.subscriptions))
            await asyncio.sleep(LOOK_INTERVAL_S)

    async def problems(self) -> dict[str, str]:
        """Everything that is wrong now, by probe."""
        found = {s.consumer.name: p for s in self.subscriptions if (p := s.problem())}
        answers = await asyncio.gather(*(_asked(probe) for probe in self.probes.values()))
        found |= {name: said for name, said in zip(self.probes, answers, strict=True) if said}
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
        body = {
            "service": self.service,
            "ready": not problems,
            "problems": problems,
            "consumers": {s.consumer.name: s.shown() for s in self.subscriptions},
            **self.shown,
        }
        return JSONResponse(body, status_code=503 if problems else 200)

    async def _metrics(self, _request: Request) -> Response:
        await self.problems()
        metrics.LAG.clear()  # a partition that another replica has now is no longer ours to tell of
        for subscription in self.subscriptions:
            for (topic, partition), lag in subscription.lag().items():
                metrics.LAG.labels(subscription.consumer.name, topic, str(partition)).set(lag)
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _asked(probe: Probe) -> str | None:
    """A probe that fails, or does not come back, is itself the finding."""
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            return await probe()
    except TimeoutError:
        return f"no answer within {PROBE_TIMEOUT_S:g} s"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is told
        return f"{type(error).__name__}: {str(error)[:200]}"
