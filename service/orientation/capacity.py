"""Capacity: the checks that an office can make in a day or shift, by kind, and how many are left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from features.moments import EPOCH
from service.orientation.columns import Ints, Known
from service.orientation.periods import CHECKS, MICROSECOND, Period, Periods, Spent, periods_of
from service.orientation.policy_sections import PolicyFault, only, section_of, whole

KINDS = (*CHECKS, "expected")
BY_DAY = (("day", 0),)


@dataclass(frozen=True, slots=True)
class Capacity:
    """Checks that one office can make in one day or shift, by kind, and the consignments it expects in that time."""

    physical: int
    scan: int
    documents: int
    audit: int
    expected: int

    def by_kind(self) -> dict[str, int]:
        """Return the numbers by kind."""
        return {"physical": self.physical, "scan": self.scan, "documents": self.documents, "audit": self.audit,
                "expected": self.expected}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CapacityPlan:
    """The checks that each office can make in each shift.

    offices: by name of the office; others have the default.
    of_shift: by office (`default` for offices without an entry) and shift; others have the capacity of the office.
    shifts: name and hour of the day at which each begins, in order; the last one lasts until the first begins.
    zone: time zone of days and hours; at a change of the clock a shift is an hour shorter or longer.
    """

    default: Capacity
    offices: Mapping[str, Capacity]
    of_shift: Mapping[tuple[str, str], Capacity]
    shifts: tuple[tuple[str, int], ...] = BY_DAY
    zone: str = "UTC"

    def of(self, office: str, shift: str) -> Capacity:
        """Return the checks of an office in a shift."""
        known = self.offices.get(office, self.default)
        owner = office if office in self.offices else "default"
        return self.of_shift.get((owner, shift), known)

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> CapacityPlan:
        """Read `capacity`, `shifts` and `time_zone` of a policy; an office or a shift states only what differs."""
        capacity = dict(section_of(written, "capacity"))
        shifts = _shifts(section_of(written, "shifts"))
        names = tuple(name for name, _ in shifts) if shifts != BY_DAY else ()
        whole_day, of_shift = _office(capacity.pop("default", None), "default", None, names)
        offices: dict[str, Capacity] = {}
        for office, kinds in capacity.items():
            offices[office], office_shifts = _office(kinds, office, whole_day, names)
            of_shift |= office_shifts
        return cls(whole_day, offices, of_shift, shifts, _zone(written.get("time_zone", "UTC")))

    def periods(self, known: Known, now: datetime | None = None) -> list[Period]:
        """Return the days or shifts of consignments (`office`, `lodged_at`), each once.

        now: when they are decided again, with the capacity of that day or shift.
        """
        return periods_of(self.shifts, self.zone, known.text("office"), at(known, now))[0]

    def with_capacity(self, known: Known, spent: Sequence[Spent], now: datetime | None = None) -> Periods:
        """Return the periods of consignments with the capacity of each, and what is left of it. now: see `periods`."""
        moments = at(known, now)
        each, of = periods_of(self.shifts, self.zone, known.text("office"), moments)
        of_period = {(row.office, row.begins): row for row in spent}
        gone = [of_period.get((period.office, period.begins)) for period in each]
        able = [self.of(period.office, period.shift).by_kind() for period in each]
        hands = {kind: np.array([capacity[kind] for capacity in able], np.int64) for kind in KINDS}
        given = {kind: np.array([row.checks[kind] if row else 0 for row in gone], np.int64) for kind in CHECKS}
        left = {kind: np.maximum(hands[kind] - given[kind], 0)[of] for kind in CHECKS}
        return Periods(each, able, gone, of, moments, {kind: hands[kind][of] for kind in KINDS}, left)


def at(known: Known, now: datetime | None) -> Ints:
    """Return the moments whose capacity makes a check: the lodging, or the new decision."""
    return known.moments("lodged_at") if now is None else np.full(len(known), (now - EPOCH) // MICROSECOND)


def _shifts(written: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Read names and first hours in order of the hours; one whole day where none is named."""
    begins = {name: whole(written, f"shifts.{name}", None) for name in written}
    for name, hour in begins.items():
        if hour > 23 or list(begins.values()).count(hour) > 1:
            raise PolicyFault(f"shifts.{name}: needs an hour from 0 to 23 that no other shift has")
    return tuple(sorted(begins.items(), key=lambda shift: shift[1])) or BY_DAY


def _zone(name: Any) -> str:
    """Check the name of a time zone; tallies are kept by the hour, so its clock must differ by whole hours."""
    try:
        clock = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError) as fault:
        raise PolicyFault('time_zone: needs the name of a time zone, such as "Europe/Paris"') from fault
    offsets = [datetime(2026, month, 1, tzinfo=clock).utcoffset() or timedelta() for month in range(1, 13)]
    if any(offset % timedelta(hours=1) for offset in offsets):
        raise PolicyFault("time_zone: needs one whose clock differs from UTC by whole hours")
    return str(name)


def _office(
    written: Any, office: str, default: Capacity | None, shifts: tuple[str, ...]
) -> tuple[Capacity, dict[tuple[str, str], Capacity]]:
    """Read the capacity of an office, and that of its shifts where they differ."""
    where = f"capacity.{office}"
    if not isinstance(written, Mapping):
        raise PolicyFault(f"{where}: needs physical, documents, audit and expected")
    only(written, {*KINDS, *shifts}, where)
    capacity = _kinds(written, where, default)
    each = {name: section_of(written, name) for name in shifts if name in written}
    for name, section in each.items():
        only(section, KINDS, f"{where}.{name}")
    return capacity, {(office, name): _kinds(section, f"{where}.{name}", capacity) for name, section in each.items()}


def _kinds(written: Mapping[str, Any], where: str, default: Capacity | None) -> Capacity:
    usual = {kind: 0 if kind == "scan" and default is None else getattr(default, kind, None) for kind in KINDS}
    return Capacity(**{kind: whole(written, f"{where}.{kind}", usual[kind]) for kind in KINDS})
