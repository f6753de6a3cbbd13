"""Group commit: works that wait at the same time are written in one transaction and synced to disk once."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import sqlalchemy as sa

T = TypeVar("T")
Work = Callable[[sa.Connection], Any]
MOST = 64  # works in one transaction: the first must not wait for ever for the last


class Writer:
    """One thread that writes for all others; each waits until its own work is durable, or gets its own fault."""

    def __init__(self, transaction: Callable[[], AbstractContextManager[sa.Connection]]) -> None:
        self._transaction = transaction
        self._waiting: queue.SimpleQueue[tuple[Work, Future[Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What the work gives, after the commit; raises what the work or the commit raised."""
        told: Future[T] = Future()
        self._waiting.put((work, told))
        return told.result()

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

    def _next_group(self) -> tuple[list[tuple[Work, Future[Any]]], bool]:
        """The work that has waited longest, and all that wait behind it; whether more may come."""
        group = []
        item = self._waiting.get()
        while item is not None:
            group.append(item)
            if len(group) == MOST or self._waiting.empty():
                return group, True
            item = self._waiting.get()
        return group, False

    def _write_group(self, group: list[tuple[Work, Future[Any]]]) -> None:
        done: list[tuple[Future[Any], Any]] = []
        try:
            with self._transaction() as connection:
                for work, told in group:
                    _try(connection, work, told, done)
        except BaseException as fault:  # noqa: BLE001 - nothing was committed: whoever waits must hear of it
            for told in (told for _, told in group if not told.done()):
                told.set_exception(fault)
        else:
            for told, result in done:
                told.set_result(result)


def _try(connection: sa.Connection, work: Work, told: Future[Any], done: list[tuple[Future[Any], Any]]) -> None:
    """One work in a savepoint of its own: its fault undoes its own writes and nobody else's."""
    try:
        with connection.begin_nested():
            done.append((told, work(connection)))
    except BaseException as fault:  # noqa: BLE001 - a panic of polars too is handed to the one who waits for it
        told.set_exception(fault)
