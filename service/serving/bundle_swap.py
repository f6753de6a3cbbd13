"""Hot swap of bundles: a new one is loaded and verified while the old one serves, then replaces it at once."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import structlog

from features.catalogue import INPUTS
from service.scoring import BundleRefused
from service.scoring.bundle import unscored
from service.serving.serving_bundle import RULES, Serving, is_revoked, open_serving, wanted_now
from service.settings import Settings

LOOK_SECONDS = 1.0
AGAIN_SECONDS = 60.0  # a refused bundle is tried again: a busy machine may only have been too slow to verify it
LOG = structlog.get_logger("tamis.bundles")


class Swapper:
    """The serving bundle of this process, with a periodic check for a newly promoted one."""

    def __init__(self, settings: Settings, serving: Serving, put: Callable[[Serving], None]) -> None:
        """Start with a bundle.

        put: activates another bundle from the next call on; calls under way finish with the one they began with.
        """
        self.serving, self._settings, self._put = serving, settings, put
        self._again = time.monotonic() + AGAIN_SECONDS
        for name, why in serving.refused.items():
            LOG.error("bundle refused", bundle=name, why=why)

    def look(self) -> bool:
        """Load the promoted bundle if it has changed; returns true if it was activated.

        If nothing better than the bundle in memory can be loaded, that one keeps serving in degraded mode.
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
            return False  # tried again without a change
        self.serving = replace(opened, wanted=wanted)
        self._put(self.serving)
        LOG.info("bundle serves", bundle=self.serving.name, model=self.serving.model.model_id)
        return True

    def _best(self) -> Serving:
        """Return the promoted bundle if it loads, else the one in memory, else, if that is revoked, rules alone."""
        revoked = is_revoked(self._settings, self.serving.name)
        try:
            opened = open_serving(self._settings)
        except BundleRefused as fault:
            refused = {"promoted": str(fault)}
            if revoked:
                return replace(self.serving, model=unscored(INPUTS), name=RULES, refused=refused)
            return replace(self.serving, refused=refused)
        if opened.refused and opened.name != self.serving.name and not revoked:
            return replace(self.serving, refused=opened.refused)  # the one in memory was verified before
        return opened
