"""What the gate costs: from rows of text to consignments and their problems, today and as it was over frames.

    python -m tests.bench.gate [ROWS ...]

CPU of one thread in microseconds a row, the best of several rounds, both in one run. A call's rows come as columns of
texts (`rows_of`, shown beside), a file's as a frame.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table as Shown

from features.algebra.frames import MANY
from features.algebra.tables import Table
from features.consignment import COLUMNS, Consignments, fold
from features.contract import gate_manifest
from features.messages.quality import odd_in
from service.api.bodies import rows_of
from tests.bench.serving import consignment
from tests.oracle.gate import consignment as former_fold
from tests.oracle.gate import contract as former
from tests.oracle.gate import quality as former_quality

SIZES = (1, 64, 10_000, 100_000)
STAGES = ("gate", "fold", "problems")
ROUNDS, AT_LEAST = 5, 2
NOW = datetime.now(UTC)


def given(size: int) -> tuple[pl.DataFrame | Table, pl.DataFrame]:
    """Return rows as a call or a file gives them, and as a frame."""
    message = {"message_id": "BENCH", "consignments": []}
    for nth in range(size):
        message["consignments"] += consignment(nth)["consignments"]
    rows: Any = rows_of(message)[0]
    frame = rows.frame if isinstance(rows, Table) else rows
    return (frame if size >= MANY else rows), frame


def cost(work: Callable[[], Any], size: int) -> float:
    """Return the CPU of one run in microseconds: the best of several rounds."""
    work()
    times = max(AT_LEAST, 300 // size)
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def today(rows: pl.DataFrame | Table) -> list[Callable[[], Any]]:
    """Return the stages as they are; each takes what a fresh gate has made, and keeps nothing of a run before."""
    gated = gate_manifest(rows, "f", NOW).rows
    folded = fold(gated)
    few = len(folded) < MANY

    def problems() -> Any:
        if few:
            return odd_in(folded)
        lines = folded.lines.height
        return odd_in(Consignments(folded.declared.part(0, len(folded)), folded.lines.part(0, lines)))

    return [lambda: gate_manifest(rows, "f", NOW), lambda: fold(gated), problems]


def formerly(frame: pl.DataFrame) -> list[Callable[[], Any]]:
    """Return the stages as they were."""
    accepted = former.gate_manifest(frame, "f", NOW).accepted
    folded = former_fold.fold(accepted)
    return [
        lambda: former.gate_manifest(frame, "f", NOW),
        lambda: former_fold.fold(accepted),
        lambda: former_quality.oddities(folded),
    ]


def main(sizes: tuple[int, ...]) -> None:
    """Print one line for each size and stage."""
    shown = Shown(box=None)
    for name in ("rows", "stage", "before", "now", "now/before"):
        shown.add_column(name, justify="right")
    for size in sizes:
        rows, frame = given(size)
        assert len(COLUMNS) <= frame.width
        before = [cost(work, size) / size for work in formerly(frame)]
        after = [cost(work, size) / size for work in today(rows)]
        for stage, one, other in zip((*STAGES, "all"), (*before, sum(before)), (*after, sum(after)), strict=True):
            shown.add_row(f"{size:,}", stage, f"{one:,.2f}", f"{other:,.2f}", f"{other / one:.3f}")
    Console().print(shown)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
