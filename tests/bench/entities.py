"""What the entities and the evidence of consignments cost, for one and for many: now, and beside it over frames.

    POLARS_MAX_THREADS=1 python -m tests.bench.entities [--days 20] [--per-day 5000]

CPU of one thread a consignment, of both together: from consignments as the gate gives them to their columns of entities
and their evidence. Cold: nothing is remembered of a text, as at the first sight of a sender; warm: all of it, as of one
who sends again. Both ways run in turn, in one process, on the same consignments; the lowest of some rounds counts.
"""

from __future__ import annotations

import argparse
import functools
import gc
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from features.consignment import Consignments, fold
from features.parties.linking import STATED, with_evidence
from pipelines.synthetic import build_world
from tests.oracle.entities import linking as former
from tests.oracle.entities.keys import ENTITIES
from tests.worlds import accepted_of

ROWS = (1, 64, 10_000, 100_000)
ROUNDS, SECONDS_A_ROUND = 5, 0.2
COLD_ROUNDS = {1: 60, 64: 8}  # of different consignments


def forget() -> None:
    """Forget what functions of the project remember of texts; tables stay."""
    for held in gc.get_objects():
        if isinstance(held, functools._lru_cache_wrapper) and (held.cache_info().maxsize or 0) > 1:
            held.cache_clear()


def cpu_of(work: Callable[[], object]) -> float:
    """The CPU seconds of one run, the lowest of several rounds."""
    began = time.process_time()
    work()
    runs = max(1, round(SECONDS_A_ROUND / max(time.process_time() - began, 1e-6)))
    return min(_round(work, runs) for _ in range(ROUNDS))


def _round(work: Callable[[], object], runs: int) -> float:
    began = time.process_time()
    for _ in range(runs):
        work()
    return (time.process_time() - began) / runs


def _as_lodged(consignments: Consignments) -> Consignments:
    """Return consignments as columns, as the gate gives them."""
    lodged = fold(consignments.flat())
    for table in (lodged.declared, lodged.lines):
        table.columns(table.kinds)
    return lodged


def cold(of: Callable[[Consignments], object], consignments: Consignments, rows: int) -> float:
    """The CPU seconds of consignments of whom nothing is remembered: the median of some."""
    spent = []
    for turn in range(COLD_ROUNDS.get(rows, 1)):
        part = _as_lodged(consignments.between(turn * rows, (turn + 1) * rows))
        forget()
        spent.append(_round(lambda part=part: of(part), 1))  # type: ignore[misc]
    return sorted(spent)[len(spent) // 2]


def measured(consignments: Consignments) -> list[tuple[int, list[float], bool]]:
    """For each number of rows: seconds cold and warm before, cold and warm now, and whether both came out alike."""
    results = []
    for rows in [rows for rows in ROWS if rows <= len(consignments)]:
        part = _as_lodged(consignments.between(0, rows))
        seconds = []
        for of in (former.with_evidence, with_evidence):
            of(part)  # reads tables
            seconds += [cold(of, consignments, rows), cpu_of(lambda of=of, part=part: of(part))]  # type: ignore[misc]
        now, before = (of(part).frame.select(*ENTITIES, STATED) for of in (with_evidence, former.with_evidence))
        results.append((rows, seconds, now.equals(before)))
    return results


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--per-day", type=int, default=5_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        build_world(given.days, given.per_day, 2, Path(folder))
        consignments = fold(accepted_of(sorted((Path(folder) / "manifests").glob("*.parquet"))))
    for rows, seconds, alike in measured(consignments):
        frames_cold, frames, now_cold, now = (each / rows * 1e6 for each in seconds)
        print(
            f"{rows:>7,} rows, µs a row: cold {frames_cold:>8,.1f} → {now_cold:>7,.1f}   warm {frames:>8,.1f} →"
            f" {now:>7,.1f}   {'bit for bit' if alike else 'NOT ALIKE'}"
        )


if __name__ == "__main__":
    main()
