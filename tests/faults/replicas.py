"""The services of a run as processes, each kept running as a container's supervisor would."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from onelead.edition.process import Child, ChildSpec
from onelead.edition.service import ROOT
from shared import clock

READY_TIMEOUT_S = 240.0
_WATCH_S = 0.2
_ASK_TIMEOUT_S = 5.0
_STARTS_IN_VAIN = 8


@dataclass(eq=False)
class Replica:
    """One process of one service. `held`: it is down on purpose and nobody starts it."""

    service: str
    number: int
    env: Mapping[str, str]
    folder: Path
    module: Sequence[str] = ()
    child: Child | None = None
    held: bool = False
    starts: int = 0
    starts_forgiven: int = 0

    @property
    def name(self) -> str:
        """What a person calls it."""
        return f"{self.service}-{self.number}"

    @property
    def pid(self) -> int:
        """The process id. Raises ProcessLookupError when it does not run."""
        if self.child is None or self.child.exit_code is not None:
            raise ProcessLookupError(self.name)
        return self.child.pid

    @property
    def runs(self) -> bool:
        """Whether the process is there."""
        return self.child is not None and self.child.exit_code is None

    @property
    def log(self) -> Path:
        """Where it writes what it does."""
        return self.folder / f"{self.name}.log"

    @property
    def gave_up(self) -> bool:
        """Whether it ended by itself again and again since it was ready, or since one waits for that."""
        return self.starts - self.starts_forgiven > _STARTS_IN_VAIN

    @property
    def clock_file(self) -> Path:
        """Where its launcher looks by how many seconds its clock is wrong."""
        return self.folder / f"{self.name}.clock"

    @property
    def arm_file(self) -> Path:
        """Where its launcher looks for the point at which to end it."""
        return self.folder / f"{self.name}.die"

    def start(self) -> None:
        """Starts the process; does not wait until it is ready."""
        self._port_file.unlink(missing_ok=True)
        self.starts += 1
        argv = [sys.executable, "-m", *(self.module or (f"services.{self.service}",))]
        env = {
            **self.env,
            "ONELEAD_OPS_PORT_FILE": str(self._port_file),
            "FAULTS_ARM_FILE": str(self.arm_file),
            "FAULTS_CLOCK_FILE": str(self.clock_file),
        }
        self.child = Child(ChildSpec(self.name, argv, env, self.log, cwd=ROOT))

    def kill(self) -> None:
        """Ends it as a power cut would."""
        if self.child is not None:
            self.child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal to the process."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def stop(self, timeout_s: float) -> float:
        """SIGTERM; returns the seconds until it had ended. It is killed after `timeout_s`."""
        begun_s = clock.monotonic_s()
        if self.child is not None:
            await self.child.stop(timeout_s)
        return clock.monotonic_s() - begun_s

    async def problem(self, client: httpx.AsyncClient) -> str | None:
        """Why it is not ready, or None."""
        if not self.runs:
            return "it does not run"
        try:
            answer = await client.get(f"http://127.0.0.1:{int(self._port_file.read_text())}/readyz")
        except (OSError, ValueError, httpx.HTTPError) as error:
            return f"it does not answer ({type(error).__name__})"
        if answer.status_code != httpx.codes.OK:
            return answer.text[:500]
        self.starts_forgiven = self.starts
        return None

    @property
    def _port_file(self) -> Path:
        return self.folder / f"{self.name}.ready"


class Keeper:
    """Starts whatever ended by itself again, at once."""

    def __init__(self) -> None:
        self.replicas: list[Replica] = []
        self._watching: asyncio.Task[None] | None = None

    def of(self, service: str) -> list[Replica]:
        """The replicas of a service."""
        return [replica for replica in self.replicas if replica.service == service]

    def add(self, replicas: Sequence[Replica]) -> None:
        """Starts more replicas and keeps them; waits for none."""
        for replica in replicas:
            replica.start()
        self.replicas += replicas
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch(), name="keeper")

    async def remove(self, replica: Replica, timeout_s: float = 30.0) -> float:
        """Stops a replica for good. Returns the seconds until it had ended."""
        replica.held = True
        took_s = await replica.stop(timeout_s)
        self.replicas.remove(replica)
        return took_s

    async def until_ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Waits for every replica. Raises TimeoutError naming those that are not ready, and why."""
        deadline_s = clock.monotonic_s() + timeout_s
        for replica in self.replicas:
            # Whatever was broken until now is no fault of theirs.
            replica.starts_forgiven = replica.starts
        async with httpx.AsyncClient(timeout=_ASK_TIMEOUT_S) as client:
            while found := [
                f"{replica.name}: {problem}"
                for replica in self.replicas
                if not replica.held and (problem := await replica.problem(client))
            ]:
                if clock.monotonic_s() > deadline_s or any(r.gave_up for r in self.replicas):
                    raise TimeoutError("; ".join(found))
                await asyncio.sleep(_WATCH_S)

    async def stop(self, timeout_s: float = 10.0) -> None:
        """Stops everything."""
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        for replica in self.replicas:
            replica.signal(signal.SIGCONT)
        await asyncio.gather(*(replica.stop(timeout_s) for replica in self.replicas))
        self.replicas.clear()

    async def _watch(self) -> None:
        while True:
            for replica in self.replicas:
                if not replica.held and not replica.runs:
                    replica.start()
            await asyncio.sleep(_WATCH_S)
