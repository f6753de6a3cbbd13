"""The thresholds of the alarms and the remedy for each, read from `monitor.toml`."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from features.fault import Fault

T = TypeVar("T")


class BadThresholds(Fault):
    """A file of thresholds that cannot be used; the message names the fault."""


@dataclass(frozen=True, slots=True)
class Drift:
    """Settings of the comparison of a day with the days before."""

    reference_days: int
    gap_days: int
    least_days: int
    least_consignments: int
    sender_share: float
    most_levels: int
    spreads: float
    days_in_a_row: int
    settle_days: int
    calm_days: int
    psi: float
    ks: float
    share: float


@dataclass(frozen=True, slots=True)
class Volume:
    """Limits for the number of consignments of a day."""

    factor: float
    least_usual: int


@dataclass(frozen=True, slots=True)
class DailyShare:
    """The limit of a daily share, in points above the usual."""

    share: float


@dataclass(frozen=True, slots=True)
class Estimates:
    """The inspections that count, and the confidence of intervals."""

    span_days: int
    ripe_days: int
    recent_days: int
    confidence: float
    alarm_confidence: float


@dataclass(frozen=True, slots=True)
class Prevalence:
    """The sample size from which a change of the prevalence is judged."""

    least_inspected: int


@dataclass(frozen=True, slots=True)
class HitRate:
    """The lift that targeting must reach over chance."""

    lift: float
    least_inspected: int


@dataclass(frozen=True, slots=True)
class CalibrationRules:
    """The allowed deviation of hits from predicted hits."""

    factor: float
    least_promised: float


@dataclass(frozen=True, slots=True)
class NotPresented:
    """The allowed rise of the share of goods not presented."""

    recent_days: int
    share: float
    least_results: int


@dataclass(frozen=True, slots=True)
class Thresholds:
    """All thresholds of alarms, and the remedy for each."""

    drift: Drift
    volume: Volume
    refused: DailyShare
    degraded: DailyShare
    estimates: Estimates
    prevalence: Prevalence
    hit_rate: HitRate
    calibration: CalibrationRules
    not_presented: NotPresented
    remedies: Mapping[str, str]


KINDS = (
    *("inputs", "missing", "volume", "refused", "degraded", "model_inputs", "scores"),
    *("prevalence", "hit_rate", "calibration", "not_presented"),
)


def load_thresholds(path: Path | None = None) -> Thresholds:
    """Read the shipped thresholds, or those of a file of the same form; raises BadThresholds naming the fault."""
    shipped = resources.files(__package__) / "monitor.toml"
    text = path.read_text(encoding="utf-8") if path else shipped.read_text(encoding="utf-8")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise BadThresholds(f"{path} is no TOML: {problem}") from problem
    remedies = raw.pop("remedies", {})
    if sorted(remedies) != sorted(KINDS):
        raise BadThresholds(f"[remedies] must name exactly: {', '.join(sorted(KINDS))}")
    tables = {name: kind for name, kind in get_type_hints(Thresholds).items() if name != "remedies"}
    if sorted(raw) != sorted(tables):
        raise BadThresholds(f"the tables must be exactly: {', '.join(sorted(tables))}, remedies")
    return Thresholds(**{name: _read(kind, raw[name], name) for name, kind in tables.items()}, remedies=remedies)


def _read(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    """Read a table as its dataclass; a misspelt, missing or invalid threshold is named, never replaced."""
    wanted = get_type_hints(kind)
    invalid = sorted(set(table) ^ {field.name for field in fields(kind)})  # type: ignore[arg-type]
    invalid += [
        name
        for name, value in table.items()
        if name in wanted and (isinstance(value, bool) or not isinstance(value, int | wanted[name]) or value < 0)
    ]
    if invalid:
        raise BadThresholds(f"[{where}] unknown, missing or not a number from 0 on: {', '.join(invalid)}")
    return kind(**table)
