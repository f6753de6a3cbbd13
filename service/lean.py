"""What costs a process time and does nothing for it: imports that it never needs, looking over what stays in memory."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

SELDOM = (50_000, 10, 5)  # how much is made before Python looks for cycles: rows of a day are none


def without_training_libraries() -> None:
    """Let LightGBM find neither scikit-learn nor pandas, which it would import at the cost of seconds.

    For a process that scores and does nothing else: whatever trains needs them.
    """
    for unused in ("sklearn", "pandas"):
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]


def a_core_each(workers: int) -> None:
    """Let processes that this one starts share the cores, where nobody has said how many threads polars takes.

    Each would start a thread for every core, for which frames of a few rows have no use.
    """
    if workers > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, cores // workers)))


def collect_seldom() -> None:
    """Let Python look for cycles of objects fifty times less often: in a day's batch it was a twelfth of the time."""
    gc.set_threshold(*SELDOM)


@contextmanager
def settled_in() -> Iterator[None]:
    """Take what stands in memory now for what stays, until the block ends.

    A service else looks over a million objects of libraries every few hundred calls: a quarter of a second in which no
    call goes on, and while it has the store's lock none of another worker either.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
