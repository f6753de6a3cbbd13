"""The shift of an office as its chief sees it: checks given, left and waiting, arrivals, what one more check finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl

from features.algebra import Text
from features.moments import micros
from service.journal import Journal
from service.officers.what_if import ALL, what_if
from service.officers.work_list import Asked, counted
from service.orientation.capacity import CapacityPlan
from service.orientation.periods import CHECKS, Period, Spent, periods_of

HOUR = 3_600_000_000  # in microseconds
FURTHER = (1, 5, 10)  # checks a day more, and as many fewer, of which the worth is told


@dataclass(frozen=True, slots=True)
class Load:
    """One kind of check in a shift: how many can be made, were given, and are left."""

    check: str
    able: int
    given: int

    @property
    def left(self) -> int:
        """How many are left; none where more were given than there are, as officers may ask for more."""
        return max(0, self.able - self.given)


@dataclass(frozen=True, slots=True)
class Shift:
    """The shift of an office at a moment.

    name: of the shift; empty where a day has one. expected: arrivals in it, as the policy says. arrived: by hour of the
    shift, and usual: the mean of the days before; None where they are not counted.
    """

    office: str
    name: str
    begins: int
    hours: int
    loads: tuple[Load, ...]
    expected: int
    arrived: tuple[int, ...] | None
    usual: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class Step:
    """Another number of checks a day, and the findings a day that it brings or loses; each: of one check of them."""

    other: int
    change: float
    each: float


def shifts_now(journal: Journal, plan: CapacityPlan, offices: Sequence[str], at: datetime) -> list[Shift]:
    """Say how the shift of each office stands at a moment."""
    if not offices:
        return []
    moments = np.full(len(offices), micros(at), np.int64)
    periods = periods_of(plan.shifts, plan.zone, Text.of(list(offices)), moments)[0]
    return [_shift(plan, period, spent) for period, spent in zip(periods, journal.spent(periods), strict=True)]


def _shift(plan: CapacityPlan, period: Period, spent: Spent) -> Shift:
    capacity = plan.of(period.office, period.shift).by_kind()
    loads = tuple(Load(check, capacity[check], spent.checks[check]) for check in reversed(CHECKS))
    name = period.shift if len(plan.shifts) > 1 else ""
    arrived = None if spent.hours is None else tuple(spent.hours)
    usual = _usual(spent.usual.courses, period)
    return Shift(period.office, name, period.begins, period.lasts, loads, capacity["expected"], arrived, usual)


def _usual(courses: Sequence[Sequence[int]] | None, period: Period) -> tuple[float, ...] | None:
    """The mean arrivals of the days before, by hour of the period; courses are by hour of the day in UTC."""
    if not courses:
        return None
    by_hour = np.mean(np.asarray(courses, np.float64), axis=0)
    first = period.begins // HOUR
    return tuple(float(by_hour[(first + hour) % len(by_hour)]) for hour in range(period.lasts))


def backlog(journal: Journal, office: str, first: date, last: date) -> Mapping[str, int]:
    """Count by lane what waits at an office for its check."""
    return counted(journal.store, Asked(office, "clearance", first, last))


def worth(record: pl.DataFrame, least_risk: float) -> list[Step]:
    """Say what fewer and more checks a day would change, from a RECORD of one office; raises Fault for an empty one."""
    present = round(int(record["checked"].sum()) / max(1, record["day"].n_unique()))
    others = [present - n for n in reversed(FURTHER) if present > n] + [present + n for n in FURTHER]
    steps = []
    for other in others:
        changed = what_if(record, other, least_risk)
        change = changed.change[ALL].mean / changed.days
        steps.append(Step(other, change, change / (other - present)))
    return steps
