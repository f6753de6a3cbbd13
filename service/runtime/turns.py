"""Turns: of the threads of a process that answer calls, one computes at a time, and gives its turn up while it waits.

Python runs one thread at a time in any case, but takes milliseconds to let the next one on. A thread that writes asks
to be let on again after each statement, so that a few threads which compute beside it would hold up every commit.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Turns in the order in which they are asked for; what is nearly done, or does the work of many, goes first."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._holder: int | None = None
        self._waiting: deque[tuple[int, threading.Lock]] = deque()
        self._passing_by = 0  # how many of these came with `first`: they stand in front

    @contextmanager
    def taken(self, *, first: bool = False) -> Iterator[None]:
        """Hold the turn for the block; `first` passes by those that wait."""
        self._take(first=first)
        HELD.turns = self
        try:
            yield
        finally:
            HELD.turns = None
            self._pass_on()

    @contextmanager
    def given_up(self) -> Iterator[None]:
        """Let others compute for the block, in which this thread waits; no matter where it holds no turn."""
        if self._holder != threading.get_ident():
            yield
            return
        self._pass_on()
        try:
            yield
        finally:
            self._take(first=True)

    def pause(self) -> None:
        """Let those go on that pass by others, where there are any."""
        if self._passing_by:
            with self.given_up():
                pass

    def _take(self, *, first: bool) -> None:
        thread = threading.get_ident()
        with self._guard:
            if self._holder is None:
                self._holder = thread
                return
            passed_on = threading.Lock()
            passed_on.acquire()
            if first:
                self._waiting.appendleft((thread, passed_on))
                self._passing_by += 1
            else:
                self._waiting.append((thread, passed_on))
        passed_on.acquire()

    def _pass_on(self) -> None:
        with self._guard:
            self._holder = None
            if self._waiting:
                self._holder, passed_on = self._waiting.popleft()
                self._passing_by -= self._passing_by > 0
                passed_on.release()


class Held(threading.local):
    """The turns of which a thread holds one."""

    turns: Turns | None = None


HELD = Held()


def let_first_pass() -> None:
    """Let those go on that pass by others; called between two steps of a computation, whether in a turn or not."""
    if HELD.turns is not None:
        HELD.turns.pause()
