"""How long to hold a group for returning callers, while that pays."""

from __future__ import annotations

SHARE, LONGEST = 0.5, 0.1  # a group is held half as long as the last one took, and at most this many seconds
BURST = 2.0  # holding pays if calls arrive this many times faster during it than overall
RESTS_AT_MOST = 32  # groups that are not held before holding is tried again


class BatchWindow:
    """An adaptive window for batching calls.

    Closed-loop callers, who each wait for an answer, return in a burst once a group has been answered: without a hold
    the group is decided without them, and two crowds alternate, each waiting for the other. Independent calls come no
    faster after an answer, and holding a group for them delays every call in vain. The arrivals during a hold tell
    which case applies.
    """

    def __init__(self) -> None:
        self._callers, self._took = 1, 0.0  # callers answered last or waiting meanwhile; seconds of the last group
        self._vain, self._rests = 0, 0  # failed holds in a row; groups still to be decided without one

    def is_complete(self, group_size: int) -> bool:
        """Return true if no more callers are expected to return."""
        return group_size >= self._callers

    def wait_seconds(self, group_size: int) -> float:
        """Return the seconds for which a group is held for other callers."""
        if self.is_complete(group_size):
            return 0.0
        if self._rests:
            self._rests -= 1
            return 0.0
        return min(self._took * SHARE, LONGEST)

    def held(self, came: int, seconds: float, group: int, since: float) -> None:
        """Learn from a group that was held for some seconds, in which `came` of its calls arrived.

        since: seconds from the completion of the last group to that of this one.
        """
        if came * since >= BURST * group * seconds:
            self._vain = 0
        else:
            self._vain += 1
            self._rests = min(2**self._vain, RESTS_AT_MOST)

    def answered(self, group: int, waiting: int, took: float) -> None:
        """Learn the time that a group took to decide, and how many calls waited meanwhile."""
        self._callers, self._took = group + waiting, took
