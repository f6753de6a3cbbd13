"""What the policy costs: orientation and look-up of what is spent, today and as it was over frames, in one run.

    python -m tests.bench.orientation [ROWS ...]

CPU in microseconds of one thread, the best of several rounds; so many rows as calls, which are paced (`day`), and as
a message of its own.
"""

from __future__ import annotations

import os

os.environ.setdefault("POLARS_MAX_THREADS", "1")

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from features.moments import micros
from pipelines.training.standard_policy import standard_policy
from service.orientation import DecisionContext, load_policy
from service.orientation.columns import Known
from service.orientation.pacing import BANDS
from service.orientation.periods import CHECKS
from service.record.capacity_used import Tallies, add
from service.store.database import Store
from tests.oracle import orientation as former
from tests.oracle.orientation.campaigns import OPEN
from tests.oracle.orientation.capacity_used import Tallies as FormerTallies
from tests.service.building import NOON
from tests.service.orientation.cases import Case, presented
from tests.service.orientation.formerly import Given
from tests.service.quick import quick_model

SIZES = (1, 16, 64, 10_000)
OFFICES = ("FRCDG1", "FRMRS1", "BELGG1")
TEXT = standard_policy() + "[exploration]\nshare = 0.2\n"
ROUNDS, AT_LEAST = 7, 3


def cases(size: int, seed: int = 3) -> list[Case]:
    """Return consignments of a few offices with scores of an ordinary day."""
    rng = np.random.default_rng(seed)
    risks = rng.beta(0.6, 20.0, size).clip(1e-4, 0.99).tolist()
    return [
        Case(f"HAWB{nth:09d}", risk, OFFICES[nth % len(OFFICES)], NOON.date(), hs_code="640411", description="shoes")
        for nth, risk in enumerate(risks)
    ]


def fill(store: Store) -> None:
    """Count four weeks and a morning of arrivals at each office."""
    now = micros(NOON) // 3_600_000_000
    rows = [
        {"office": office, "hour": hour, "band": band, "seen": 3 + band % 5, **dict.fromkeys(CHECKS, 0)}
        for office in OFFICES
        for hour in range(now - 28 * 24, now)
        for band in range(0, BANDS, 4)
    ]
    store.write(lambda connection: add(connection, rows))


def cost(work: Callable[[], Any], size: int) -> float:
    """Return the CPU of one run in microseconds: the best of several rounds."""
    work()
    times = max(AT_LEAST, 200 // size)
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        best = min(best, (time.process_time() - began) / times)
    return best * 1e6


def today(given: Given, store: Store, competing: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return orientation and look-up as they are."""
    policy, tallies = load_policy(TEXT), Tallies(store)

    def spent() -> Any:
        return tallies.spent(policy.capacity.periods(Known(given[0].declared)))

    context = DecisionContext(NOON + timedelta(minutes=1), competing, spent())
    return lambda: policy.orient(*given, context), spent


def formerly(given: Given, store: Store, competing: Any) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Return orientation and look-up as they were."""
    policy, tallies = former.load_policy(TEXT), FormerTallies(store)

    def spent() -> Any:
        return tallies.spent(policy.capacity.periods(given[0].frame))

    context = former.DecisionContext(NOON + timedelta(minutes=1), competing, spent(), opened=OPEN.to_frame())
    return lambda: policy.orient(*given, context), spent


def main(sizes: tuple[int, ...]) -> None:
    """Print one line for each size and way of competing."""
    table = Table(box=None)
    for name in ("rows", "competing", "orient before", "orient", "spent before", "spent", "ratio"):
        table.add_column(name, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        model, store = quick_model(), Store(f"sqlite:///{folder}/store.db")
        fill(store)
        for size in sizes:
            for competing in ("day", "message"):
                given = presented(model, cases(size), at=NOON)
                before = [cost(work, size) for work in formerly(given, store, competing)]
                after = [cost(work, size) for work in today(given, store, competing)]
                pairs = [f"{value:,.0f}" for pair in zip(before, after, strict=True) for value in pair]
                table.add_row(f"{size:,}", competing, *pairs, f"{sum(before) / sum(after):.1f}")
        store.close()
    Console().print(table)


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or SIZES)
