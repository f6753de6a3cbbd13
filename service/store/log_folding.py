"""SQLite's log is brought into the database by a thread of its own, so that no call waits while that is synced.

SQLite itself does so at the commit that makes its log long: whoever waits for that commit then waits for some thousand
pages besides, and for a second sync.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import structlog

LOG = structlog.get_logger("tamis.record")
EVERY = 0.5  # seconds
LONG = 16_384  # pages of the log (of 4 KB), from which on writers are held until it can begin anew
FEW = 1_000  # pages that may be left then; where more are, somebody reads an old state, and nobody is held for him
HELD_MS = 50  # milliseconds that writers are held at most


class Folded(NamedTuple):
    """What a look at the log gave: whether somebody stood in the way, pages in it, pages that the database has too."""

    hindered: bool
    pages: int
    folded: int


class LogFolding:
    """Folds the log of a SQLite database into it until it is closed; of several processes one at a time does."""

    def __init__(self, path: Path) -> None:
        self._path, self._over = path, threading.Event()
        self._thread = threading.Thread(target=self._run, name="store-log", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End; what is not folded yet is folded by whoever closes the database last."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            try:
                with closing(sqlite3.connect(self._path, isolation_level=None)) as connection:
                    while not self._over.wait(EVERY):
                        fold(connection)
            except sqlite3.Error as fault:  # the log only grows meanwhile, and the next look begins anew
                LOG.warning("the log of the store is not folded", kind=type(fault).__name__)


def fold(connection: sqlite3.Connection, long: int = LONG) -> Folded:
    """Bring pages of the log into the database beside writers; of a long log, let it begin anew."""
    connection.execute("PRAGMA busy_timeout=0")
    folded = _looked(connection, "PASSIVE")
    if folded.pages < long or folded.pages - folded.folded > FEW:
        return folded
    connection.execute(f"PRAGMA busy_timeout={HELD_MS}")
    return _looked(connection, "RESTART")


def _looked(connection: sqlite3.Connection, how: str) -> Folded:
    hindered, pages, folded = connection.execute(f"PRAGMA wal_checkpoint({how})").fetchone()
    return Folded(bool(hindered), pages, folded)
