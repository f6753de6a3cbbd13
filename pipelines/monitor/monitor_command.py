"""`tamis monitor`: gather evidence, judge it, report."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from features.fault import Fault
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.monitor.monitor_evidence import days_needed, gather, last_day
from pipelines.monitor.monitor_report import tell, write
from pipelines.monitor.monitoring import Monitoring, monitor
from pipelines.monitor.thresholds import load_thresholds
from service.journal import Journal
from service.settings import Settings
from service.store.database import open_store

JUDGED_DAYS = 28


class Ringing(Fault):
    """Alarms ring, and the caller asked for an exit code."""


def run(
    settings: Settings, first: date | None, before: date, out: Path | None, thresholds: Path | None = None
) -> Monitoring:
    """Judge the days from `first` (by default the last four weeks) until before `before`; print and write a report."""
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
    """Raise Ringing if alarms ring."""
    if seen.ringing:
        kinds = ", ".join(f"{alarm.kind.replace('_', ' ')} ({alarm.what})" for alarm in seen.ringing)
        count = len(seen.ringing)
        raise Ringing(f"{count} {'alarm rings' if count == 1 else 'alarms ring'} on {seen.last}: {kinds}")
