"""Ends a process whose event loop stands still: a thread of its own counts the beats that stay out.

It counts its own wakings, not time: a process that was stopped and goes on gets its chance to beat.
"""

import asyncio
import threading
from collections.abc import Callable

INTERVAL_S = 1.0
PATIENCE = 120
"""Intervals without a beat; no step of ours may hold the loop for longer."""


class Watchdog:
    """Barks, once, after `patience` intervals in a row in which the loop did not beat."""

    def __init__(
        self,
        bark: Callable[[str], None],
        *,
        interval_s: float = INTERVAL_S,
        patience: int = PATIENCE,
    ) -> None:
        self._bark = bark
        self._interval_s = interval_s
        self._patience = patience
        self._beats = 0
        self._over = threading.Event()

    async def run(self) -> None:
        """Beats until cancelled; the thread ends with it."""
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()
        try:
            while True:
                self._beats += 1
                await asyncio.sleep(self._interval_s)
        finally:
            self._over.set()

    def _watch(self) -> None:
        seen, missed = -1, 0
        while not self._over.wait(self._interval_s):
            missed = 0 if self._beats != seen else missed + 1
            seen = self._beats
            if missed >= self._patience:
                self._bark(f"the event loop stands still for {missed * self._interval_s:g} s")
                return
