"""How often somebody may call: a token bucket for each caller, in each process."""

from __future__ import annotations

import time

REMEMBERED_CALLERS = 10_000


class Limit:
    """A rate limit per caller and process, as a token bucket."""

    def __init__(self, calls_a_minute: int) -> None:
        self.rate = calls_a_minute / 60
        self.burst = max(1.0, self.rate * 10)
        self._left: dict[str, tuple[float, float]] = {}

    def lets(self, caller: str) -> bool:
        """Return true if one more call is allowed now."""
        now = time.monotonic()
        left, at = self._left.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.rate)
        enough = left >= 1
        self._left[caller] = (left - enough, now)
        if len(self._left) > REMEMBERED_CALLERS:
            self._left.pop(next(iter(self._left)))
        return enough
