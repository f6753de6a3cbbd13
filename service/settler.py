"""Settling while a server runs: large messages write segments of their own, and only a merge keeps them few."""

from __future__ import annotations

import fcntl
from collections.abc import Callable
from contextlib import AbstractContextManager

import structlog

from service.settling import Settled, settle
from service.store import Store
from service.tending import now_and_then

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


def settling_now_and_then(
    store: Store, seconds: float = EVERY_SECONDS, then: Callable[[], object] = lambda: None
) -> AbstractContextManager[None]:
    """Settle every so often in a thread of its own until the block ends; `then`: what else is to be done each time."""

    def tend() -> None:
        done = settle_alone(store) if store.segments.usable else None
        then()
        if done and (done.rows or done.merged):
            LOG.info("settled", rows=done.rows, merged=done.merged)

    return now_and_then(tend, seconds, "settling")
