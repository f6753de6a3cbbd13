"""`tamis report --governance`: drafts of the documents that supervision asks for, from the bundle and the record."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from features.fault import Fault
from pipelines import show
from service.oversight.governance_drafts import FOLDER, REGISTER, write_drafts
from service.oversight.governance_facts import facts_of
from service.serving.serving_bundle import open_serving
from service.settings import Settings
from service.store.database import open_store

YEAR = timedelta(days=365)


def run(settings: Settings, first: date | None, before: date, out: Path | None) -> None:
    """Write the drafts about what was lodged from `first` (by default a year) until before `before`."""
    last = before - timedelta(days=1)
    first = first or before - YEAR
    if first > last:
        raise Fault("--from: needs a day before --to")
    serving, store = open_serving(settings), open_store(settings)
    facts = facts_of(settings, store, serving, first, last, before)
    store.close()
    folder = out or settings.reports / FOLDER / last.isoformat()
    left = write_drafts(facts, serving.model.fingerprint, folder)
    for name, places in left.items():
        show.line(f"  {name}: {show.counted(places, 'place')} for a person to fill")
    show.line(f"  {REGISTER}: the fields of the register; what is null is for a person")
    show.line(f"drafts in {folder}; a lawyer and the data protection officer must read them")
