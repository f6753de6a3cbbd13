"""Periodic work of a running service, each in a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

LOG = structlog.get_logger("tamis.tending")


@contextmanager
def run_every(seconds: float, work: Callable[[], object], name: str) -> Iterator[None]:
    """Do some work every `seconds` until the block ends; faults are logged, and the work is tried again.

    name: of the thread and in the log, such as `settling`.
    """
    over = threading.Event()
    thread = threading.Thread(target=_run, args=(work, seconds, name, over), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(work: Callable[[], object], seconds: float, name: str, over: threading.Event) -> None:
    while not over.wait(seconds):
        try:
            work()
        except Exception as fault:  # noqa: BLE001 - calls go on without it; the log shows the fault
            LOG.error(f"{name} failed", fault=type(fault).__name__)
