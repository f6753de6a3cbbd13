"""What files of settled decisions cost afterwards: verifying them, by rows and by columns, and going on from there.

    python -m tests.bench.settled [--home HOME] [--thousands 20]

A copy of the home scores a day's manifest of so many consignments; then its files are verified. CPU, best of three.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from service.audit import verify_settled
from service.audit.verified_point import Point
from service.audit.verify import Verified, verify_record
from service.settings import Settings
from service.store.database import Store, open_store
from service.store.settled_rows import segments_listed
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
    return np.zeros(given[0].num_rows, np.bool_)


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


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=Path("var/demo"))
    parser.add_argument("--thousands", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = scored(asked.home, Path(folder), asked.thousands)
        _table("Verification", verifying(store, Settings(home=Path(folder) / "home")))


if __name__ == "__main__":
    main()
