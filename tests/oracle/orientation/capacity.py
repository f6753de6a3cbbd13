"""Capacity: the checks that an office can make in a day or shift, by kind, and how many are left."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from features.consignment import TIME
from tests.oracle.orientation.lanes import Check
from tests.oracle.orientation.policy_sections import PolicyFault, only, section_of, whole

CHECKS = tuple(check.name for check in Check if check)
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

    def begins(self) -> pl.Expr:
        """Return the beginning of the day or shift that `at` falls into, whose capacity makes the check."""
        starts = [start for _, start in self.shifts]
        begun = [self._moment("at", hour) for hour in (starts[-1] - 24, *starts)]  # the last one goes on
        return pl.max_horizontal([pl.when(start <= pl.col("at")).then(start) for start in begun]).alias("begins")

    def shift(self) -> pl.Expr:
        """Return the name of the shift that began at `begins`."""
        hour = pl.col("begins").dt.convert_time_zone(self.zone).dt.hour()
        latest_first = [pl.when(hour >= start).then(pl.lit(name)) for name, start in reversed(self.shifts)]
        return pl.coalesce(latest_first).alias("shift")

    def lasts(self) -> pl.Expr:
        """Return the length of the shift that began at `begins`, in hours."""
        starts = [start for _, start in self.shifts]
        ends = [self._moment("begins", hour) for hour in (*starts[1:], starts[0] + 24)]
        end = pl.min_horizontal([pl.when(end > pl.col("begins")).then(end) for end in ends])
        return (end - pl.col("begins")).dt.total_hours().alias("lasts")

    def _moment(self, of: str, hour: int) -> pl.Expr:
        """Return the moment of an hour of the local day of a column; an hour skipped by the clock is an hour later."""
        day = pl.col(of).dt.convert_time_zone(self.zone).dt.replace_time_zone(None).dt.truncate("1d")
        exact, after = (
            (day + pl.duration(hours=h)).dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
            for h in (hour, hour + 1)
        )
        return pl.coalesce(exact, after).dt.convert_time_zone("UTC").cast(TIME)

    def periods(self, lodged: pl.DataFrame, now: datetime | None = None) -> pl.DataFrame:
        """Return the days or shifts of consignments (`office`, `lodged_at`): office, begins, lasts; each once.

        now: when they are decided again, with the capacity of that day or shift.
        """
        placed = lodged.select(pl.col("office").fill_null("unknown"), at(now))
        begun = placed.select("office", self.begins()).unique(maintain_order=True)
        return begun.with_columns(self.lasts())

    def with_capacity(self, frame: pl.DataFrame, spent: pl.DataFrame) -> pl.DataFrame:
        """Add to a frame with `office` and `begins` the capacity of each office, and what is left: `physical_left`, …

        spent: one row per office and period: `office`, `begins`, and by kind the checks already given.
        """
        periods = frame.select("office", "begins", self.shift()).unique()
        able = [
            (office, begins, *(getattr(self.of(office, shift), kind) for kind in KINDS))
            for office, begins, shift in periods.iter_rows()
        ]
        schema = pl.Schema({"office": pl.String(), "begins": TIME, **dict.fromkeys(KINDS, pl.Int64())})
        capacity = pl.DataFrame(able, schema=schema, orient="row")
        period = ["office", "begins"]
        given = capacity.join(spent, on=period, how="left", maintain_order="left", suffix="_spent")
        left = given.with_columns(
            (pl.col(kind) - pl.col(f"{kind}_spent").fill_null(0)).clip(0).alias(f"{kind}_left") for kind in CHECKS
        )
        return frame.join(left, on=period, how="left", maintain_order="left")


def at(now: datetime | None) -> pl.Expr:
    """Return the moment whose capacity makes a check: the lodging, or the new decision."""
    return (pl.col("lodged_at") if now is None else pl.lit(now, TIME)).alias("at")


def _shifts(written: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """Read names and first hours in order of the hours; one whole day where none is named."""
    begins = {name: whole(written, f"shifts.{name}", None) for name in written}
    for name, hour in begins.items():
        if hour > 23 or list(begins.values()).count(hour) > 1:
            raise PolicyFault(f"shifts.{name}: needs an hour from 0 to 23 that no other shift has")
    return tuple(sorted(begins.items(), key=lambda shift: shift[1])) or BY_DAY


def _zone(name: Any) -> str:
    """Check the name of a time zone; tallies are kept by the hour, so its clock must differ by whole hours."""
    year = pl.datetime_range(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC), "1mo", eager=True)
    local = None
    if isinstance(name, str) and name:
        with suppress(pl.exceptions.PolarsError):
            local = year.dt.convert_time_zone(name)
    if local is None:
        raise PolicyFault('time_zone: needs the name of a time zone, such as "Europe/Paris"')
    if ((local.dt.base_utc_offset() + local.dt.dst_offset()).dt.total_minutes() % 60 != 0).any():
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
