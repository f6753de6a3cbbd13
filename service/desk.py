"""The live desk: the champion bundle with its policy, and the durable store."""

from __future__ import annotations

from features.parties import Unlinked
from service.journal import Journal
from service.orientation import load_policy
from service.scoring import load_bundle
from service.settings import Settings
from service.store import Store, StoredHistory
from service.targeting import Desk


def open_desk(settings: Settings) -> Desk:
    """Load what serves and open the store; raises BundleRefused where nothing that can be trusted serves."""
    model, policy = load_bundle(settings.serving, settings.keys)
    store = Store(settings.store_address)
    return Desk(Unlinked(), StoredHistory(store), model, load_policy(policy), Journal(store), settings.language)
