"""The live desk: the champion bundle with its policy, and the durable store."""

from __future__ import annotations

from service.history import StoredHistory
from service.journal import Journal
from service.linking_switch import LinkingSwitch
from service.orientation import check_inputs, load_policy
from service.parties import StoredParties
from service.scoring import load_bundle
from service.settings import Settings
from service.store import open_store
from service.targeting import Desk

PATIENCE_MS = 1_000  # a call that cannot write within it is told to come again


def open_desk(settings: Settings) -> Desk:
    """Load what serves and open the store; raises BundleRefused where nothing that can be trusted serves."""
    model, text = load_bundle(settings.serving, settings.keys)
    policy = load_policy(text)
    check_inputs(policy, model.inputs)
    store = open_store(settings, patience_ms=PATIENCE_MS, grouped=True)
    switch = LinkingSwitch(settings.linking)
    parties, journal = StoredParties(store, switch), Journal(store, switch)
    return Desk(parties, StoredHistory(store), model, policy, journal, settings.language)
