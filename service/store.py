"""The durable store: its connections, and how it is written: one transaction for a group of works."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import orjson
import sqlalchemy as sa

from features.fault import Fault
from service.bulk import INSERTS, as_json
from service.patience import Patience
from service.segments import SegmentFiles
from service.settings import Settings
from service.tables import TABLES
from service.writing import Writer

T = TypeVar("T")
READ_SECONDS = 0.15  # what is settled is read within it, or a call is answered without it
AT_ONCE = 500  # values in one IN list
CACHE_KB, CACHE_KB_OF_COMMANDS = 4_096, 65_536  # of SQLite's pages: what a day writes touches far more than a call does
ONE_WRITER = 0x7A315  # the name of PostgreSQL's lock that lets one transaction write at a time, as SQLite does


class Store:
    """One database, opened for durable writing; SQLite by default, PostgreSQL through the same code."""

    def __init__(
        self, address: str, *, folder: Path | None = None, patience_ms: int = 10_000, grouped: bool = False
    ) -> None:
        """folder: where settled history lies; of a SQLite file always beside it; without one it stays in the tables.

        patience_ms: how long a writer waits for another; a command can wait, a call cannot. grouped: works of several
        threads share a commit.
        """
        url = sa.make_url(address)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine(url, json_serializer=as_json, json_deserializer=orjson.loads)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        sqlite = functools.partial(_durable_sqlite, CACHE_KB if grouped else CACHE_KB_OF_COMMANDS)
        opened = sqlite if self.is_sqlite else _patient_postgresql
        sa.event.listen(self.engine, "connect", functools.partial(opened, patience_ms))
        sa.event.listen(self.engine, "begin", _alone)
        if self.is_sqlite:
            folder = Path(f"{url.database}.history") if url.database else None
        self.segments = SegmentFiles(folder)
        self.patience = Patience(READ_SECONDS) if grouped else None  # a command can wait for files, a call cannot
        self._writer = Writer(self.writing) if grouped else None
        with self.writing() as connection:
            TABLES.create_all(connection)
            _refuse_older(connection)
            _index(connection)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction: alone, durable when the block has ended, undone when it raises."""
        with self.engine.begin() as connection:
            yield connection

    def write(self, work: Callable[[sa.Connection], T]) -> T:
        """What `work` gives, once everything that it wrote is durable."""
        if self._writer is not None:
            return self._writer.write(work)
        with self.writing() as connection:
            return work(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for looking things up: one unchanging state of the database, whoever writes meanwhile."""
        isolation: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(reading=True, **isolation) as connection:
            yield connection

    def upsert(self, table: sa.Table) -> Any:
        """An insert of this database's own kind, which knows ON CONFLICT."""
        return INSERTS[self.engine.dialect.name](table)

    def close(self) -> None:
        """Finish what is being written, and give all connections back."""
        if self._writer is not None:
            self._writer.close()
        self.engine.dispose()


def _refuse_older(connection: sa.Connection) -> None:
    """A store of an earlier version lacks columns; it is never changed in silence."""
    there = sa.inspect(connection)
    for table in TABLES.sorted_tables:
        lacking = {column.name for column in table.columns} - {c["name"] for c in there.get_columns(table.name)}
        if lacking:
            raise Fault(
                f"the store was made by an earlier version (table {table.name} lacks {', '.join(sorted(lacking))}); "
                "open a new one and ingest the archive into it"
            )


def _index(connection: sa.Connection) -> None:
    """A store of an earlier version gets the indexes that it lacks: they change nothing but how long a query takes.

    No others are asked for, not even where they are there already: PostgreSQL would lock each table for it first.
    """
    listed = sa.inspect(connection).get_multi_indexes().values()
    there = {index["name"] for of_table in listed for index in of_table}
    for table in TABLES.sorted_tables:
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if index.name not in there:
                index.create(connection)


def open_store(settings: Settings, *, patience_ms: int = 10_000, grouped: bool = False) -> Store:
    """The store of an installation; its home folder is made where it is not there."""
    settings.home.mkdir(parents=True, exist_ok=True)
    return Store(settings.store_address, folder=settings.history, patience_ms=patience_ms, grouped=grouped)


def _durable_sqlite(cache_kb: int, patience_ms: int, connection: Any, _: object) -> None:
    """Write-ahead log, synced at every commit; the driver must leave BEGIN to us."""
    connection.isolation_level = None
    for setting in ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={patience_ms}", f"cache_size=-{cache_kb}"):
        connection.execute(f"PRAGMA {setting}")


def _patient_postgresql(patience_ms: int, connection: Any, _: object) -> None:
    """Commits wait for the disk, whatever the server's default; a writer waits so long for another."""
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO on")
        cursor.execute(f"SET lock_timeout TO {patience_ms}")
    connection.commit()


def _alone(connection: sa.Connection) -> None:
    """Take the lock of writers at the start: a transaction that reads totals and then adds to them must be alone."""
    reading = connection.get_execution_options().get("reading", False)
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
    elif not reading:
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ONE_WRITER})")
