"""A store brought to this version's schema: looked at, copied, changed step by step, each on the audit log."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.canonical import canonical
from service.history.posting import segments_listed
from service.record.audit_log import Entry, append
from service.record.record_kinds import judgement_content, keyed_entry, list_content
from service.runtime.batch_lease import Taken, leases
from service.runtime.private_files import make_home
from service.settings import Settings
from service.store.backup_files import write_folder
from service.store.database import Store, open_any_schema
from service.store.digests import renew
from service.store.home_backup import copy_store
from service.store.migrate import Step, pending_steps, refuse_unknown, run_step
from service.store.schema import SCHEMA, check_schema, is_numbered, schema_of
from service.store.snapshot import program
from service.store.tables import JUDGEMENTS, LISTS

KEYED_HASHES = 5  # the schema from which on hashes are keyed
ONE_UPGRADE = 0x7A316  # the name of PostgreSQL's lock, for machines that do not share the home
BACKUPS = "backups"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an upgrade would do: from which schema, and by which steps; none where the store is as it should be."""

    schema: int
    steps: tuple[Step, ...]


def plan_upgrade(store: Store) -> Plan:
    """Look at a store and change nothing; raises OtherSchema for one that no step leads from."""
    with store.reading() as connection:
        number = schema_of(connection)
        if number is None:
            raise Fault("there is no store yet: the first command makes one of the newest schema")
        if number > SCHEMA:
            check_schema(number)
        if not is_numbered(connection):
            refuse_unknown(connection)
        return Plan(number, tuple(pending_steps(connection, number)))


@contextmanager
def upgrading(settings: Settings) -> Iterator[Store]:
    """The store, whatever its schema, for one upgrade at a time; raises Taken where another is under way."""
    make_home(settings.home)
    with leases([settings.home / "upgrade.lease"]):
        store = open_any_schema(settings)
        try:
            with _alone(store):
                yield store
        finally:
            store.close()


@contextmanager
def _alone(store: Store) -> Iterator[None]:
    """Hold PostgreSQL's own lock as well: it ends with the connection, however that ends."""
    if store.is_sqlite:
        yield
        return
    with store.engine.connect().execution_options(reading=True, isolation_level="AUTOCOMMIT") as connection:
        if not connection.exec_driver_sql(f"SELECT pg_try_advisory_lock({ONE_UPGRADE})").scalar_one():
            raise Taken("another machine upgrades this store; wait for it")
        try:
            yield
        finally:
            connection.exec_driver_sql(f"SELECT pg_advisory_unlock({ONE_UPGRADE})")


def copy_before(store: Store, settings: Settings, schema: int, now: datetime) -> Path:
    """Copy the store and its settled history below the home's backups, synced; raises Fault where it cannot."""
    if not store.is_sqlite and program("pg_dump") is None:
        raise Fault("pg_dump is not installed: make a backup yourself, then run `tamis upgrade --backup-done`")
    folder = settings.home / BACKUPS
    folder.mkdir(mode=0o700, exist_ok=True)
    for unfinished in folder.glob(".schema-*"):  # of an upgrade that was killed: this one holds the lock
        shutil.rmtree(unfinished)
    target = folder / f"schema-{schema}-{now:%Y%m%dT%H%M%S%fZ}"
    copied = Path(tempfile.mkdtemp(prefix=".schema-", dir=folder))
    facts = {"made_at": now.isoformat(), "home": str(settings.home.absolute()), "schema": schema}
    write_folder(copied / "whole", copy_store(store, copied)[1], facts, moved=copied)
    (copied / "whole").replace(target)
    shutil.rmtree(copied)
    return target


def run_steps(store: Store, steps: Sequence[Step], now: datetime, say: Callable[[str], None]) -> None:
    """Run each step in a transaction of its own, with its entry on the audit log: done with it, or not at all."""
    for step in steps:
        store.write(lambda connection, step=step: _run(connection, step, micros(now)))  # type: ignore[misc]
        say(f"schema {step.number} is reached")


def _run(connection: sa.Connection, step: Step, at: int) -> None:
    """Run a step; with the last one, tables that are vouched for by other columns than before get their digests."""
    former = _contents(connection) if step.number == KEYED_HASHES else []
    run_step(connection, step)
    if step.number == SCHEMA:
        renew(connection)
    content = canonical({"schema": step.number, "meaning": step.meaning}).decode()
    present = _contents(connection) if step.number == KEYED_HASHES else []
    keyed = dict.fromkeys(keyed_entry(was, now) for was, now in zip(former, present, strict=True))
    append(connection, [Entry("upgrade", f"schema-{step.number}", content), *keyed], at)


def _contents(connection: sa.Connection) -> list[str]:
    """Return what the log holds of the rows that it vouches for by hashes in them: of judgements, then of lists."""
    judged = [JUDGEMENTS.c[name] for name in ("judgement_id", "one", "other", "same", "by", "reason", "at")]
    listed = [LISTS.c[name] for name in ("list_id", "version", "sha256", "kind", "subjects")]
    judgements = connection.execute(sa.select(*judged).order_by(judged[0])).mappings()
    lists = connection.execute(sa.select(*listed).order_by(*listed[:2])).mappings()
    return [*(judgement_content(dict(row)) for row in judgements), *(list_content(dict(row)) for row in lists)]


def leave_nothing_plain(store: Store) -> None:
    """Take hashes without a key from what an upgrade leaves behind on the disk: former files, and free pages."""
    if store.segments.usable and store.segments.folder.exists():
        with store.reading() as connection:
            listed = segments_listed(connection)
        store.segments.delete_strays(listed, time.time())
    store.rewrite()
