"""From readings to alarms: kind, first day, distance from the threshold, and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby

from pipelines.monitor.drift import Reading


@dataclass(frozen=True, slots=True)
class Alarm:
    """A deviation that lasted long enough to be reported.

    what: the meaning of the series. since: its first day; rang_on: the day on which it was certain; until: its last day
    so far. moved: usual → observed. ringing: whether it still holds on the last day judged.
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
    """Return the alarms of one kind: runs of days on which any measure of a series exceeds its threshold.

    Runs with at most `calm_days` between them are one alarm: what flickers has one cause.
    """
    ordered = sorted(readings, key=lambda r: (r.series, r.day))
    alarms: list[Alarm] = []
    for _, of_series in groupby(ordered, key=lambda r: r.series):
        days = [max(of_day, key=_excess) for _, of_day in groupby(of_series, key=lambda r: r.day)]
        runs = [run for run in _runs(days) if len(run) >= days_in_a_row]
        sure = days_in_a_row - 1  # the day of a run on which it was certain
        alarms += [_alarm(kind, near, near[0][sure].day, days[-1].day, remedy) for near in _joined(runs, calm_days)]
    return sorted(alarms, key=lambda alarm: (alarm.rang_on, alarm.what))


def _excess(reading: Reading) -> float:
    return reading.figure / max(reading.threshold, 1e-12)


def _runs(days: Sequence[Reading]) -> list[list[Reading]]:
    return [list(run) for exceeds, run in groupby(days, key=lambda r: r.exceeds) if exceeds]


def _joined(runs: Sequence[list[Reading]], calm_days: int) -> list[list[list[Reading]]]:
    """Group runs that are close to the one before."""
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
