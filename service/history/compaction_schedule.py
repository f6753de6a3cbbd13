"""Compaction in a running server: large messages write segments of their own, and merging keeps them few."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from service.history.compaction import Settled, settle
from service.runtime.periodic import run_every
from service.store.database import Store

EVERY_SECONDS = 60.0
REST = 0.05  # seconds: fifty thousand rows are moved in a few seconds, between calls
LOCK = ".settling"

LOG = structlog.get_logger("tamis.history")


def settle_alone(store: Store) -> Settled | None:
    """Compact, unless another process of this machine does; the lock is released with its process."""
    folder = store.segments.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        return settle(store, rest=REST)


def compacting_regularly(
    store: Store, seconds: float = EVERY_SECONDS, then: Callable[[], object] = lambda: None
) -> AbstractContextManager[None]:
    """Compact every `seconds` in a thread of its own until the block ends; `then`: further work each time."""

    def tend() -> None:
        done = settle_alone(store) if store.segments.usable else None
        then()
        if done and (done.rows or done.merged):
            LOG.info("settled", rows=done.rows, merged=done.merged)

    return run_every(seconds, tend, "settling")
