"""What model rows cost, for one row and for many: over columns, and beside it as expressions over frames.

    POLARS_MAX_THREADS=1 python -m tests.bench.features [--days 20] [--per-day 600]

CPU of one thread from consignments whose entities are known to the matrix that the trees take, with the readings of
history and without. Both ways run in turn, in one process, on the same consignments; the lowest of some rounds counts.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from features.assemble import assemble
from features.catalogue import INPUTS
from features.consignment import Consignments
from features.history.facts import facts_of
from features.history.totals import FactTable
from pipelines.synthetic import build_world
from pipelines.training.training_frame import fit_goods, linked, refit_dates
from service.scoring.model import matrix_of
from tests.oracle.frames import assemble as frames
from tests.oracle.frames import norms, product_codes, rates, wording
from tests.oracle.frames.columns import declared, goods, identifiers, route, shipper
from tests.oracle.frames.matrix import matrix_of as matrix_of_frame
from tests.worlds import consignments_of

DECLARED_BY = (declared, goods, identifiers, product_codes, route, shipper)  # importing them declares the earlier ones
ROWS = (1, 16, 64, 10_000)
ROUNDS, SECONDS_A_ROUND = 5, 0.4


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


def world(folder: Path, days: int, per_day: int) -> Consignments:
    """A synthetic world's consignments, linked, with their entities."""
    build_world(days, per_day, 2, folder)
    return linked(consignments_of(sorted((folder / "manifests").glob("*.parquet"))))


def measured(consignments: Consignments) -> list[tuple[int, str, float, float, bool]]:
    """For each number of rows: with history or without, seconds before and after, and whether both came out alike."""
    history = FactTable(facts_of(consignments), holds_all=True)
    labelled = consignments.frame.select(
        "row", pl.col("row").mod(5).eq(0).alias("hit"), pl.col("lodged_at").alias("known_at")
    )
    moments = consignments.frame["lodged_at"].to_list()
    fits = fit_goods(consignments, labelled, refit_dates(min(moments), max(moments)))
    before = frames.Fits(
        norms.Norms(fits.norms.table), wording.Wording(fits.wording.table), rates.Rates(fits.rates.table)
    )
    levels = {item.name: ["postal", "gift", "42", "61"] for item in INPUTS if item.kind == "category"}
    results = []
    for rows in ROWS:
        part = consignments.between(len(consignments) - rows, len(consignments))
        for kind, past in (("without history", None), ("with history", history)):

            def over_frames(part: Consignments = part, past: FactTable | None = past) -> object:
                return matrix_of_frame(frames.assemble(part, past, before, INPUTS).frame, INPUTS, levels)

            def over_columns(part: Consignments = part, past: FactTable | None = past) -> object:
                return matrix_of(assemble(part, past, fits, INPUTS), INPUTS, levels)

            alike = np.array_equal(over_frames(), over_columns(), equal_nan=True)  # type: ignore[arg-type]  # matrices
            results.append((rows, kind, cpu_of(over_frames), cpu_of(over_columns), alike))
    return results


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=20)
    parser.add_argument("--per-day", type=int, default=600)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tamis-bench-") as folder:
        results = measured(world(Path(folder), given.days, given.per_day))
    for rows, kind, frames_s, columns_s, alike in results:
        print(
            f"{rows:>6,} rows {kind:<15}  frames {frames_s * 1e6:>9,.0f} µs  columns {columns_s * 1e6:>9,.0f} µs"
            f"  a row {frames_s / rows * 1e6:>8,.1f} → {columns_s / rows * 1e6:>7,.1f} µs"
            f"  {frames_s / columns_s:>4.1f} times  {'bit for bit' if alike else 'NOT ALIKE'}"
        )


if __name__ == "__main__":
    main()
