"""Settling while a server runs: large messages write segments of their own, and only a merge keeps them few."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from service.settling import Settled, settle
from service.store import Store

EVERY_SECONDS = 60.0
LOCK = ".settling"

LOG = structlog.get_logger("tamis.history")


def settle_alone(store: Store) -> Settled | None:
    """Settle, unless another process of this machine is at it; the lock dies with who holds it."""
    folder = store.segments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return settle(store)


@contextmanager
def settling_now_and_then(
    store: Store, seconds: float = EVERY_SECONDS, then: Callable[[], object] = lambda: None
) -> Iterator[None]:
    """Settle every so often in a thread of its own until the block ends; a fault is logged and tried again later.

    then: what else is to be done each time.
    """
    over = threading.Event()
    thread = threading.Thread(target=_run, args=(store, seconds, over, then), name="settler", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(store: Store, seconds: float, over: threading.Event, then: Callable[[], object]) -> None:
    while not over.wait(seconds):
        try:
            done = settle_alone(store) if store.segments.usable else None
            then()
        except Exception as fault:  # noqa: BLE001 - calls go on without it; whoever reads the log sees why files gather
            LOG.error("settling failed", fault=type(fault).__name__)
        else:
            if done and (done.rows or done.merged):
                LOG.info("settled", rows=done.rows, merged=done.merged)
