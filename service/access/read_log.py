"""The log of who read what: noted at once in a file of this machine, and moved into the store in groups.

A read waits for no lock and no database: its line is with the operating system before the answer leaves, so that the
end of a process, even a kill, loses none. Only a machine that stops can lose what it had not yet written to disk, at
most a second of reads while the store answers.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from features.fault import Fault
from features.identifiers.letters import comparable
from features.moments import micros
from service.access.principal import Principal
from service.access.read_files import locked_file, reads_of, taken_lock
from service.store.access_tables import READS, SESSIONS
from service.store.bulk_rows import delete_rows, insert_many, update_rows
from service.store.database import Store
from service.store.queries import set_state, state_of
from service.store.tables import STATE

LOG = structlog.get_logger("tamis.access")
MOVED_EVERY = 0.5  # seconds
LONGEST_SUBJECT = 200  # characters
SEALED_KINDS = "\x1f"  # stands between a key and the kinds that it is searched under, where both are sealed
GROUPS_PER_TRANSACTION = 64
ENDS_WITHIN = 5.0  # seconds that a stop waits for a store that hangs; what was noted stays in its file
OUT_OF_REACH = (DBAPIError, PoolTimeout)


class Unnoted(OSError):
    """A read could not be noted, and so must not be shown."""


class ReadLog:
    """What this process showed, in files of its own below `folder` until it is in the store.

    A file is a group: `TOKEN-NUMBER.jsonl`, with one read a line. The store remembers the number of the last group
    of each token that it holds, written with the reads themselves, so that none is there twice whatever ends between.
    The lock of `TOKEN.lock` is held as long as the process lives; whoever can take it moves what was left behind.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.store, self.folder, self.token = store, folder, secrets.token_hex(8)
        self._noting, self._moving = threading.Lock(), threading.Lock()
        self._number, self._file = 0, -1
        self._used: dict[str, int] = {}
        self._over = threading.Event()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = locked_file(folder, self.token)
        self._thread = threading.Thread(target=self._run, name="read-log", daemon=True)
        self._thread.start()

    def note(self, principal: Principal, route: str, subject: str, now: datetime) -> None:
        """Note that personal data is about to be shown; raises Unnoted where the disk takes no line."""
        row = {"at": micros(now), "who": principal.name, "role": principal.role, "purpose": principal.purpose,
               "route": route, "subject": subject[:LONGEST_SUBJECT]}  # fmt: skip
        line = b"\n" + orjson.dumps(row)  # in front: after half a line of a full disk the next one stands apart
        with self._noting:
            try:
                if self._file < 0:
                    self._number += 1
                    self._file = os.open(self._group(self._number), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                if os.write(self._file, line) != len(line):
                    raise Unnoted("the disk took half a line")
            except OSError as fault:
                raise Unnoted("reads cannot be noted") from fault

    def traced(self, key: str) -> str:
        """Return what the log holds of a key that somebody searches for, as typed or sealed: not the key itself."""
        return trace_of(self.store, key)

    def use(self, session: str, now: datetime) -> None:
        """Note that a session is used; a kill may lose that."""
        with self._noting:
            self._used[session] = micros(now)

    def move(self) -> bool:
        """Move what was noted into the store; false where the store cannot be reached, and it stays in its files."""
        with self._moving:
            with self._noting:
                ended, self._file, last = self._file, -1, self._number
                used, self._used = self._used, {}
            if ended >= 0:
                os.fsync(ended)
                os.close(ended)
            try:
                self._post(self.token, last)
                self._renew(used)
            except OUT_OF_REACH as fault:
                with self._noting:
                    self._used = used | self._used
                LOG.warning("reads wait for the store", kind=type(fault).__name__)
                return False
        return True

    def close(self) -> None:
        """Move what is left, or leave it to the next process."""
        self._over.set()
        self._thread.join(ENDS_WITHIN)
        if not self._thread.is_alive() and self.move():
            with suppress(*OUT_OF_REACH):  # nothing is lost: the next process lets go of it
                self._forget(self.token)
        os.close(self._lock)

    def _run(self) -> None:
        adopted = False
        while not self._over.wait(MOVED_EVERY):
            try:
                adopted = adopted or self._adopt()
                self.move()
            except Exception as fault:  # noqa: BLE001 - reads go on being noted; the log shows the fault
                LOG.error("moving reads failed", kind=type(fault).__name__)

    def _adopt(self) -> bool:
        """Move what processes left that have ended; false where the store cannot be reached."""
        for lock in sorted(self.folder.glob("*.lock")):
            if lock.stem == self.token or (held := taken_lock(lock)) is None:
                continue
            try:
                self._post(lock.stem, None)
                self._forget(lock.stem)
            except OUT_OF_REACH:
                return False
            finally:
                os.close(held)
        return True

    def _post(self, token: str, last: int | None) -> None:
        """Put the groups of a token into the store, up to the last one, each once, and delete their files."""
        groups = [(int(path.stem.rpartition("-")[2]), path) for path in sorted(self.folder.glob(f"{token}-*.jsonl"))]
        ended = [(number, path) for number, path in groups if last is None or number <= last]
        for start in range(0, len(ended), GROUPS_PER_TRANSACTION):
            batch = ended[start : start + GROUPS_PER_TRANSACTION]
            read = [(number, list(reads_of(path))) for number, path in batch]
            self.store.write(lambda connection, read=read: _insert(connection, token, read))  # type: ignore[misc]
            for _, path in batch:
                path.unlink()

    def _renew(self, used: dict[str, int]) -> None:
        if not used:
            return

        def seen(connection: sa.Connection) -> None:
            for session, at in used.items():
                used_before = (SESSIONS.c.session == session, SESSIONS.c.seen_at < at)
                update_rows(connection, SESSIONS, {"seen_at": at}, *used_before)

        self.store.write(seen)

    def _forget(self, token: str) -> None:
        """Let go of a token of which everything is in the store."""
        gone = STATE.c.name == _state_name(token)
        self.store.write(lambda connection: delete_rows(connection, STATE, gone))
        (self.folder / f"{token}.lock").unlink(missing_ok=True)

    def _group(self, number: int) -> Path:
        return self.folder / f"{self.token}-{number:010d}.jsonl"


def note_command(store: Store, by: str, purpose: str, route: str, subject: str, now: datetime) -> None:
    """Note what of personal data a command is about to show, at once; raises Fault without a name and a purpose."""
    if not by.strip() or not purpose.strip():
        raise Fault("what shows personal data needs a name and a purpose: --by NAME --purpose TEXT")
    row = {"at": micros(now), "who": by.strip(), "role": "command", "purpose": purpose.strip(), "route": route,
           "subject": subject}  # fmt: skip
    store.write(lambda connection: insert_many(connection, READS, [row]))


def reads_traced(store: Store, key: str) -> list[dict[str, Any]]:
    """Return the reads on the log that searched for a key, the latest first."""
    query = sa.select(READS).where(READS.c.subject == trace_of(store, key)).order_by(READS.c.at.desc())
    with store.reading() as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def trace_of(store: Store, key: str) -> str:
    """Return what the log holds of a key, as typed or sealed: the same for its letters and digits, however spaced."""
    pseudonyms = store.pseudonyms
    with suppress(ValueError):
        key = pseudonyms.unsealed(key).partition(SEALED_KINDS)[0]
    return pseudonyms.trace("".join((comparable(key) or "").split()))


def _insert(connection: sa.Connection, token: str, groups: Sequence[tuple[int, list[dict[str, Any]]]]) -> None:
    """Insert the reads of groups that the store does not hold yet, and remember the last of them."""
    held = state_of(connection, _state_name(token)) or 0
    new = [row for number, rows in groups if number > held for row in rows]
    if new:
        insert_many(connection, READS, new)
    set_state(connection, _state_name(token), max(held, groups[-1][0]))


def _state_name(token: str) -> str:
    return f"reads moved {token}"
