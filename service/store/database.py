"""The durable store: its connections, and how it is written: one transaction for a group of works."""

from __future__ import annotations

import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from service.runtime.private_files import make_home
from service.runtime.turns import Turns
from service.settings import Settings
from service.store import digests
from service.store.bounded_read import BoundedReader
from service.store.bulk_rows import as_json
from service.store.driver import as_sqlalchemy, run_text
from service.store.group_commit import Writer
from service.store.log_folding import LogFolding
from service.store.pseudonyms import Pseudonyms
from service.store.record_files import RecordFiles
from service.store.schema import SCHEMA, check_schema, create_schema, schema_of
from service.store.segment_files import SegmentFiles
from service.store.store_key import KeySource, check_key, note_key, options_of
from service.store.tables import TABLES

T = TypeVar("T")
READ_SECONDS = 0.15  # what is settled is read within it, or a call is answered without it
HISTORY, RECORD = "history", "record"  # folders of files: of settled history, of settled decisions
FILES_FROM = 5_000  # consignments of a message
SQL_IN_LIST_MAX = 500  # values in one IN list
# Of SQLite: KB of pages, as what a day writes touches far more than a call does; pages of its log from which on whoever
# commits brings them into the database, which no call does (log_folding.py).
OF_CALLS, OF_COMMANDS = ("cache_size=-4096", "wal_autocheckpoint=0"), ("cache_size=-65536",)
LOOKS_EVERY, LOOKS_SELDOM, SOON = 0.000_25, 0.002, 0.05  # seconds between looks at SQLite's lock, at first and after
ONE_WRITER = 0x7A315  # the name of PostgreSQL's lock that lets one transaction write at a time, as SQLite does


