"""What a day's manifest costs, from Parquet to published orientations, by step, on one machine and on several.

python -m tests.bench.batch [--home var/demo] [--thousands 20 --thousands 100] [--engine here --engine dask]

Each size and engine is a process of its own on a copy of a home with a model in service and a past; the manifest is of
a synthetic world that the home has not seen. CPU is that of the process and of the workers it started; memory is the
highest of the process alone. Linking is on or off as the home has it. Lock is the longest transaction that writes;
bytes are those of the record: declarations, decisions, calls and the log with their indexes, and files of decisions.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.messages.formats import read_file
from pipelines.batch import score as scoring
from pipelines.batch.archive import Archive
from pipelines.batch.publish import publish
from pipelines.distributed import connect_workers, distribute
from pipelines.synthetic import build_world
from service import targeting
from service.desk import Desk, open_desk
from service.journal import Journal
from service.orientation import Policy
from service.parties.stored_parties import StoredParties
from service.runtime.process_tuning import raise_gc_thresholds
from service.scoring import Model
from service.settings import Settings
from service.store.database import open_store
from tests.bench.history import _table
from tests.bench.record import Locks, on_disk

STEPS = ("read", "link", "rows", "score", "orient", "record", "settle", "publish")


def manifest(folder: Path, consignments: int) -> Path:
    """A day of so many consignments whose numbers no other world has."""
    build_world(1, consignments, 4242, folder, start=date(2026, 6, 1))
    path = next((folder / "manifests").glob("*.parquet"))
    pl.read_parquet(path).with_columns(("B" + pl.col("consignment_id")).alias("consignment_id")).write_parquet(path)
    return path


def one(file: Path, home: Path, engine: str) -> dict[str, Any]:
    """Score and publish one manifest: seconds by step, CPU, memory."""
    seconds = dict.fromkeys(STEPS, 0.0)

    def timed(step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def watched(*given: Any, **named: Any) -> Any:
            began = time.perf_counter()
            try:
                return work(*given, **named)
            finally:
                seconds[step] += time.perf_counter() - began

        return watched

    scoring.read_file = timed("read", read_file)  # type: ignore[attr-defined]  # timed in its place
    targeting.read = timed("read", targeting.read)  # type: ignore[attr-defined]  # timed in its place
    whose: list[tuple[str, type, str]] = [
        ("link", StoredParties, "link"), ("score", Model, "score"), ("orient", Policy, "orient"),
        ("record", Journal, "record"), ("settle", Journal, "settle"),
    ]  # fmt: skip
    for step, kind, name in whose:
        setattr(kind, name, timed(step, getattr(kind, name)))
    settings, now = Settings(home=home), datetime.now(UTC)
    with connect_workers(engine) as cluster:
        store = open_store(settings)
        before = on_disk(store)
        store.close()
        began, spent = time.perf_counter(), time.process_time()
        desk: Desk = open_desk(settings)
        locks = Locks(desk.journal.store)
        if cluster is not None:
            desk = distribute(desk, cluster)
        kind = type(desk)
        kind.rows = timed("rows", kind.rows)  # type: ignore[method-assign]  # timed in its place
        scored = scoring.score([file], desk, Archive(settings.archive), now, expectations=False)
        timed("publish", publish)(scored, desk, home / "published", now, "bench")
        wall, cpu = time.perf_counter() - began, time.process_time() - spent
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "consignments": scored.orientations.height,
        "modes": sorted(scored.orientations["mode"].unique().to_list()),
        "wall": wall,
        "cpu": cpu,
        "workers": children.ru_utime + children.ru_stime,
        "lock": max(locks.held, default=0.0),
        "bytes": on_disk(desk.journal.store) - before,
        "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "seconds": seconds,
    }


def measured(file: Path, home: Path, engine: str) -> dict[str, Any]:
    """The same in a process of its own, on a copy of the home."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "home"
        shutil.copytree(home, copy)
        command = [
            sys.executable,
            "-m",
            "tests.bench.batch",
            "--one",
            str(file),
            "--home",
            str(copy),
            "--engine",
            engine,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


def main() -> None:
    """Print one line for each size and engine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var/demo"))
    parser.add_argument("--thousands", type=int, action="append")
    parser.add_argument("--engine", action="append")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    engines = asked.engine or ["here", "dask"]
    if asked.one:
        raise_gc_thresholds()  # as the command does
        print(json.dumps(one(asked.one, asked.home, engines[0])))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for thousands in asked.thousands or [20, 100]:
            file = manifest(Path(folder) / f"{thousands}", thousands * 1_000)
            for engine in engines:
                told = measured(file, asked.home, engine)
                count = told["consignments"]
                cpu = told["cpu"] + told["workers"]
                rows.append(
                    {
                        "consignments": count,
                        "engine": engine,
                        "mode": "/".join(told["modes"]),
                        "seconds": told["wall"],
                        "a second": round(count / told["wall"]),
                        "CPU µs": round(1e6 * cpu / count),
                        "peak MB": round(told["peak"]),
                        "lock ms": round(1e3 * told["lock"]),
                        "bytes": round(told["bytes"] / count),
                        **{step: round(1e6 * told["seconds"][step] / count) for step in STEPS},
                    }
                )
    _table(f"A day's manifest, {os.cpu_count()} cores; by step: wall, µs a consignment", rows)


if __name__ == "__main__":
    main()
