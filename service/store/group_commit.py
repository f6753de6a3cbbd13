"""Group commit: works that wait at the same time are written in one transaction and synced to disk once."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import sqlalchemy as sa

from service.runtime.turns import Turns
from service.store import digests
from service.store.driver import run_text

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]
LETS_OTHERS = 0.000_5  # seconds: another process that looks for the lock finds it free, and more works gather here
WORKS_PER_TRANSACTION = 64  # works in one transaction: the first must not wait for ever for the last


class Writer:
    """One thread that writes for all others; each waits until its own work is durable, or gets its own fault."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]], turns: Turns) -> None:
        """turns: of the threads that answer calls; works are done in one, the lock and the disk waited for in none."""
        self._transaction, self._turns = transaction, turns
        self._waiting: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What the work gives, after the commit; raises what the work or the commit raised."""
        outcome: Future[T] = Future()
        self._waiting.put((work, outcome))
        with self._turns.given_up():
            return outcome.result()

    def close(self) -> None:
        """Write what waits, then stop."""
        self._waiting.put(None)
        self._thread.join()

    def _run(self) -> None:
        going_on = True
        while going_on:
            group, going_on = self._next_group()
            if group:
                self._write_group(group)
                if not self._waiting.empty():
                    time.sleep(LETS_OTHERS)

    def _next_group(self) -> tuple[list[tuple[Work, Future[Any]]], bool]:
        """The work that has waited longest, and all that wait behind it; whether more may come."""
        group = []
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            if len(group) == WORKS_PER_TRANSACTION or self._waiting.empty():
                return group, True
            item = self._waiting.get()
        return group, False

    def _write_group(self, group: list[tuple[Work, Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self._transaction() as connection, self._turns.taken(first=True):
                for work, outcome in group:
                    _try(connection, work, outcome, done)
        except BaseException as fault:  # noqa: BLE001 - nothing was committed: whoever waits must hear of it
            for outcome in (outcome for _, outcome in group if not outcome.done()):
                outcome.set_exception(fault)
        else:
            for outcome, result in done:
                outcome.set_result(result)


def _try(connection: sa.Connection, work: Work, outcome: Future[Any], done: list[tuple[Future[Any], Any]]) -> None:
    """One work in a savepoint of its own: its fault undoes its own writes and nobody else's."""
    noted = digests.pending(connection)
    run_text(connection, "SAVEPOINT work")
    try:
        result = work(connection)
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is handed to the one who waits for it
        digests.back_to(connection, noted)
        outcome.set_exception(fault)
        run_text(connection, "ROLLBACK TO SAVEPOINT work")
    else:
        done.append((outcome, result))
    run_text(connection, "RELEASE SAVEPOINT work")
