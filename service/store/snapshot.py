"""A copy of the database at one moment while others write to it: one file, that of SQLite or a dump of PostgreSQL."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from service.store.database import Store
from service.store.record_tables import RECORD_SEGMENTS
from service.store.schema import schema_of
from service.store.tables import SEGMENTS

SQLITE_FILE, DUMP_FILE = "store.db", "store.sql"
DEBIAN = Path("/usr/lib/postgresql")
DUMP_OPTIONS = ("--no-owner", "--no-privileges", "--format=plain")


@dataclass(frozen=True, slots=True)
class Listed:
    """The files that a copy of the database lists: of settled history, and of settled decisions."""

    history: frozenset[str] = frozenset()
    record: frozenset[str] = frozenset()


def snapshot(store: Store, folder: Path) -> tuple[Path, int | None, Listed]:
    """Copy the database into a folder: the file, its schema, and the files that it lists."""
    if store.is_sqlite:
        path = folder / SQLITE_FILE
        copy_sqlite(Path(str(store.engine.url.database)), path)
        copied = sa.create_engine(f"sqlite:///{path}")
        with copied.connect() as connection:
            found = path, schema_of(connection), _listed(connection)
        copied.dispose()
        return found
    path = folder / DUMP_FILE
    with _frozen(store) as connection:
        name = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        _run("pg_dump", store, *DUMP_OPTIONS, f"--snapshot={name}", f"--file={path}")
        return path, schema_of(connection), _listed(connection)


def copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database with SQLite's own backup: one moment of it, whoever writes; synced to disk."""
    target.touch(mode=0o600)
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # a copy is one file, without a log beside it
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def restore_dump(store: Store, dump: Path) -> None:
    """Fill an empty PostgreSQL database from a dump, in one transaction; raises Fault where it holds a store."""
    with store.reading() as connection:
        if schema_of(connection) is not None:
            raise Fault("the database named by TAMIS_STORE holds a store already: name an empty one")
    _run("psql", store, "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1", f"--file={dump}")


def program(name: str) -> str | None:
    """Where a program of PostgreSQL is: on the path, or where Debian puts it; None where it is not installed."""
    found = shutil.which(name)
    return found or next((str(path) for path in sorted(DEBIAN.glob(f"*/bin/{name}"), reverse=True)), None)


@contextmanager
def _frozen(store: Store) -> Iterator[sa.Connection]:
    with store.reading() as connection:
        yield connection


def _listed(connection: sa.Connection) -> Listed:
    if schema_of(connection) is None:
        return Listed()
    history = {part["file"] for (parts,) in connection.execute(sa.select(SEGMENTS.c.parts)) for part in parts}
    if not sa.inspect(connection).has_table(RECORD_SEGMENTS.name):  # a store of before
        return Listed(frozenset(history))
    files = connection.execute(sa.select(RECORD_SEGMENTS.c.file, RECORD_SEGMENTS.c["keys"]))
    return Listed(frozenset(history), frozenset(name for row in files for name in row))


def _run(name: str, store: Store, *options: str) -> None:
    """Run a program of PostgreSQL on the store; the password goes by the environment, which no other user sees."""
    path = program(name)
    if path is None:
        raise Fault(f"{name} is not installed; install PostgreSQL's client programs")
    url = store.engine.url.set(drivername="postgresql")
    password: dict[str, Any] = {} if url.password is None else {"PGPASSWORD": str(url.password)}
    address = url.set(password=None).render_as_string(hide_password=False)
    command = [path, *options, f"--dbname={address}"]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | password, check=False)  # noqa: S603
    if done.returncode != 0:
        complaint = done.stderr.strip().splitlines() or ["no reason given"]
        raise Fault(f"{name} ended with {done.returncode}: {complaint[0]}")
