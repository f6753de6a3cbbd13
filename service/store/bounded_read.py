"""Reading what may hang, such as a network drive, with an end to waiting: a call is answered without it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLong
from typing import Any, TypeVar

from features.history.totals import HistoryUnavailable

T = TypeVar("T")
READS_AT_ONCE = 32  # readings under way; none is begun while one that took too long has not come back


class BoundedReader:
    """Waits so long for a reading, and not at all while an earlier one that took too long is still out."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(READS_AT_ONCE, "history-reader")
        self._out: Future[Any] | None = None

    def read(self, work: Callable[[], T]) -> T:
        """What the work gives or raises; HistoryUnavailable where that takes too long. The work itself goes on."""
        if self._out is not None and not self._out.done():
            raise HistoryUnavailable("an earlier reading of the history has not come back")
        reading = self._pool.submit(work)
        try:
            return reading.result(self._seconds)
        except TooLong:
            if reading.done():  # the work itself raised it
                raise
            self._out = reading
            raise HistoryUnavailable(f"the history was not read within {self._seconds} s") from None
