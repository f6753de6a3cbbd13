"""The monitoring report: a screen for people, `monitor.json` for machines."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from pipelines import show
from pipelines.monitor.alarms import Alarm
from pipelines.monitor.drift import Reading
from pipelines.monitor.estimates import Estimate
from pipelines.monitor.monitoring import Monitoring
from pipelines.monitor.result_alarms import Inspected

SHOWN_READINGS = 8


def tell(seen: Monitoring) -> None:
    """Print the alarms, the estimates from inspections, and what moved most on the last day."""
    by_rules = f", {seen.by_rules:,} of them by rules without a model" if seen.by_rules else ""
    counts = f"{seen.consignments:,} consignments, {seen.decisions:,} decisions{by_rules}"
    show.heading(f"{seen.first} to {seen.last}: {counts}")
    if not seen.alarms:
        show.line("No alarm.")
    for kind in dict.fromkeys(alarm.kind for alarm in seen.alarms):
        _tell_alarms([alarm for alarm in seen.alarms if alarm.kind == kind])
    _tell_inspected(seen.inspected)
    show.heading(f"What moved most on {seen.last}, of {len(seen.latest)} readings")
    for reading in sorted(seen.latest, key=_excess, reverse=True)[:SHOWN_READINGS]:
        show.line(f"  {reading.meaning}: {_measured(reading)}; {reading.moved}")
    show.heading("Not judged")
    for why in seen.unsaid:
        show.line(f"  {why}")


def _tell_alarms(alarms: Sequence[Alarm]) -> None:
    """Print the alarms of one kind, and once the remedy while any of them rings."""
    for alarm in alarms:
        state = "ALARM" if alarm.ringing else f"until {alarm.until}"
        figures = f"{alarm.measure} {alarm.figure:.3f}, threshold {alarm.threshold:.3f}"
        kind = alarm.kind.replace("_", " ")
        show.line(f"{state}  {kind}: {alarm.what} since {alarm.since}; {figures}; {alarm.moved}")
    if any(alarm.ringing for alarm in alarms):
        show.line(f"       {alarms[0].remedy}")


def _tell_inspected(inspected: Inspected) -> None:
    show.heading(f"From the inspections of what was lodged {inspected.first} to {inspected.last}")
    show.line(f"  prevalence by the random arm: {_share(inspected.prevalence)}")
    show.line(f"  prevalence by all inspections, weighted: {_share(inspected.weighted_prevalence)}")
    for selection, rate in inspected.hit_rates.items():
        show.line(f"  hit rate, selected by {selection}: {_share(rate)}")
    lift = inspected.lift
    if not math.isnan(lift.value):
        show.line(f"  targeting against chance: {lift.value:.1f} times the hits ({lift.low:.1f} to {lift.high:.1f})")
    calibration = inspected.calibration
    if calibration.tried:
        show.line(f"  calibration, random arm: {calibration.promised:.1f} hits promised, {calibration.observed} found")
    show.line(f"  not presented, last days: {_share(inspected.not_presented)}")


def _share(estimate: Estimate) -> str:
    if not estimate.tried:
        return "no results"
    reach = f"{estimate.low:.2%} to {estimate.high:.2%}"
    return f"{estimate.value:.2%} ({reach}; {estimate.hits:,} of {estimate.tried:,})"


def _excess(reading: Reading) -> float:
    return reading.figure / max(reading.threshold, 1e-12)


def _measured(reading: Reading) -> str:
    return f"{reading.measure} {reading.figure:.3f} of {reading.threshold:.3f}"


def write(seen: Monitoring, out: Path) -> Path:
    """Write `monitor.json` atomically, so that it is never read half written."""
    out.mkdir(parents=True, exist_ok=True)
    path, temporary = out / "monitor.json", out / "monitor.json.writing"
    temporary.write_text(json.dumps(_plain(asdict(seen)), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def _plain(value: Any) -> Any:
    """Convert a value to JSON types: days as text, NaN as null."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
