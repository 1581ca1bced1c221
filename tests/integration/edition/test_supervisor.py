"""The supervisor: restarts what ended, with a growing pause; stops everything; one failure ends a start."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from onelead.edition.process import Child, ChildSpec
from onelead.edition.supervisor import Supervisor, together
from onelead.reporting import SilentReporter
from shared.errors import UserError
from tests.support.waiting import wait_until


class Said(SilentReporter):
    """Keeps what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


class Sleeper:
    """A part that sleeps; it notes the order of starts and stops."""

    def __init__(self, name: str, folder: Path, notes: list[str], fails: int = 0) -> None:
        self.name = name
        self.child: Child | None = None
        self.starts = 0
        self._folder = folder
        self._notes = notes
        self._fails = fails

    async def start(self, timeout_s: float) -> Child:
        assert timeout_s > 0
        self.starts += 1
        self._notes.append(f"start {self.name}")
        if self.starts <= self._fails:
            raise UserError(f"{self.name} cannot")
        argv = [sys.executable, "-c", "import time; time.sleep(600)"]
        spec = ChildSpec(self.name, argv, dict(os.environ), self._folder / "log")
        self.child = Child(spec)
        return self.child

    async def stop(self, timeout_s: float) -> None:
        self._notes.append(f"stop {self.name}")
        if self.child is not None:
            await self.child.stop(timeout_s)


@pytest.fixture
def notes() -> list[str]:
    return []


async def test_what_was_started_last_is_stopped_first(tmp_path: Path, notes: list[str]) -> None:
    supervisor = Supervisor(SilentReporter(), 5)
    await supervisor.start(Sleeper("kafka", tmp_path, notes))
    await supervisor.start(Sleeper("scoring", tmp_path, notes))
    await supervisor.stop(5)
    assert notes == ["start kafka", "start scoring", "stop scoring", "stop kafka"]
    assert all(part.child and part.child.exit_code is not None for part in supervisor.parts)


async def test_a_part_that_ended_is_started_again_and_said_so(
    tmp_path: Path, notes: list[str]
) -> None:
    said = Said()
    supervisor = Supervisor(said, 5)
    part = Sleeper("scoring", tmp_path, notes)
    await supervisor.start(part)
    assert part.child is not None
    part.child.kill()
    await wait_until(lambda: part.starts == 2, "the second start")
    await wait_until(lambda: "scoring runs again" in said.lines, "the word of it")
    assert said.lines[0] == "scoring ended (signal 9); starting it again"
    await supervisor.stop(5)


async def test_a_restart_that_fails_is_tried_again(tmp_path: Path, notes: list[str]) -> None:
    said = Said()
    supervisor = Supervisor(said, 5)
    part = Sleeper("scoring", tmp_path, notes)
    await supervisor.start(part)
    part._fails = 2
    assert part.child is not None
    part.child.kill()
    await wait_until(lambda: part.starts == 3, "the third start")
    assert "scoring did not start: scoring cannot" in said.lines
    await supervisor.stop(5)


async def test_nothing_is_started_again_once_it_stops(tmp_path: Path, notes: list[str]) -> None:
    supervisor = Supervisor(SilentReporter(), 5)
    part = Sleeper("scoring", tmp_path, notes)
    await supervisor.start(part)
    assert part.child is not None
    part.child.kill()
    await supervisor.stop(5)
    await asyncio.sleep(1)
    assert part.starts == 1


async def test_one_part_that_cannot_start_ends_the_start_and_what_began_is_stopped(
    tmp_path: Path, notes: list[str]
) -> None:
    supervisor = Supervisor(SilentReporter(), 5)
    good = Sleeper("good", tmp_path, notes)
    with pytest.raises(UserError, match="bad cannot"):
        await supervisor.start(good, Sleeper("bad", tmp_path, notes, fails=9))
    await supervisor.stop(5)
    assert good.child is None or good.child.exit_code is not None
    assert "stop bad" in notes


async def test_together_raises_the_failure_itself_and_cancels_the_rest() -> None:
    cancelled = asyncio.Event()

    async def waits() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def fails() -> None:
        await asyncio.sleep(0)
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        await together(waits(), fails())
    assert cancelled.is_set()


async def test_together_returns_every_result_in_order() -> None:
    async def value(number: int) -> int:
        await asyncio.sleep(0.01 / number)
        return number

    assert await together(value(1), value(2)) == [1, 2]