class Store:
    """One database, opened for durable writing; SQLite by default, PostgreSQL through the same code."""

    def __init__(
        self,
        address: str,
        *,
        folder: Path | None = None,
        keys: Path | None = None,
        patience_ms: int = 10_000,
        grouped: bool = False,
        any_schema: bool = False,
        files_from: int = FILES_FROM,
    ) -> None:
        """folder: where settled history lies; of a SQLite file always beside it; without one it stays in the tables.

        keys: the folder of the installation's keys; `keys` beside the file or the folder where it is not named, and
        where there is neither, a key that ends with the process.
        patience_ms: how long a writer waits for another; a command can wait, a call cannot. grouped: works of several
        threads share a commit. any_schema: open it as it is, to upgrade or to copy it. files_from: consignments of a
        message from which decisions that ask for nothing go to files.
        """
        url = sa.make_url(address)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        self.is_sqlite = url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            folder = Path(f"{url.database}.{HISTORY}") if url.database else None
        self.segments = SegmentFiles(folder)
        self.records = RecordFiles(_records_beside(folder), files_from)
        self.keys = KeySource(keys or (folder.parent / "keys" if folder else None))
        self.engine = sa.create_engine(
            url,
            json_serializer=as_json,
            json_deserializer=orjson.loads,
            execution_options=options_of(self.keys, self.segments, self.records),
        )
        sqlite = functools.partial(_durable_sqlite, OF_CALLS if grouped else OF_COMMANDS)
        opened = sqlite if self.is_sqlite else _patient_postgresql
        sa.event.listen(self.engine, "connect", functools.partial(opened, patience_ms))
        sa.event.listen(self.engine, "begin", functools.partial(_alone, patience_ms))
        self.bounded_reader = (
            BoundedReader(READ_SECONDS) if grouped else None
        )  # a command can wait for files, a call cannot
        self.turns = Turns()
        self._state = _State()
        self._writer = Writer(self.writing, self.turns) if grouped else None
        self._folding = LogFolding(Path(url.database)) if grouped and self.is_sqlite and url.database else None
        if not any_schema:
            _open_schema(self)

    @property
    def pseudonyms(self) -> Pseudonyms:
        """Return what keys the hashes of this store."""
        return self.keys.pseudonyms

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: alone, durable when the block has ended, undone when it raises."""
        with self.engine.begin() as connection:
            digests.begin(connection)
            yield connection
            digests.write_digests(connection)

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` gives, once everything that it wrote is durable."""
        self.look_anew()
        if self._writer is not None:
            return self._writer.write(work)
        with self.writing() as connection:
            return work(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for looking things up: one unchanging state of the database, whoever writes meanwhile."""
        if not self._state.kept:
            with self._looking_up() as connection:
                yield connection
            return
        if self._state.connection is None:
            self._state.opened = self._looking_up()
            self._state.connection = self._state.opened.__enter__()
        yield self._state.connection

    @contextmanager
    def one_state(self) -> Iterator[None]:
        """Let all that this thread looks up in the block share one state of the database, until it writes."""
        self._state.kept = True
        try:
            yield
        finally:
            self.look_anew()
            self._state.kept = False

    def look_anew(self) -> None:
        """Let this thread look things up in the present state of the database from now on."""
        opened, self._state.opened, self._state.connection = self._state.opened, None, None
        if opened is not None:
            opened.__exit__(None, None, None)

    @contextmanager
    def _looking_up(self) -> Iterator[sa.Connection]:
        isolation: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(reading=True, **isolation) as connection:
            yield connection

    def forget_former_pages(self) -> None:
        """Empty SQLite's log, in which pages stand as they were before the last changes; in PostgreSQL, VACUUM does."""
        if self.is_sqlite:
            with closing(self.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def rewrite(self) -> None:
        """Write the database's files anew, so that nothing of what was changed or deleted lies in free room."""
        if self.is_sqlite:
            with closing(self.engine.raw_connection()) as raw, closing(raw.cursor()) as cursor:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            return
        with self.engine.connect().execution_options(reading=True, isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"VACUUM (FULL) {', '.join(sorted(TABLES.tables))}")

    def close(self) -> None:
        """Finish what is being written, and give all connections back."""
        if self._writer is not None:
            self._writer.close()
        if self._folding is not None:
            self._folding.close()
        self.engine.dispose()


def _records_beside(history: Path | None) -> Path | None:
    """Return the folder of settled decisions, which lies beside that of settled history."""
    return None if history is None else history.with_name(f"{history.name.removesuffix(HISTORY)}{RECORD}")


class _State(threading.local):
    """What a thread looks things up in.

    kept: whether its look-ups share one state. opened: what is to be left at its end.
    """

    kept = False
    opened: AbstractContextManager[sa.Connection] | None = None
    connection: sa.Connection | None = None


def _open_schema(store: Store) -> None:
    """Make the tables of a new store; refuse one of another schema. Nothing is written where all is as it should be."""
    with store.reading() as connection:
        number = schema_of(connection)
    if number is None:
        with store.writing() as connection:  # another process may have made them meanwhile
            number = schema_of(connection)
            if number is None:
                create_schema(connection)
                note_key(connection)
                number = SCHEMA
    check_schema(number)
    with store.reading() as connection:
        check_key(connection, store.keys)


def open_store(settings: Settings, *, patience_ms: int = 10_000, grouped: bool = False) -> Store:
    """The store of an installation; its home folder is made where it is not there, and closed to others."""
    make_home(settings.home)
    address, history, keys = settings.store_address, settings.history, settings.keys
    return Store(address, folder=history, keys=keys, patience_ms=patience_ms, grouped=grouped)


def open_any_schema(settings: Settings) -> Store:
    """The store of an installation as it is, whatever its schema: for those who upgrade or copy it."""
    make_home(settings.home)
    return Store(settings.store_address, folder=settings.history, keys=settings.keys, any_schema=True)


def _durable_sqlite(besides: Sequence[str], patience_ms: int, connection: Any, _: object) -> None:
    """Write-ahead log, synced at every commit; what is deleted is overwritten; the driver must leave BEGIN to us."""
    connection.isolation_level = None
    connection.execute(f"PRAGMA busy_timeout={patience_ms}")
    for setting in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", *besides):
        connection.execute(f"PRAGMA {setting}")


def _patient_postgresql(patience_ms: int, connection: Any, _: object) -> None:
    """Commits wait for the disk, whatever the server's default; a writer waits so long for another."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(f"SET lock_timeout TO {patience_ms}")
    connection.commit()


def _alone(patience_ms: int, connection: sa.Connection) -> None:
    """Take the lock of writers at the start: a transaction that reads totals and then adds to them must be alone."""
    reading = connection.get_execution_options().get("reading", False)
    if connection.dialect.name != "sqlite":
        if not reading:
            run_text(connection, f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
    elif reading:
        run_text(connection, "BEGIN")
    else:
        _begin_writing(connection, patience_ms)


def _begin_writing(connection: sa.Connection, patience_ms: int) -> None:
    """Begin a SQLite transaction that writes; raises OperationalError where another one writes for too long.

    SQLite itself sleeps longer at each look, up to a tenth of a second, while a call holds the lock for a few
    milliseconds: with two workers the disk would be idle most of the time.
    """
    driver: Any = connection.connection.driver_connection
    began = time.monotonic()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            waited = time.monotonic() - began
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as fault:
                if fault.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or waited * 1000 >= patience_ms:
                    raise as_sqlalchemy(connection, "BEGIN IMMEDIATE", fault) from fault
            else:
                return
            time.sleep(LOOKS_EVERY if waited < SOON else LOOKS_SELDOM)
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience_ms}")
