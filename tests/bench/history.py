"""How dear history is: a quarter's traffic through the store, windows beside polars and DuckDB, single calls.

python -m tests.bench.history [flow] [windows] [reads] [live] [--millions 0.1 --millions 1 --millions 10]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.assemble import readings_for
from features.catalogue import INPUTS
from features.consignment import Consignments
from features.history.fact_columns import Facts, Versions
from features.history.facts import facts_of_outcomes
from features.history.totals import FactTable, Layered
from features.history.windows import Window, read_windows
from service.history.compaction import settle
from service.history.posting import facts_unposted, post, segments_listed
from service.history.stored_history import StoredHistory
from service.store.database import Store
from service.store.tables import RUNNING
from tests.bench.history_reads import reads
from tests.bench.traffic import START, Traffic
from tests.databases import DATABASES, postgresql_server

PARTS = ("windows", "flow", "reads", "live")
SPANS = (1, 7, 30, 90)
LIVE_CALLS, LIVE_BEFORE = 1_000, 200_000


def flow(consignments: int) -> dict[str, Any]:
    """A quarter day by day: read every window that the model needs, post the facts, settle."""
    folder = Path(tempfile.mkdtemp(prefix="tamis-bench-"))
    store = Store(f"sqlite:///{folder / 'store.db'}")
    history, readings = StoredHistory(store), readings_for(INPUTS)
    spent = dict.fromkeys(("read", "post", "settle", "cpu"), 0.0)

    def timed(name: str, work: Callable[[], Any]) -> None:
        began, cpu = time.perf_counter(), time.process_time()
        work()
        spent[name] += time.perf_counter() - began
        spent["cpu"] += time.process_time() - cpu

    for day, results in Traffic(consignments).all_days():
        timed("read", partial(read_day, day, history))
        timed("post", partial(post_day, store, history, day, results))
        timed("settle", lambda: settle(store))
    timed("settle", lambda: settle(store, everything=True))
    with store.reading() as connection:
        segments = segments_listed(connection)
        rows = connection.execute(sa.select(sa.func.count()).select_from(RUNNING)).scalar_one()
        entities = sum(
            store.segments.frame(part.file)["entity"].n_unique() for segment in segments for part in segment.parts
        )
    store.close()
    disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    shutil.rmtree(folder)
    assert rows == 0, "everything was settled"
    return {
        "consignments": consignments,
        "readings": len(readings),
        **spent,
        "seconds": sum(spent[part] for part in ("read", "post", "settle")),
        "peak_mb": _peak_mb(),
        "disk_mb": disk / 1e6,
        "entities": entities,
        "bytes_per_entity": disk / entities,
    }


def read_day(day: Consignments, history: StoredHistory) -> pl.DataFrame:
    """The windows of a day's manifest: the stored state with the day's own earlier lines over it."""
    return read_windows(readings_for(INPUTS), day.frame, Layered(history, FactTable.of(history.unposted(day))))


def post_day(store: Store, history: StoredHistory, day: Consignments, results: pl.DataFrame) -> None:
    """A day's facts and the results that became known, in one transaction."""
    with store.writing() as connection:
        facts = facts_unposted(connection, Versions.of(day), history.snapshot(connection))
        post(store, connection, Facts.end_to_end([facts, Facts.of_frame(facts_of_outcomes(results))]))


def windows(consignments: int) -> list[dict[str, Any]]:
    """Count and value of a sender over four spans, strictly past, for every consignment: ours and two peers."""
    days = [day for day, _ in Traffic(consignments).all_days()]
    frame = pl.concat([day.frame.select("consignor_entity", "lodged_at", "value_eur") for day in days])
    frame = frame.with_columns((pl.col("value_eur") * 100).round().cast(pl.Int64).alias("cents"))
    path = Path(tempfile.mkstemp(suffix=".parquet")[1])
    frame.write_parquet(path)
    told = [_apart(f"windows_{peer}", str(path)) for peer in ("tamis", "polars", "duckdb")]
    path.unlink()
    first = told[0]["checksum"]
    return [{**peer, "consignments": consignments, "times": peer["seconds"] / told[0]["seconds"],
             "same_sums": peer["checksum"] == first} for peer in told]  # fmt: skip


def windows_tamis(path: str) -> dict[str, Any]:
    """Running totals once, then two look-ups a row and span."""
    frame = pl.read_parquet(path)
    began = time.perf_counter()
    facts = frame.select(
        pl.col("consignor_entity").alias("entity"), pl.col("lodged_at").alias("known_at"),
        pl.lit(1, pl.Int64).alias("consignments"), pl.col("cents").alias("value"),
    )  # fmt: skip
    asked = [Window("consignor", fact, span) for fact in ("consignments", "value") for span in SPANS]
    read = read_windows(asked, frame, FactTable(facts))
    return _told("tamis", began, [int(read[w.name].sum()) for w in asked])


def windows_polars(path: str) -> dict[str, Any]:
    """polars' rolling groups, one pass a span."""
    frame = pl.read_parquet(path)
    began = time.perf_counter()
    frame = frame.sort("consignor_entity", "lodged_at")
    sums: list[list[int]] = [[], []]
    for span in SPANS:
        rolled = frame.rolling("lodged_at", period=f"{span}d", closed="left", group_by="consignor_entity").agg(
            pl.len(), pl.col("cents").sum()
        )
        sums[0].append(int(rolled["len"].sum()))
        sums[1].append(int(rolled["cents"].sum()))
    return _told("polars rolling", began, sums[0] + sums[1])


