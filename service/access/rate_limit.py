"""How often somebody may call: a token bucket for each caller, in each process."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

REMEMBERED_CALLERS = 10_000
SECONDS_OF_BURST = 10
POLICY = "calls"  # the name of the one policy, in header fields


@dataclass(frozen=True, slots=True)
class Quota:
    """What a caller has left after a call.

    allowed: whether this call was. at_once: calls that may come at once. left: of these, at the moment. rate: calls a
    second by which they come back.
    """

    allowed: bool
    at_once: float
    left: float
    rate: float

    @property
    def wait(self) -> int:
        """Seconds until one more call is allowed, at least one."""
        return max(1, math.ceil((1 - self.left) / self.rate))

    def headers(self) -> tuple[tuple[bytes, bytes], tuple[bytes, bytes]]:
        """The fields `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).

        The quota is what may come at once, the window the time in which it comes back whole; `t` is what of that time
        remains.
        """
        window, rest = math.ceil(self.at_once / self.rate), math.ceil((self.at_once - self.left) / self.rate)
        policy = f'"{POLICY}";q={int(self.at_once)};w={window}'
        return (
            (b"ratelimit-policy", policy.encode()),
            (b"ratelimit", f'"{POLICY}";r={int(self.left)};t={rest}'.encode()),
        )


class Limit:
    """A rate limit per caller and process, as a token bucket."""

    def __init__(self, calls_a_minute: int) -> None:
        self.rate = calls_a_minute / 60
        self.burst = max(1.0, self.rate * SECONDS_OF_BURST)
        self._left: dict[str, tuple[float, float]] = {}

    def lets(self, caller: str) -> bool:
        """Return true if one more call is allowed now."""
        return self.take(caller).allowed

    def take(self, caller: str) -> Quota:
        """Take one more call, if it is allowed now; return what is left."""
        now = time.monotonic()
        left, at = self._left.pop(caller, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.rate)
        enough = left >= 1
        self._left[caller] = (left - enough, now)
        if len(self._left) > REMEMBERED_CALLERS:
            self._left.pop(next(iter(self._left)))
        return Quota(enough, self.burst, left - enough, self.rate)
