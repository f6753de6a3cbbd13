"""What the readings of history cost a call and a batch: the former code and today's over one store, in one run.

python -m tests.bench.history reads
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from features.algebra.tables import Table
from features.assemble import readings_for
from features.catalogue import INPUTS
from features.consignment import Consignments
from features.history.fact_columns import Versions
from features.history.facts import Integers
from features.history.named_entities import MEMBERS, named_by
from features.history.windows import plan_of, read_history, read_windows
from service.history.compaction import settle
from service.history.posting import facts_unposted, post, segments_listed
from service.history.stored_history import StoredHistory
from service.store.bounded_read import BoundedReader
from service.store.database import Store
from tests.bench.traffic import Traffic
from tests.oracle.history.former_store import Store as FormerStore
from tests.oracle.history.stored_history import StoredHistory as FormerHistory
from tests.oracle.history.windows import read_windows as former_windows
from tests.oracle.history.windows import reading_of as former_reading

READINGS = readings_for(INPUTS)
FORMER_READINGS = [one for reading in READINGS if (one := former_reading(reading.name)) is not None]
BEFORE = 300_000  # consignments of the quarter before
LATE = 1_000  # consignments of the last day whose facts stand in rows
POSTED_AT_ONCE = 500  # so few that their facts stay in rows
MOST_OF_A_CALL = 1_000
PATIENT = 60.0  # seconds, for a machine that others use too
ROWS = {1: 300, 16: 100, 64: 40, 10_000: 3, 100_000: 1}  # of a call, and how often it is read


def reads() -> list[dict[str, Any]]:
    """CPU of all readings of a call, by rows: the former code, today's frame, today's arrays."""
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        address = f"sqlite:///{folder}/store.db"
        fill(address)
        return measured(address, Path(folder) / "former")


def fill(address: str) -> None:
    """Post and settle a quarter, and what came of late."""
    store, traffic = Store(address), Traffic(BEFORE)
    history = StoredHistory(store)
    for day, _ in traffic.all_days():
        _post(store, history, day)
        settle(store)
    late = Traffic(BEFORE, seed=2).day(90)
    for start in range(0, LATE, POSTED_AT_ONCE):
        _post(store, history, Consignments(late.frame[start : start + POSTED_AT_ONCE], late.goods))
    store.close()


def _post(store: Store, history: StoredHistory, day: Consignments) -> None:
    with store.writing() as connection:
        post(store, connection, facts_unposted(connection, Versions.of(day), history.snapshot(connection)))


def measured(address: str, copies: Path, rows_of_calls: Sequence[int] = tuple(ROWS)) -> list[dict[str, Any]]:
    """Read a store that is filled: by calls, whose reads of files are waited for in another thread, and by batches."""
    traffic = Traffic(BEFORE)
    days = -(-max(ROWS) // traffic.per_day)
    asked = pl.concat([replace(traffic, seed=3 + number).day(91).frame for number in range(days)]).sort("lodged_at")
    asked = asked.with_columns(pl.concat_list("consignor_entity", "name_entity").alias(MEMBERS))
    told = []
    for rows in rows_of_calls:
        store = Store(address)
        if rows <= MOST_OF_A_CALL:
            store.bounded_reader = BoundedReader(PATIENT)
        told.append(_measured(store, FormerStore(store, copies), asked, rows))
        store.close()
    return told


def _measured(store: Store, as_before: FormerStore, asked: pl.DataFrame, rows: int) -> dict[str, Any]:
    former, now, plan = FormerHistory(as_before), StoredHistory(store), plan_of(READINGS)
    frames = [asked[start : start + rows] for start in range(0, min(ROWS[rows] * rows, len(asked)), rows)]
    arrays = [(_moments(frame), named_by(Table.of_frame(frame), plan.keys)) for frame in frames]
    spent = {
        "former": _cpu(lambda frame: former_windows(FORMER_READINGS, frame, former), frames),
        "frame": _cpu(lambda frame: read_windows(READINGS, frame, now), frames),
        "arrays": _cpu(lambda of: read_history(plan, of[0], of[1], now), arrays),
    }
    with store.reading() as connection:
        files = sum(len(segment.parts) for segment in segments_listed(connection))
    expected = former_windows(FORMER_READINGS, frames[0], former)
    return {
        "files": files,
        "rows": rows,
        **{f"{name}_us": us for name, us in spent.items()},
        "us_a_row": spent["arrays"] / rows,
        "times": spent["former"] / spent["arrays"],
        "same": read_windows(READINGS, frames[0], now).equals(expected),
    }


def _moments(frame: pl.DataFrame) -> Integers:
    return frame["lodged_at"].dt.epoch("us").to_numpy().astype(np.int64)


def _cpu(read: Callable[[Any], object], calls: Sequence[Any]) -> float:
    """Microseconds of CPU of one call, all threads: the best of three rounds, the first of which warms up."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for call in calls:
            read(call)
        best = min(best, time.process_time() - began)
    return best / len(calls) * 1e6
