"""What the record costs a call and a batch: CPU, the time that the write lock is held, and bytes on disk.

    python -m tests.bench.record [CONSIGNMENTS ...]

CPU of Journal.record without the sync of the commit, and of the context of a decision, in microseconds; linking on,
several senders, one message of so many consignments after another. Bytes are those of the tables of declarations,
decisions and the log with their indexes. To compare with another version, run the same file there, in turn.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from features.messages import Message, read
from pipelines.training.standard_policy import standard_policy
from service.api.bodies import rows_of
from service.desk import Desk
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.runtime.process_tuning import raise_gc_thresholds
from service.store.database import Store
from service.store.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS
from tests.service.building import NOON, declared
from tests.service.quick import quick_model

MESSAGES = {1: 300, 64: 12, 10_000: 3}  # how many messages of so many consignments
WARM = {1: 30, 64: 2, 10_000: 1}  # of these, the first ones are not counted


class Syncs:
    """The CPU that commits take, which is the disk's and not the record's."""

    def __init__(self, store: Store) -> None:
        self.spent, self._commit = 0.0, store.engine.dialect.do_commit
        store.engine.dialect.do_commit = self._timed  # type: ignore[method-assign, assignment]

    def _timed(self, connection: Any) -> None:
        began = time.process_time()
        self._commit(connection)
        self.spent += time.process_time() - began


def messages(size: int, count: int) -> list[Message]:
    """Messages of so many consignments of 97 senders, a second after another."""
    made, number = [], 0
    for nth in range(count):
        parcels = []
        for _ in range(size):
            number += 1
            sender = {"name": f"Sender {number % 97}", "address": f"{number % 97} Harbour Road", "country": "CN",
                      "email": f"seller{number % 97}@shop.example"}  # fmt: skip
            parcels.append(declared(number, lodged_at=NOON + timedelta(seconds=nth), consignor=sender))
        rows, _ = rows_of({"message_id": f"BENCH-{size}-{nth}", "consignments": parcels})
        made.append(Message(rows, name=f"BENCH-{size}-{nth}", received_at=NOON + timedelta(minutes=1, seconds=nth)))
    return made


def recorded(desk: Desk, message: Message, syncs: Syncs) -> tuple[float, float]:
    """Decide and record a message; CPU seconds of its record, without the sync, and of the context."""
    consignments, problems = read(message)
    consignments, lists = desk.screened(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    began = time.process_time()
    context = desk.context(message, consignments, lost, lists_as_of=lists)
    of_context = time.process_time() - began
    decisions = desk.policy.orient(consignments, scores, problems, context)
    synced, began = syncs.spent, time.process_time()
    desk.journal.record(decisions, rows, consignments)
    return time.process_time() - began - (syncs.spent - synced), of_context


class Locks:
    """How long transactions that write held the lock, in seconds, one after another."""

    def __init__(self, store: Store) -> None:
        self.held: list[float] = []
        writing = store.writing

        @contextmanager
        def timed() -> Iterator[sa.Connection]:
            with writing() as connection:
                began = time.perf_counter()
                yield connection
            self.held.append(time.perf_counter() - began)

        store.writing = timed  # type: ignore[method-assign]
        if store._writer is not None:
            store._writer._transaction = timed


def on_disk(store: Store) -> int:
    """Bytes of the tables of the record and their indexes, and of the files of settled decisions."""
    tables = ", ".join(f"'{table.name}'" for table in (DECLARATIONS, DECISIONS, CHAIN, CALLS))
    of = f"SELECT sum(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name IN ({tables}))"
    with store.reading() as connection:
        in_rows = int(connection.exec_driver_sql(of).scalar_one())
    files = store.records.folder.iterdir() if store.records.folder.is_dir() else ()
    return in_rows + sum(file.stat().st_size for file in files)


def measured(size: int, folder: Path) -> dict[str, list[float]]:
    """Record messages of so many consignments; for each message the CPU of its record and context, and the lock."""
    switch, model = LinkingSwitch(folder / "linking.json"), quick_model()
    switch.turn_on("bench", "nobody here exists", datetime(2026, 1, 1, tzinfo=UTC))
    policy, count = load_policy(standard_policy()), MESSAGES.get(size, 5)
    store = Store(f"sqlite:///{folder / 'store.db'}", keys=folder / "keys", grouped=size < 10_000)
    desk = Desk(StoredParties(store, switch), StoredHistory(store), model, policy, Journal(store, switch))
    syncs, locks = Syncs(store), Locks(store)
    spent = [recorded(desk, message, syncs) for message in messages(size, count)][WARM.get(size, 1) :]
    spent_on = {"record": [r for r, _ in spent], "context": [c for _, c in spent]}
    spent_on |= {"lock": locks.held[WARM.get(size, 1) :], "bytes": [on_disk(store) / (size * count)]}
    store.close()
    return spent_on


def main(sizes: tuple[int, ...]) -> None:
    """Print one line for each size: medians of a message, and of the record per consignment."""
    raise_gc_thresholds()
    table = Table(box=None)
    for name in ("consignments", "record, µs", "best", "a consignment", "context, µs", "lock held, ms", "bytes each"):
        table.add_column(name, justify="right")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
            spent = measured(size, Path(folder))
        record, context = (median(spent[name]) * 1e6 for name in ("record", "context"))
        cells = (record, min(spent["record"]) * 1e6, record / size, context)
        lock = f"{median(spent['lock']) * 1e3:,.2f}"
        table.add_row(f"{size:,}", *(f"{cell:,.0f}" for cell in cells), lock, f"{spent['bytes'][0]:,.0f}")
    Console(width=140).print(table)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or tuple(MESSAGES))
