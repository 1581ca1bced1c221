"""Whose turn it is: a tenant whose step failed waits for its next one, and no other waits with it."""

import random

from shared import clock
from shared.messaging.errors import backoff_s


class Turns:
    """Keeps in memory how often in a row each tenant's step has failed, and until when it waits."""

    def __init__(self) -> None:
        self._dice = random.Random()  # noqa: S311 - spreads retries, guards nothing
        self._waiting: dict[str, tuple[int, float]] = {}

    def is_due(self, tenant_id: str) -> bool:
        """Whether the tenant's next step may be taken."""
        waits = self._waiting.get(tenant_id)
        return waits is None or clock.monotonic_s() >= waits[1]

    def put_off(self, tenant_id: str) -> int:
        """Lets a tenant wait, longer after each failure. Returns how many there were in a row."""
        failures = self._waiting.get(tenant_id, (0, 0.0))[0] + 1
        delay = backoff_s(failures, self._dice)
        self._waiting[tenant_id] = (failures, clock.monotonic_s() + delay)
        return failures

    def succeeded(self, tenant_id: str) -> None:
        """Forgets the failures of a tenant."""
        self._waiting.pop(tenant_id, None)
