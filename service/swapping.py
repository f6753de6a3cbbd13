"""Another bundle while calls go on: loaded and proved beside the one that serves, then put in its place at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from features.catalogue import INPUTS
from service.bundles import RULES, Serving, is_revoked, open_serving, wanted_now
from service.scoring import BundleRefused
from service.scoring.bundle import unscored
from service.settings import Settings
from service.targeting import Desk

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # what was refused is tried again: a busy machine may only have been too slow to prove it
LOG = structlog.get_logger("tamis.bundles")


class Swapper:
    """What serves in this process, and a look now and then at what is to serve."""

    def __init__(self, settings: Settings, serving: Serving, put: Callable[[Serving], None]) -> None:
        """put: lets another bundle serve from the next call on; calls under way end with the one they began with."""
        self.serving, self._settings, self._put = serving, settings, put
        self._again = time.monotonic() + AGAIN_SECONDS
        for name, why in serving.refused.items():
            LOG.error("bundle refused", bundle=name, why=why)

    def look(self) -> bool:
        """Load what is to serve where that has changed; whether anything was put in its place.

        Where nothing better than the bundle in memory can be loaded, it keeps serving, and says so.
        """
        wanted = wanted_now(self._settings)
        retry = bool(self.serving.refused) and time.monotonic() >= self._again
        if wanted == self.serving.wanted and not retry:
            return False
        self._again = time.monotonic() + AGAIN_SECONDS
        opened = self._best()
        for name, why in opened.refused.items():
            LOG.error("bundle refused", bundle=name, why=why)
        if (opened.name, opened.refused, wanted) == (self.serving.name, self.serving.refused, self.serving.wanted):
            return False  # tried again, and all is as before
        self.serving = replace(opened, wanted=wanted)
        self._put(self.serving)
        LOG.info("bundle serves", bundle=self.serving.name, model=self.serving.model.model_id)
        return True

    def _best(self) -> Serving:
        """What is on disk where that is as promoted, else what is in memory; that too goes once it is revoked."""
        revoked = is_revoked(self._settings, self.serving.name)
        try:
            opened = open_serving(self._settings)
        except BundleRefused as fault:
            refused = {"promoted": str(fault)}
            if revoked:
                return replace(self.serving, model=unscored(INPUTS), name=RULES, refused=refused)
            return replace(self.serving, refused=refused)
        if opened.refused and opened.name != self.serving.name and not revoked:
            return replace(self.serving, refused=opened.refused)  # the one in memory was good a moment ago
        return opened


def on_desk(desk: Desk, serving: Serving) -> Desk:
    """The same desk with another bundle."""
    return replace(desk, model=serving.model, policy=serving.policy, lacking=serving.lacking)
