"""Rate limits as the originals keep them: a burst, then so many a second, for each sink apart."""

import math

from shared import clock


class TokenBucket:
    """Holds up to `burst` tokens, refilled at `per_second`."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._tokens = float(burst)
        self._seen_s = clock.monotonic_s()

    def take(self) -> int:
        """0 when a token was there and is taken, else whole seconds until there will be one."""
        now_s = clock.monotonic_s()
        earned = (now_s - self._seen_s) * self._per_second
        self._tokens = min(self._burst, self._tokens + earned)
        self._seen_s = now_s
        if self._tokens >= 1:
            self._tokens -= 1
            return 0
        return max(1, math.ceil((1 - self._tokens) / self._per_second))


class Buckets:
    """A token bucket for each sink."""

    def __init__(self, burst: int, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: dict[str, TokenBucket] = {}

    def take(self, sink: str) -> int:
        """0 when the sink may be told another message now, else whole seconds to wait."""
        if sink not in self._buckets:
            self._buckets[sink] = TokenBucket(self._burst, self._per_second)
        return self._buckets[sink].take()
