"""Process tuning: skip imports that are never needed, and garbage collection of objects that stay."""

from __future__ import annotations

import ctypes
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager

SWITCH_SECONDS = 0.000_5  # after which a thread that waits is let on; of Python itself ten times as long
SELDOM = (50_000, 10, 5)  # objects created before Python looks for cycles: rows of a day are none


def without_training_libraries() -> None:
    """Hide scikit-learn and pandas from LightGBM, which would import them at the cost of seconds.

    For a process that only scores; training needs them.
    """
    for unused in ("sklearn", "pandas"):
        sys.modules.setdefault(unused, None)  # type: ignore[arg-type]


def one_copy_of_dictionaries() -> None:
    """Let pypinyin keep its dictionaries once: it would keep a second copy for those who change them."""
    os.environ.setdefault("PYPINYIN_NO_DICT_COPY", "true")


def in_its_own_process(work: Callable[..., None], *given: object) -> None:
    """Do work in a process that ends with it; raises what it raises.

    What it loads goes with it: a process that lives on to watch others would keep 150 MB of libraries.
    """
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        process.submit(work, *given).result()


def share_cores_among(workers: int) -> None:
    """Divide the cores among child processes, unless the number of polars threads is set.

    Each would start a thread for every core, which frames of a few rows cannot use.
    """
    if workers > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        os.environ.setdefault("POLARS_MAX_THREADS", str(max(1, cores // workers)))


def raise_gc_thresholds() -> None:
    """Let Python look for cycles fifty times less often: in a day's batch it took a twelfth of the time."""
    gc.set_threshold(*SELDOM)


def give_memory_back() -> None:
    """Return to the system what is no longer used, after work that took much: the C library would keep it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc; other C libraries give back by themselves
    if trim is not None:
        trim(0)


@contextmanager
def quick_switches() -> Iterator[None]:
    """Let threads take turns more often until the block ends.

    A thread that writes lets go of the interpreter at each of its sixty statements; each time another computes on, and
    for as long as that is let to, the lock of the store is held for nothing.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@contextmanager
def frozen_gc() -> Iterator[None]:
    """Exempt the objects in memory from garbage collection until the block ends.

    Otherwise a service checks a million objects of libraries every few hundred calls: a quarter of a second without
    calls, and if it holds the lock of the store, without calls of other workers too.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    raise_gc_thresholds()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
