"""What files of settled decisions cost afterwards: verifying them, by rows and by columns, and going on from there.

    python -m tests.bench.settled [--home HOME] [--thousands 20] [--days 30]

A copy of the home scores a day's manifest of so many consignments; then its files are verified. CPU, best of three.
Then the file is written again, under other numbers, as days of a hundred thousand: a consignment is looked for among
them, one is erased, an office's days are summed up for a what-if, and a day is erased whole; by the clock and in CPU.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count, islice
from pathlib import Path
from random import Random
from statistics import median
from typing import Any
from unittest import mock

import numpy as np
import pyarrow as pa

from features.moments import EPOCH
from service.audit import verify_settled
from service.audit.erasure import erase
from service.audit.verified_point import Point
from service.audit.verify import Verified, verify_record
from service.officers.what_if import record_of
from service.settings import Settings
from service.store.bulk_rows import insert_many
from service.store.database import Store, open_store
from service.store.record_tables import RECORD_SEGMENTS
from service.store.settled_rows import decided_of, declared_of, note_files_changed, scanned, segments_listed
from service.store.tables import DECISIONS, DECLARATIONS
from tests.bench.batch import manifest, one
from tests.bench.history import _table

TRIES = 3


def scored(home: Path, folder: Path, thousands: int) -> Store:
    """Score a day's manifest in a copy of a home; its store."""
    shutil.copytree(home, folder / "home")
    one(manifest(folder / "day", thousands * 1_000), folder / "home", "here")
    return open_store(Settings(home=folder / "home"))


