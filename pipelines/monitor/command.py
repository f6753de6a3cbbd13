"""`tamis monitor`: gather, judge, tell."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from features.fault import Fault
from pipelines import show
from pipelines.archive import Archive
from pipelines.monitor.gathering import days_needed, gather, last_day
from pipelines.monitor.monitoring import Monitoring, monitor
from pipelines.monitor.telling import tell, write
from pipelines.monitor.thresholds import load_thresholds
from pipelines.sweep import sweep
from service.journal import Journal
from service.settings import Settings
from service.store import open_store

JUDGED_DAYS = 28


class Ringing(Fault):
    """Alarms ring, and the caller asked to be told by the exit code."""


def run(
    settings: Settings, first: date | None, before: date, out: Path | None, thresholds: Path | None = None
) -> Monitoring:
    """Judge the days from `first` (by default the last four weeks) until before `before`; tell and write the report."""
    rules, archive = load_thresholds(thresholds), Archive(settings.archive)
    store = open_store(settings)
    journal = Journal(store)
    sweep(journal, archive)
    last = last_day(archive, before)
    first = first or last - timedelta(days=JUDGED_DAYS - 1)
    days = days_needed(archive, first, last, rules)
    with show.progress("days", len(days)) as advance:
        evidence = gather(archive, journal, settings.home / "quarantine", days, advance)
    store.close()
    seen = monitor(evidence, max(first, days[0]), last, rules)
    tell(seen)
    show.line(f"\nwritten to {write(seen, out or settings.reports / 'monitor' / last.isoformat())}")
    return seen


def insist(seen: Monitoring) -> None:
    """Raise when alarms ring."""
    if seen.ringing:
        what = ", ".join(f"{alarm.kind.replace('_', ' ')} ({alarm.what})" for alarm in seen.ringing)
        count = len(seen.ringing)
        raise Ringing(f"{count} {'alarm rings' if count == 1 else 'alarms ring'} on {seen.last}: {what}")