def windows_duckdb(path: str) -> dict[str, Any]:
    """DuckDB's range windows, all spans in one query."""
    import duckdb

    connection = duckdb.connect(config={"threads": 2})
    connection.execute(f"CREATE TABLE sent AS SELECT * FROM read_parquet('{path}')")
    over = ", ".join(
        f"{what} OVER (PARTITION BY consignor_entity ORDER BY lodged_at RANGE BETWEEN INTERVAL {span} DAY PRECEDING "
        f"AND INTERVAL 1 MICROSECOND PRECEDING) AS w{i}{span}"
        for i, what in enumerate(("count(*)", "sum(cents)"))
        for span in SPANS
    )
    began = time.perf_counter()
    read = connection.execute(f"SELECT {over} FROM sent").to_arrow_table()
    frame = pl.from_arrow(read)
    assert isinstance(frame, pl.DataFrame)
    return _told("DuckDB windows", began, [int(frame[name].sum() or 0) for name in frame.columns])


def _told(peer: str, began: float, sums: Sequence[int]) -> dict[str, Any]:
    seconds = time.perf_counter() - began
    return {"peer": peer, "seconds": seconds, "peak_mb": _peak_mb(), "checksum": list(sums)}


def live() -> list[dict[str, Any]]:
    """Read and write of one consignment's history, all keys, durable: both stores, one and two workers."""
    told = []
    for kind in DATABASES:
        if kind == "sqlite":
            with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
                told += _live_on(kind, f"sqlite:///{folder}/store.db", Path(folder) / "history")
        else:
            with postgresql_server() as address, tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
                told += _live_on(kind, address, Path(folder) / "history")
    return told


def _live_on(kind: str, address: str, folder: Path) -> list[dict[str, Any]]:
    traffic = Traffic(LIVE_BEFORE)
    store = Store(address, folder=folder)
    history = StoredHistory(store)
    for day, results in traffic.all_days():
        post_day(store, history, day, results)
        settle(store)
    store.close()
    told = []
    for workers in (1, 2):
        spawn = multiprocessing.get_context("spawn")
        with spawn.Pool(workers) as pool:
            calls = [(address, folder, 1000 * workers + worker) for worker in range(workers)]
            began = time.perf_counter()
            spent = np.array([pair for pairs in pool.starmap(_calls, calls) for pair in pairs]) * 1000
            wall = time.perf_counter() - began
        for part, column in (("read", spent[:, 0]), ("write", spent[:, 1]), ("both", spent.sum(axis=1))):
            p50, p99 = np.quantile(column, [0.5, 0.99])
            told.append({"store": kind, "workers": workers, "part": part, "p50_ms": p50, "p99_ms": p99,
                         "calls_a_second": len(spent) / wall})  # fmt: skip
    return told


def _calls(address: str, folder: Path, number: int) -> list[tuple[float, float]]:
    """One worker's calls, one after the other: the seconds of each read and each write."""
    store = Store(address, folder=folder, grouped=True)
    history, readings = StoredHistory(store), readings_for(INPUTS)
    day = Traffic(LIVE_CALLS * 90, seed=number).day(90)  # the day after the quarter
    spent = []

    def post_one(one: Consignments, connection: sa.Connection) -> None:
        post(store, connection, facts_unposted(connection, Versions.of(one), history.snapshot(connection)))

    for row in range(LIVE_CALLS):
        one = Consignments(day.frame[row], day.goods)
        began = time.perf_counter()
        read_windows(readings, one.frame, history)
        read = time.perf_counter()
        store.write(partial(post_one, one))
        spent.append((read - began, time.perf_counter() - read))
    store.close()
    return spent


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _apart(name: str, argument: str, module: str = "tests.bench.history") -> Any:
    """A measurement in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", module, "--one", name, argument]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name} {argument}: {done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def _table(title: str, rows: Sequence[dict[str, Any]]) -> None:
    print(f"\n{title}")
    if not rows:
        return
    shown = [{name: _cell(value) for name, value in row.items() if name != "checksum"} for row in rows]
    widths = {name: max(len(name), *(len(row[name]) for row in shown)) for name in shown[0]}
    print("  ".join(name.rjust(width) for name, width in widths.items()))
    for row in shown:
        print("  ".join(row[name].rjust(width) for name, width in widths.items()), flush=True)


def _cell(value: Any) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)


def main() -> None:
    """Measure what is asked for and print a table of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"any of {', '.join(PARTS)}; all where none is named")
    parser.add_argument("--millions", type=float, action="append", help="consignments in a quarter; 0.1, 1 and 10")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        name, argument = given.one
        print(json.dumps(globals()[name](int(argument) if argument.isdigit() else argument)))
        return
    parts, sizes = given.parts or PARTS, [round(m * 1e6) for m in given.millions or (0.1, 1, 10)]
    print(f"traffic from {START:%Y-%m-%d} on, 90 days")
    if "windows" in parts:
        _table("windows of one key, 4 spans x 2 facts", [row for size in sizes for row in windows(size)])
    if "flow" in parts:
        told = [_apart("flow", str(size)) for size in sizes]
        each = [{**row, "cpu_us_each": row["cpu"] / row["consignments"] * 1e6} for row in told]
        _table("a quarter through the store, seconds", each)
    if "reads" in parts:
        _table("all readings of history, CPU of a call and us a row", reads())
    if "live" in parts:
        _table("one consignment, all keys, read and durable write", live())


if __name__ == "__main__":
    main()
