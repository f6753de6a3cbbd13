"""The day or shift that a consignment falls into at its office, and what was spent of the capacity of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numba import njit

from features.algebra import Text
from features.moments import EPOCH, iso
from service.orientation.columns import Bools, Floats, Ints
from service.orientation.lanes import Check

CHECKS = tuple(check.name for check in Check if check)
UNKNOWN_OFFICE = "unknown"
MICROSECOND, HOUR = timedelta(microseconds=1), timedelta(hours=1)
QUARTER = 900_000_000  # microseconds; clocks differ by quarters of an hour at the finest
Shifts = tuple[tuple[str, int], ...]


class Period(NamedTuple):
    """One day or shift of an office.

    begins: in microseconds since 1970. lasts: hours.
    """

    office: str
    begins: int
    lasts: int
    shift: str


@dataclass(frozen=True, slots=True, eq=False)
class Usual:
    """What is usual at an office: each day's arrivals by hour, and the shares of the bands of scores; None if unknown.

    It serves for a whole day: what pacing derives from it is kept with it.
    """

    courses: Sequence[Sequence[int]] | None = None
    shares: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Spent:
    """What was given out in one period of an office, what has come, and what is usual there.

    begins: in microseconds since 1970. checks: given, by kind. bands, hours: arrivals by band of their score and by
    hour of the period; None where they are not counted.
    """

    office: str
    begins: int
    checks: Mapping[str, int]
    bands: Sequence[int] | None = None
    hours: Sequence[int] | None = None
    usual: Usual = Usual()

    def as_json(self) -> dict[str, Any]:
        """Return the form that the record keeps; the beginning in ISO 8601."""
        counted = {"bands": self.bands, "hours": self.hours}
        begins = iso(EPOCH + self.begins * MICROSECOND)
        place = {"office": self.office, "begins": begins}
        return {**place, **self.checks, **counted, "courses": self.usual.courses, "usual": self.usual.shares}

    @classmethod
    def read(cls, row: Mapping[str, Any]) -> Spent:
        """Read what the record has kept."""
        begins = (datetime.fromisoformat(row["begins"]) - EPOCH) // MICROSECOND
        usual = Usual(row.get("courses"), row.get("usual"))
        checks = {kind: row[kind] for kind in CHECKS}
        return cls(row["office"], begins, checks, row.get("bands"), row.get("hours"), usual)


@dataclass(frozen=True, slots=True)
class Periods:
    """The periods of consignments.

    each: the periods, each once. capacity: of each, by kind, the checks that can be made, and what is `expected`.
    spent: of each, None where nothing is known to be. of: of each row the place of its period. at: of each row the
    moment whose capacity makes the check. able, left: of each row, by kind, the capacity of its period and what is
    left of it.
    """

    each: Sequence[Period]
    capacity: Sequence[Mapping[str, int]]
    spent: Sequence[Spent | None]
    of: Ints
    at: Ints
    able: Mapping[str, Ints]
    left: Mapping[str, Ints]

    def count(self, flags: Bools) -> Ints:
        """Return for each row how many flags are set in its period."""
        return np.bincount(self.of[flags], minlength=len(self.each))[self.of]

    def sum(self, values: Floats) -> Floats:
        """Return for each row the sum of the values of its period; they are added in their order, by Kahan's method."""
        sums: Floats = sums_by_group(values, self.of, len(self.each))[self.of]
        return sums

    def running(self, flags: Bools, order: Ints) -> Ints:
        """Return for each row how many flags are set in its period up to it, in an order of all rows."""
        place = np.empty(len(order), np.int64)
        if len(self.each) == 1:
            place[order] = np.cumsum(flags[order])
            return place
        by_period = order[np.argsort(self.of[order], kind="stable")]
        running = np.cumsum(flags[by_period])
        size = np.bincount(self.of, minlength=len(self.each))
        before = np.concatenate([[0], running])[np.cumsum(size) - size]
        place[by_period] = running - np.repeat(before, size)
        return place


@njit(cache=True, nogil=True)
def sums_by_group(values: Floats, group: Ints, groups: int) -> Floats:
    """Add up the values of each group in their order, and carry on what each addition lost (Kahan's summation)."""
    sums, lost = np.zeros(groups), np.zeros(groups)
    for row in range(len(values)):
        place = group[row]
        value = values[row] - lost[place]
        total = sums[place] + value
        lost[place] = (total - sums[place]) - value
        sums[place] = total
    return sums


def periods_of(shifts: Shifts, zone: str, office: Text, at: Ints) -> tuple[list[Period], Ints]:
    """Return the periods of offices and moments, in the order of their first rows, and of each row its place."""
    places: dict[Period, int] = {}
    of_cell: dict[tuple[int, int], int] = {}
    codes = []
    for cell in zip(office.codes.tolist(), (at // QUARTER).tolist(), strict=True):
        place = of_cell.get(cell)
        if place is None:
            period = Period(office.words[cell[0]] or UNKNOWN_OFFICE, *shift_at(shifts, zone, cell[1]))
            place = of_cell[cell] = places.setdefault(period, len(places))
        codes.append(place)
    return list(places), np.array(codes, np.int64)


@lru_cache(maxsize=100_000)
def shift_at(shifts: Shifts, zone: str, quarter: int) -> tuple[int, int, str]:
    """Return the shift that lasts in a quarter of an hour since 1970: its beginning in microseconds, hours, name."""
    at = EPOCH + quarter * timedelta(minutes=15)
    starts = [start for _, start in shifts]
    begins = max(moment for hour in (starts[-1] - 24, *starts) if (moment := _moment(at, hour, zone)) <= at)
    end = min(m for hour in (*starts[1:], starts[0] + 24) if (m := _moment(begins, hour, zone)) > begins)
    local = begins.astimezone(ZoneInfo(zone)).hour
    name = next(name for name, start in reversed(shifts) if start <= local)
    return (begins - EPOCH) // MICROSECOND, (end - begins) // HOUR, name


def _moment(of: datetime, hour: int, zone: str) -> datetime:
    """Return the moment of an hour of a moment's local day; an hour that the clock leaves out is an hour later."""
    local = of.astimezone(ZoneInfo(zone))
    midnight = datetime(local.year, local.month, local.day, tzinfo=local.tzinfo)
    return (midnight + hour * HOUR).astimezone(UTC)