def spent(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of CPU that some work takes, the least of several, and what it gives."""
    least, given = float("inf"), None
    for _ in range(TRIES):
        began = time.process_time()
        given = work()
        least = min(least, time.process_time() - began)
    return least, given


def faults_of_files(store: Store, before: Point | None = None) -> list[str]:
    """What differs in files of settled decisions."""
    with store.reading() as connection:
        return list(verify_settled.Files(store, connection, before.files if before else {}).faults())


def by_rows(*given: Any) -> Any:
    """Stand in for the comparison by columns: each row is looked at."""
    return np.zeros(given[0].height, np.bool_)


def verifying(store: Store, settings: Settings) -> list[dict[str, Any]]:
    """Verify files by rows, by columns and by their hash, then the whole record."""
    with store.reading() as connection:
        decisions = sum(segment.rows for segment in segments_listed(connection))

    def whole(since: Point | None = None) -> Verified:
        return verify_record(store, settings.checkpoints, settings.keys, since=since)

    point = whole().point(datetime.now(UTC))
    with mock.patch.object(verify_settled, "holding", by_rows):
        rows = spent(lambda: faults_of_files(store))
    told = [
        ("files, row by row", rows, decisions),
        ("files, by columns", spent(lambda: faults_of_files(store)), decisions),
        ("files, by their hash", spent(lambda: faults_of_files(store, point)), decisions),
        ("everything", spent(whole), decisions + point.number),
        ("everything, from the last one on", spent(lambda: whole(point)), decisions + point.number),
    ]
    for _, (_, found), _ in told:
        if getattr(found, "faults", found):
            raise RuntimeError(found)
    return [{"verified": name, "entries": count, "s": cpu, "µs each": round(1e6 * cpu / count, 1)}
            for name, (cpu, _), count in told]  # fmt: skip


def as_days(store: Store, days: int, at_once: int = 100_000) -> list[str]:
    """List so many days more, each a file of the first one's rows many times over; the consignments of the last.

    Their leaves are those of the first: they are found, counted and erased, and do not verify.
    """
    with store.reading() as connection:
        first = segments_listed(connection)[0]
    names: list[str] = []
    for day in range(1, days + 1):
        numbered = count(day * at_once)
        rows, parts = 0, []
        while rows < at_once:
            for group in store.records.groups(first.file, store.records.columns(first.file)):
                parts.append(_renamed(group.slice(0, at_once - rows), day, numbered))
                rows += parts[-1].num_rows
        names = [name for part in parts for name in part.column("consignment_id").to_pylist()]
        written = store.records.write(iter(parts))
        row = {**asdict(first), **asdict(written), "segment_id": f"bench-{day}", "rows": rows}
        row |= {"first_day": first.first_day + day, "last_day": first.last_day + day}
        store.write(partial(_listed, row=row))
    with store.reading() as connection:
        store.records.merge_keys([(one.keys, one.rows) for one in segments_listed(connection)])
    return names


def _renamed(group: pa.Table, day: int, numbered: Iterator[int]) -> pa.Table:
    numbers = list(islice(numbered, group.num_rows))
    columns = {
        "consignment_id": [f"BENCH{number:012d}" for number in numbers],
        "decision_id": [f"{number:032x}" for number in numbers],
        "message_id": [f"BENCH-{day}"] * len(numbers),
        "day": [at + day for at in group.column("day").to_pylist()],
    }
    for name, values in columns.items():
        at = group.column_names.index(name)
        group = group.set_column(at, name, pa.array(values, group.schema.field(name).type))
    return group


def _listed(connection: Any, row: dict[str, Any]) -> None:
    insert_many(connection, RECORD_SEGMENTS, [row])
    note_files_changed(connection)


def looked_up(store: Store, name: str) -> None:
    """Read all that is on record of a consignment."""
    with store.reading() as connection:
        found = (
            decided_of(connection, DECISIONS.c.keys(), [name]),
            declared_of(connection, DECLARATIONS.c.keys(), [name]),
        )
    if [len(rows) for rows in found] != [1, 1]:
        raise RuntimeError(f"{name}: not found once")


def forget(store: Store) -> None:
    """Let nothing of the files be in memory, as after a start of the machine."""
    records = store.records
    records._opened.clear()
    records._mapped.clear()
    records._directory = (frozenset(), None)
    for path in records.folder.iterdir():
        with path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def afterwards(store: Store, days: int) -> list[dict[str, Any]]:
    """Look up, sum up and erase over so many days of a hundred thousand."""
    names = as_days(store, days)
    with store.reading() as connection:
        segments = segments_listed(connection)
        (office,) = next(scanned(connection, DECISIONS, ["office"], segments[-1:]))[1].column("office").slice(0, 1)
    first, last = (EPOCH.date() + timedelta(days=one.first_day) for one in (segments[1], segments[-1]))
    drawn = Random(1)
    looked_up(store, names[0])
    now = datetime.now(UTC)
    acts: list[tuple[str, int, Callable[[], Any], Callable[[], Any]]] = [
        ("one consignment, warm", 20, lambda: None, lambda: looked_up(store, drawn.choice(names))),
        ("one consignment, nothing in memory", 5, lambda: forget(store), lambda: looked_up(store, drawn.choice(names))),
        ("what-if of an office", 3, lambda: None, lambda: record_of(store, office.as_py(), first, last)),
        ("one erased", 3, lambda: None, lambda: erase(store, [names.pop()], "bench", "bench", now)),
        (f"{len(names) - 3:,} erased with their file", 1, lambda: None, lambda: erase(store, names, "b", "b", now)),
    ]
    told = []
    for name, times, before, work in acts:
        clock, cpu = [], []
        for _ in range(times):
            before()
            began, spent_before = time.perf_counter(), time.process_time()
            work()
            clock.append(time.perf_counter() - began)
            cpu.append(time.process_time() - spent_before)
        figures = (median(clock), max(clock), median(cpu))
        names_of = ("median, ms", "slowest, ms", "CPU, ms")
        told.append({"act": name} | {of: round(1e3 * figure, 1) for of, figure in zip(names_of, figures, strict=True)})
    return told


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var/demo"))
    parser.add_argument("--thousands", type=int, default=20)
    parser.add_argument("--days", type=int, default=0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = scored(asked.home, Path(folder), asked.thousands)
        _table("Verification", verifying(store, Settings(home=Path(folder) / "home")))
        if asked.days:
            _table(f"Among {asked.days * 100_000:,} in files", afterwards(store, asked.days))


if __name__ == "__main__":
    main()
