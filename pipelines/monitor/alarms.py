"""From readings to alarms: what rings, since when, how far beyond its threshold, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from pipelines.monitor.drift import Reading


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that stood out.

    since: the first day of it; rang_on: the day on which it was sure; until: the last day of it so far.
    moved: what was usual → what was seen. ringing: whether it still holds on the last day judged.
    """

    kind: str
    what: str
    since: date
    rang_on: date
    until: date
    measure: str
    figure: float
    threshold: float
    moved: str
    remedy: str
    ringing: bool


def alarms_of(
    kind: str, readings: Iterable[Reading], remedy: str, days_in_a_row: int = 1, calm_days: int = 0
) -> list[Alarm]:
    """The alarms of one kind: runs of days on which any measure of one series exceeds its threshold.

    Runs with no more than `calm_days` between them are one alarm: what flickers is one cause.
    """
    ordered = sorted(readings, key=lambda r: (r.series, r.day))
    found: list[Alarm] = []
    for _, of_series in groupby(ordered, key=lambda r: r.series):
        days = [max(of_day, key=_excess) for _, of_day in groupby(of_series, key=lambda r: r.day)]
        runs = [run for run in _runs(days) if len(run) >= days_in_a_row]
        sure = days_in_a_row - 1  # the day of a run on which it was one
        found += [_alarm(kind, near, near[0][sure].day, days[-1].day, remedy) for near in _joined(runs, calm_days)]
    return sorted(found, key=lambda alarm: (alarm.rang_on, alarm.what))


def _excess(reading: Reading) -> float:
    return reading.figure / max(reading.threshold, 1e-12)


def _runs(days: Sequence[Reading]) -> list[list[Reading]]:
    return [list(run) for exceeds, run in groupby(days, key=lambda r: r.exceeds) if exceeds]


def _joined(runs: Sequence[list[Reading]], calm_days: int) -> list[list[list[Reading]]]:
    """Runs in groups, each near the one before it."""
    groups: list[list[list[Reading]]] = []
    for run in runs:
        if groups and (run[0].day - groups[-1][-1][-1].day).days <= calm_days:
            groups[-1].append(run)
        else:
            groups.append([run])
    return groups


def _alarm(kind: str, runs: Sequence[list[Reading]], rang_on: date, judged_until: date, remedy: str) -> Alarm:
    last = runs[-1][-1]
    return Alarm(
        kind, last.meaning, runs[0][0].day, rang_on, last.day, last.measure, last.figure, last.threshold, last.moved,
        remedy, last.day == judged_until,
    )  # fmt: skip
