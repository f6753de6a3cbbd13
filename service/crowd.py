"""Holding a group for callers who come again, for as long as that pays."""

from __future__ import annotations

SHARE, LONGEST = 0.5, 0.1  # a group is held half as long as the one before it took, and so many seconds at most
BURST = 2.0  # so many times faster than on the whole calls come while a group is held, where holding it pays
RESTS_AT_MOST = 32  # groups that are not held before it is tried once more


class Crowd:
    """Who calls at the same time as others.

    Callers who each wait for an answer come again in a burst once a group has been answered: a group that is not held
    for them is decided without them, and two crowds take turns, each waiting for the other's. Calls that come by
    themselves come no faster because others were answered, and a group that is held for them makes everybody wait for
    nothing. What came while a group was held tells the one from the other.
    """

    def __init__(self) -> None:
        self._callers, self._took = 1, 0.0  # who were answered last and who waited meanwhile; seconds of the last group
        self._vain, self._rests = 0, 0  # times in a row that holding did not pay; groups that are still not held

    def whole(self, here: int) -> bool:
        """Whether so many calls are all that can come again."""
        return here >= self._callers

    def hold(self, here: int) -> float:
        """Seconds for which a group of so many calls is held for the others."""
        if self.whole(here):
            return 0.0
        if self._rests:
            self._rests -= 1
            return 0.0
        return min(self._took * SHARE, LONGEST)

    def held(self, came: int, seconds: float, group: int, since: float) -> None:
        """Learn from a group that was held for some seconds, in which so many of it `came`.

        since: seconds from when the group before was whole until this one was.
        """
        if came * since >= BURST * group * seconds:
            self._vain = 0
        else:
            self._vain += 1
            self._rests = min(2**self._vain, RESTS_AT_MOST)

    def answered(self, group: int, waiting: int, took: float) -> None:
        """Learn that a group of so many was decided within seconds, and how many waited meanwhile."""
        self._callers, self._took = group + waiting, took
