"""The account of a day: what came in, what was asked for, what was done and found, and what went beside the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl
import sqlalchemy as sa

from features.moments import EPOCH
from features.outcome import LABELLED
from service.officers.queue import day_number
from service.record.days_on_record import settled_on
from service.store.database import Store
from service.store.tables import DECISIONS, OUTCOMES, OVERRIDES, TALLIES

CHECKS = ("physical", "scan", "documents", "audit")
DAY = timedelta(days=1) // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class OfficeDay:
    """One office on one day: what was lodged, its lanes as decided, and the checks that were asked for."""

    office: str
    came: int
    lanes: Counter[str]
    asked: Counter[str]


@dataclass(frozen=True, slots=True)
class DayAccount:
    """A day of some offices, by UTC.

    results: entered that day, by result; findings: of those not compliant, by kind. overrides: lanes that officers
    chose that day. degraded: decisions on what was lodged in an hour of the day that lacked something, by hour.
    """

    day: date
    offices: tuple[OfficeDay, ...]
    results: Counter[str]
    findings: Counter[str]
    overrides: Counter[str]
    degraded: Counter[int]

    @property
    def came(self) -> int:
        """How many consignments were lodged."""
        return sum(one.came for one in self.offices)

    @property
    def lanes(self) -> Counter[str]:
        """How many decisions stand, by lane."""
        return sum((one.lanes for one in self.offices), Counter())

    @property
    def asked(self) -> Counter[str]:
        """How many checks were asked for, by kind."""
        return sum((one.asked for one in self.offices), Counter())

    @property
    def done(self) -> int:
        """How many results say whether goods comply."""
        return sum(self.results[result] for result in LABELLED)


def account_of(store: Store, offices: Sequence[str], day: date, seen: Collection[str] | None) -> DayAccount:
    """Draw up the account of a day for some offices.

    seen: of the consignments with results and overrides that day, those to count; None for all.
    """
    results, findings = _results(store, day, seen)
    return DayAccount(
        day, _offices(store, offices, day), results, findings, _overrides(store, day, seen),
        _degraded(store, offices, day),
    )  # fmt: skip


def touched(store: Store, day: date) -> list[str]:
    """The consignments of which a result or an override was entered on a day."""
    with store.reading() as connection:
        numbers: set[str] = set()
        for table, moment in ((OUTCOMES, OUTCOMES.c.known_at), (OVERRIDES, OVERRIDES.c.at)):
            query = sa.select(table.c.consignment_id).where(_within(moment, day))
            numbers.update(connection.execute(query).scalars())
    return sorted(numbers)


def newest_day(store: Store, offices: Sequence[str]) -> date | None:
    """The newest day that anything was lodged at some offices; None where nothing ever was."""
    newest = sa.select(sa.func.max(TALLIES.c.hour)).where(TALLIES.c.office.in_(offices), TALLIES.c.seen > 0)
    with store.reading() as connection:
        hour = connection.execute(newest).scalar()
    return None if hour is None else EPOCH.date() + timedelta(days=int(hour) // 24)


def _within(moment: sa.ColumnElement[int], day: date) -> sa.ColumnElement[bool]:
    return moment.between(day_number(day) * DAY, (day_number(day) + 1) * DAY - 1)


def _offices(store: Store, offices: Sequence[str], day: date) -> tuple[OfficeDay, ...]:
    number = day_number(day)
    sums = [sa.func.sum(TALLIES.c[name]).label(name) for name in ("seen", *CHECKS)]
    hours = TALLIES.c.hour.between(number * 24, number * 24 + 23)
    tallied = sa.select(TALLIES.c.office, *sums).where(hours, TALLIES.c.office.in_(offices)).group_by(TALLIES.c.office)
    lanes = sa.select(DECISIONS.c.office, DECISIONS.c.clearance, sa.func.count()).where(
        DECISIONS.c.office.in_(offices), DECISIONS.c.day == number, DECISIONS.c.stands
    )
    by_office: dict[str, Counter[str]] = {office: Counter() for office in offices}
    with store.reading() as connection:
        for office, lane, count in connection.execute(lanes.group_by(DECISIONS.c.office, DECISIONS.c.clearance)):
            by_office[office][lane] = count
        lanes_settled = pl.Schema({"office": pl.String(), "clearance": pl.String()})
        settled = settled_on(connection, lanes_settled, (number, number))
        for office, lane in settled.filter(pl.col("office").is_in(list(offices))).iter_rows():
            by_office[office][lane] += 1
        rows = connection.execute(tallied.order_by(TALLIES.c.office)).mappings().all()
    return tuple(
        OfficeDay(
            row["office"], int(row["seen"] or 0), by_office[row["office"]],
            Counter({check: int(row[check] or 0) for check in CHECKS}),
        )
        for row in rows
    )  # fmt: skip


def _results(store: Store, day: date, seen: Collection[str] | None) -> tuple[Counter[str], Counter[str]]:
    query = sa.select(OUTCOMES.c.consignment_id, OUTCOMES.c.body).where(_within(OUTCOMES.c.known_at, day))
    results: Counter[str] = Counter()
    findings: Counter[str] = Counter()
    with store.reading() as connection:
        for number, body in connection.execute(query):
            if body and (seen is None or number in seen):
                results[body["result"]] += 1
                findings.update(str(body.get("findings") or "").split(";") if body.get("findings") else ())
    return results, findings


def _overrides(store: Store, day: date, seen: Collection[str] | None) -> Counter[str]:
    query = sa.select(OVERRIDES.c.consignment_id, OVERRIDES.c.clearance).where(_within(OVERRIDES.c.at, day))
    with store.reading() as connection:
        return Counter(lane for number, lane in connection.execute(query) if seen is None or number in seen)


def _degraded(store: Store, offices: Sequence[str], day: date) -> Counter[int]:
    """Count what stands and lacked something, by the hour (UTC) of its lodging."""
    wanting = (DECISIONS.c.mode == "rules_only") & (DECISIONS.c.post_clearance == "reassess")  # for want of a model
    query = sa.select(DECISIONS.c.hour, sa.func.count()).where(
        DECISIONS.c.day == day_number(day), DECISIONS.c.stands, DECISIONS.c.office.in_(offices),
        (DECISIONS.c.mode == "degraded") | wanting,
    )  # fmt: skip
    with store.reading() as connection:
        rows = connection.execute(query.group_by(DECISIONS.c.hour)).all()
    return Counter({int(hour) % 24: int(count) for hour, count in rows})
