"""Monitoring as a function: evidence in, figures and alarms out, for shift leaders and data scientists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.monitor.alarms import Alarm, alarms_of
from pipelines.monitor.counts import daily_share, volume
from pipelines.monitor.drift import Reading, judge
from pipelines.monitor.result_alarms import Inspected, judge_inspected
from pipelines.monitor.thresholds import Thresholds
from pipelines.monitor.watched_columns import DECIDED, DECLARED_COLUMNS, MISSING, Watched, series_of, without_crowding


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence to judge.

    declared: one row per consignment version, as `watched_columns.declared` gives it.
    volumes: `day`, `consignments`, `rows` accepted and `refused`.
    decided: one row per consignment: `consignment_id`, `day`, `sender`, `risk`, `clearance`, `mode`, `degraded`.
    scored: one row per decision: `consignment_id`, `day`, `sender`, and the model's inputs as it was scored.
    outcomes: OUTCOME_COLUMNS with the `day` of lodging, `selection` and `selection_probability` completed from the
        decision, and its `risk`; null where there is none.
    """

    declared: pl.DataFrame
    volumes: pl.DataFrame
    decided: pl.DataFrame
    scored: pl.DataFrame
    outcomes: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Monitoring:
    """The result for the days from `first` to `last`.

    latest: the reading of every measure on the last day. unsaid: what could not be judged, with the cause.
    """

    first: date
    last: date
    consignments: int
    decisions: int
    by_rules: int
    latest: tuple[Reading, ...]
    inspected: Inspected
    alarms: tuple[Alarm, ...]
    unsaid: tuple[str, ...]

    @property
    def ringing(self) -> tuple[Alarm, ...]:
        """Return the alarms that hold on the last day."""
        return tuple(alarm for alarm in self.alarms if alarm.ringing)


def monitor(evidence: Evidence, first: date, last: date, rules: Thresholds) -> Monitoring:
    """Judge every day from `first` to `last`, each against the days before it in the evidence."""
    days = _days(evidence.volumes, last)
    readings = {
        "inputs": _drift(evidence.declared, DECLARED_COLUMNS, days, first, rules),
        "missing": _drift(evidence.declared, MISSING, days, first, rules),
        "model_inputs": _drift(evidence.scored, _inputs(evidence.scored), days, first, rules),
        "scores": _drift(evidence.decided, DECIDED, days, first, rules),
        "volume": volume(evidence.volumes, days, first, rules.drift, rules.volume),
        "refused": _refused(evidence.volumes, first, last, rules),
        "degraded": _degraded(evidence.decided, first, last, rules),
    }
    inspected = judge_inspected(evidence.outcomes.filter(pl.col("known_at").dt.date() <= last), last, rules)
    patience = (rules.drift.days_in_a_row, rules.drift.calm_days)
    drifting = ("inputs", "missing", "model_inputs", "scores")
    alarms = [
        alarm
        for kind, of_kind in [*readings.items(), *((kind, [r]) for kind, r in inspected.readings.items())]
        for alarm in alarms_of(kind, of_kind, rules.remedies[kind], *(patience if kind in drifting else ()))
    ]
    within = pl.col("day").is_between(first, last)
    return Monitoring(
        first=first,
        last=last,
        consignments=int(evidence.volumes.filter(within)["consignments"].sum()),
        decisions=evidence.decided.filter(within).height,
        by_rules=evidence.decided.filter(within, pl.col("mode") == "rules_only").height,
        latest=tuple(r for of_kind in readings.values() for r in of_kind if r.day == last),
        inspected=inspected,
        alarms=tuple(sorted(alarms, key=lambda alarm: (not alarm.ringing, alarm.rang_on, alarm.what))),
        unsaid=(*_unjudged(readings), *inspected.unsaid, "overrides: no overrides on record"),
    )


def _days(volumes: pl.DataFrame, last: date) -> list[date]:
    """Return every day from the first of the evidence to the last one judged, including those without traffic."""
    start: date = volumes["day"].min() or last  # type: ignore[assignment]
    return [start + timedelta(days=n) for n in range((last - start).days + 1)]


def _drift(
    frame: pl.DataFrame, watched: Sequence[Watched], days: Sequence[date], first: date, rules: Thresholds
) -> list[Reading]:
    even = without_crowding(frame, rules.drift.sender_share)
    return [r for series in series_of(even, days, watched) for r in judge(series, days, first, rules.drift)]


def _inputs(scored: pl.DataFrame) -> list[Watched]:
    """Return every input of the model, as a number."""
    inputs = [name for name in scored.columns if name not in ("consignment_id", "day", "sender")]
    return [Watched(name, f"model input {name}", "number") for name in inputs]


def _refused(volumes: pl.DataFrame, first: date, last: date, rules: Thresholds) -> list[Reading]:
    counts = volumes.filter(pl.col("day") <= last).select(
        "day", pl.col("refused").alias("part"), (pl.col("rows") + pl.col("refused")).alias("whole")
    )
    return daily_share("refused", "rows refused by the gate", counts, first, rules.drift, rules.refused.share)


def _degraded(decided: pl.DataFrame, first: date, last: date, rules: Thresholds) -> list[Reading]:
    counts = decided.filter(pl.col("day") <= last).group_by("day").agg(
        pl.col("degraded").sum().alias("part"), pl.len().alias("whole")
    )  # fmt: skip
    meaning = "decisions without model or history"
    return daily_share("degraded", meaning, counts, first, rules.drift, rules.degraded.share)


def _unjudged(readings: dict[str, list[Reading]]) -> list[str]:
    """List the kinds of readings with too little data."""
    why = {
        "model_inputs": "too few days with decisions on record",
        "scores": "too few days with decisions on record",
        "degraded": "no decisions on record",
        "volume": "too few weeks on record",
    }
    return [
        f"{kind.replace('_', ' ')}: {why.get(kind, 'too few days on record')}"
        for kind, of_kind in readings.items()
        if not of_kind and kind != "refused"
    ]
