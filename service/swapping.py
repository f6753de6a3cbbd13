"""Another bundle while calls go on: loaded and proved beside the one that serves, then put in its place at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import structlog

from service.bundles import Serving, open_serving, wanted_now
from service.scoring import BundleRefused
from service.settings import Settings
from service.targeting import Desk

LOOK_SECONDS = 1.0
LOG = structlog.get_logger("tamis.bundles")


class Swapper:
    """What serves in this process, and a look now and then at what is to serve."""

    def __init__(self, settings: Settings, serving: Serving, put: Callable[[Serving], None]) -> None:
        """put: lets another bundle serve from the next call on; calls under way end with the one they began with."""
        self.serving, self._settings, self._put = serving, settings, put
        for name, why in serving.refused.items():
            LOG.error("bundle refused", bundle=name, why=why)

    def look(self) -> bool:
        """Load what is to serve where that has changed; whether anything was put in its place.

        Where nothing better than the bundle in memory can be loaded, it keeps serving, and says so.
        """
        wanted = wanted_now(self._settings)
        if wanted == self.serving.wanted:
            return False
        try:
            opened = open_serving(self._settings)
        except BundleRefused as fault:
            opened = replace(self.serving, refused={"promoted": str(fault)})
        if opened.refused and opened.name != self.serving.name and not _revoked(self.serving, opened):
            opened = replace(self.serving, refused=opened.refused)  # the one in memory was good a moment ago
        for name, why in opened.refused.items():
            LOG.error("bundle refused", bundle=name, why=why)
        self.serving = replace(opened, wanted=wanted)
        self._put(self.serving)
        LOG.info("bundle serves", bundle=self.serving.name, model=self.serving.model.model_id)
        return True


def _revoked(serving: Serving, opened: Serving) -> bool:
    """Whether the bundle in memory is among those that may not serve any more."""
    return ": revoked" in opened.refused.get(serving.name, "")


def on_desk(desk: Desk, serving: Serving) -> Desk:
    """The same desk with another bundle."""
    return replace(desk, model=serving.model, policy=serving.policy, lacking=serving.lacking)


@contextmanager
def looking_now_and_then(swapper: Swapper, seconds: float = LOOK_SECONDS) -> Iterator[None]:
    """Look every so often in a thread of its own until the block ends."""
    over = threading.Event()
    thread = threading.Thread(target=_run, args=(swapper, seconds, over), name="swapper", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _run(swapper: Swapper, seconds: float, over: threading.Event) -> None:
    while not over.wait(seconds):
        try:
            swapper.look()
        except Exception as fault:  # noqa: BLE001 - calls go on with what serves; the log says that looking failed
            LOG.error("looking for a bundle failed", fault=type(fault).__name__)
