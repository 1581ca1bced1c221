"""Sets the wall clock of one process by a file; durations, database and broker keep the right time."""

import time
from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from shared import clock


def set_wrong(clock_file: Path, by_s: float) -> None:
    """Moves the clock of the process that looks at this file; by 0 it is right again."""
    draft = clock_file.with_suffix(".clock-draft")
    draft.write_text(str(by_s))
    draft.replace(clock_file)


def install(clock_file: Path) -> None:
    """Lets a file say by how many seconds the clock of this process is wrong, at each look at it."""
    right: Callable[[], int] = time.time_ns

    def time_ns() -> int:
        return right() + round(_wrong_by_s(clock_file) * 1_000_000_000)

    class WrongDatetime(datetime):
        """The only other way to the wall clock, where the product reads it."""

        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.fromtimestamp(time_ns() / 1_000_000_000, tz)

    time.time_ns = time_ns
    time.time = lambda: time_ns() / 1_000_000_000
    clock.datetime = WrongDatetime  # type: ignore[attr-defined]
    _stamp_by(time_ns)


def _stamp_by(time_ns: Callable[[], int]) -> None:
    """The Kafka client stamps what it sends by a clock read in C, out of reach: it is done before."""
    original: Callable[..., Any] = AIOKafkaProducer.send

    async def send(self: AIOKafkaProducer, topic: str, *rest: Any, **named: Any) -> Any:
        if named.get("timestamp_ms") is None:
            named["timestamp_ms"] = time_ns() // 1_000_000
        return await original(self, topic, *rest, **named)

    AIOKafkaProducer.send = send


def _wrong_by_s(clock_file: Path) -> float:
    try:
        return float(clock_file.read_text())
    except OSError:
        return 0.0
