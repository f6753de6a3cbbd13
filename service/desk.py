"""The live desk: the champion bundle with its policy, and the durable store."""

from __future__ import annotations

from datetime import timedelta

from service.bundles import Serving, open_serving
from service.history import StoredHistory
from service.journal import Journal
from service.linking_switch import LinkingSwitch
from service.parties import StoredParties
from service.settings import Settings
from service.store import open_store
from service.targeting import Desk

PATIENCE_MS = 1_000  # a call that cannot write within it is told to come again


def open_desk(settings: Settings, serving: Serving | None = None) -> Desk:
    """Load what serves and open the store; raises BundleRefused where nothing that can be trusted serves."""
    serving = serving or open_serving(settings)
    store = open_store(settings, patience_ms=PATIENCE_MS, grouped=True)
    switch = LinkingSwitch(settings.linking)
    parties, journal = StoredParties(store, switch), Journal(store, switch)
    return Desk(
        parties, StoredHistory(store), serving.model, serving.policy, journal,
        settings.language, serving.lacking, timedelta(hours=settings.lists_hours),
    )  # fmt: skip
