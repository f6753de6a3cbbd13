"""The calls of a process: decided one by one, in the order in which they came; while one is synced, others go on."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context

from features.messages import Message
from service.desk import desk_for
from service.orientation import Decisions
from service.record.ownership import INSTALLATION, Sender
from service.targeting import Desk, target

CALLS_UNDER_WAY = 32  # one computes, the others wait for the disk: so many share a commit


class CallQueue:
    """Threads that decide calls in turns; each call waits for its own decisions, or gets its own fault."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(CALLS_UNDER_WAY, "deciding")

    def decide(self, message: Message, desk: Desk, sender: Sender = INSTALLATION) -> Future[Decisions]:
        """Return the future decisions on a message, or what `target` raises."""
        decisions: Future[Decisions] = Future()
        decisions.set_running_or_notify_cancel()  # a client that stops waiting cannot cancel its message
        self._threads.submit(copy_context().run, _decide, message, desk_for(desk, sender), decisions)
        return decisions

    def close(self) -> None:
        """Decide the waiting calls, then stop."""
        self._threads.shutdown(wait=True)


def _decide(message: Message, desk: Desk, decisions: Future[Decisions]) -> None:
    try:
        store = desk.journal.store
        with store.turns.taken(), store.one_state():
            decided = target(message, desk)
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is passed to the caller
        decisions.set_exception(fault)
    else:
        decisions.set_result(decided)
