"""Tallies: what each office has seen and given out, by hour and band of score; kept with the decisions themselves."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from features.fault import Fault
from service.orientation import Decisions
from service.orientation.pacing import BANDS
from service.orientation.periods import CHECKS, Period, Spent, Usual
from service.orientation.taken import HOUR, Taken
from service.store.database import Store
from service.store.tables import TALLIES
from tests.oracle.record.bulk_rows import rows_by_key, upsert_many
from tests.oracle.record.record_rows import UNSCORED

USUAL_DAYS = 28  # before a day: what is usual at an office is learned from these
FADES = 0.5  # what a day's mix of scores counts for against that of the day after it
PLACE, COUNTS = ("office", "hour", "band"), ("seen", *CHECKS)  # the columns of the table, in their order
NOTHING_GIVEN = dict.fromkeys(CHECKS, 0)
COUNTED = sa.text(
    f"SELECT hour, band, {', '.join(COUNTS)} FROM tallies WHERE office = :office AND hour >= :first AND hour < :last"
)


class Overspent(Fault):
    """Another call has taken checks that this one had counted on; decided once more it takes what is left."""


class Tallies:
    """What a store has counted. What is usual at an office is looked up once a day and remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._usual: dict[tuple[str, int], Usual] = {}
        self._lock = threading.Lock()

    def spent(self, periods: Sequence[Period]) -> list[Spent]:
        """Return of each period what was given out, what has come, and what is usual at its office."""
        if not periods:
            return []
        with self._store.reading() as connection:
            return [
                _spent(connection, period, self._usually(connection, period.office, period.begins // HOUR))
                for period in periods
            ]

    def _usually(self, connection: sa.Connection, office: str, first: int) -> Usual:
        day = first // 24
        with self._lock:
            known = self._usual.get((office, day))
        if known is None:
            known = usual_of(connection, office, day)
            with self._lock:
                if len(self._usual) > 10_000:
                    self._usual.clear()
                self._usual[office, day] = known
        return known


def _spent(connection: sa.Connection, period: Period, usual: Usual) -> Spent:
    """Add up the tallies of a period by kind of check, by band and by hour."""
    first = period.begins // HOUR
    within = {"office": period.office, "first": first, "last": first + period.lasts}
    counted = connection.execute(COUNTED, within).all()
    if not counted:
        return Spent(period.office, period.begins, NOTHING_GIVEN, [0] * BANDS, [0] * period.lasts, usual)
    hours, bands, seen, *given = (np.array(column, dtype=np.int64) for column in zip(*counted, strict=True))
    scored = bands != UNSCORED
    by_band = np.bincount(bands[scored], seen[scored], BANDS)
    by_hour = np.bincount(hours - first, seen, period.lasts)
    checks = {kind: int(counts.sum()) for kind, counts in zip(CHECKS, given, strict=True)}
    return Spent(period.office, period.begins, checks, _whole(by_band), _whole(by_hour), usual)


def _whole(sums: npt.NDArray[Any]) -> list[int]:
    whole: list[int] = sums.astype(np.int64).tolist()
    return whole


def usual_of(connection: sa.Connection, office: str, day: int) -> Usual:
    """Return what is usual at an office before a day."""
    end = day * 24
    query = sa.select(TALLIES.c.hour, TALLIES.c.band, TALLIES.c.seen).where(
        TALLIES.c.office == office, TALLIES.c.hour >= end - USUAL_DAYS * 24, TALLIES.c.hour < end
    )
    hours, bands, seen = (np.array(column, dtype=np.int64) for column in _columns(connection.execute(query).all()))
    if not seen.sum():
        return Usual()
    courses = [np.bincount(hours[on] % 24, weights=seen[on], minlength=24) for on in _each(hours // 24)]
    scored = bands != UNSCORED
    fresh = seen[scored] * FADES ** (day - 1 - hours[scored] // 24)
    mix = np.bincount(bands[scored], weights=fresh, minlength=BANDS)
    shares = (mix / mix.sum()).round(9).tolist() if mix.sum() else None
    return Usual([course.astype(int).tolist() for course in courses], shares)


def _each(days: npt.NDArray[np.int64]) -> list[npt.NDArray[np.bool_]]:
    return [days == day for day in np.unique(days)]


def _columns(rows: Sequence[Any]) -> tuple[Sequence[int], ...]:
    return tuple(zip(*rows, strict=True)) if rows else ((), (), ())


def taken_of(decisions: Decisions) -> Taken:
    """What decisions take from their offices; raises ValueError for some that were not given by a policy."""
    if decisions.taken is None:
        raise ValueError("decisions without what they take cannot be recorded")
    return decisions.taken


def count(connection: sa.Connection, taken: Taken) -> None:
    """Count decisions in; raise Overspent where they take more than is there."""
    _refuse_overspent(connection, taken)
    counted: dict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for *place, check in zip(taken.offices(), taken.hours(), taken.band.tolist(), taken.checks(), strict=True):
        counted[tuple(place)].update(("seen", check))
    add(connection, [
        {"office": office, "hour": hour, "band": band, **{name: counts[name] for name in COUNTS}}
        for (office, hour, band), counts in counted.items()
    ])  # fmt: skip


def recount(connection: sa.Connection, taken: Taken, former: Sequence[dict[str, Any]]) -> None:
    """Count stricter assessments in place of former ones (`office`, `hour`, `band`, `checked`); Overspent as `count`.

    An assessment is no new arrival, and its check is one of the hour that it is given in.
    """
    _refuse_overspent(connection, taken)
    for after, was in zip(zip(taken.hours(), taken.checks(), strict=True), former, strict=True):
        before = (was["hour"], was["checked"])
        move(connection, was["office"], was["band"], before, after)


def move(connection: sa.Connection, office: str, band: int, before: tuple[int, str], after: tuple[int, str]) -> None:
    """Count another check of a consignment, in another hour: each an hour since 1970 and the name of a check."""
    for (hour, check), change in ((before, -1), (after, 1)):
        counts = {"seen": 0, **{kind: change * (check == kind) for kind in CHECKS}}
        add(connection, [{"office": office, "band": band, "hour": hour, **counts}])


def add(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add to the tallies: `office`, `hour`, `band`, each once, `seen` and checks by kind, which may be negative."""
    keys = [tuple(row[name] for name in PLACE) for row in rows]
    before = rows_by_key(connection, TALLIES, keys)
    nothing = (0,) * len(COUNTS)
    summed = []
    for key, row in zip(keys, rows, strict=True):
        counts = before.get(key, key + nothing)[len(PLACE) :]
        sums = {name: row[name] + old for name, old in zip(COUNTS, counts, strict=True)}
        summed.append(dict(zip(PLACE, key, strict=True)) | sums)
    upsert_many(connection, TALLIES, summed, before)


def _refuse_overspent(connection: sa.Connection, taken: Taken) -> None:
    for period, able, takes in taken.by_period():
        first = period.begins // HOUR
        query = sa.select(*(sa.func.coalesce(sa.func.sum(TALLIES.c[kind]), 0) for kind in CHECKS)).where(
            TALLIES.c.office == period.office, TALLIES.c.hour >= first, TALLIES.c.hour < first + period.lasts
        )
        given = connection.execute(query).one()
        for kind, gone in zip(CHECKS, given, strict=True):
            if takes[kind] and gone + takes[kind] > able[kind]:
                raise Overspent(f"the {kind} checks of {period.office} are spent")
