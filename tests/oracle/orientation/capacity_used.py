"""Tallies: what each office has seen and given out, by hour and band of score; kept with the decisions themselves."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import sqlalchemy as sa

from features.consignment import TIME
from features.fault import Fault
from features.moments import EPOCH
from service.record.record_rows import UNSCORED
from service.store.bulk_rows import rows_by_key, upsert_many
from service.store.database import Store
from service.store.tables import TALLIES
from tests.oracle.orientation import Decisions
from tests.oracle.orientation.capacity import CHECKS
from tests.oracle.orientation.pacing import BANDS

USUAL_DAYS = 28  # before a day: what is usual at an office is learned from these
FADES = 0.5  # what a day's mix of scores counts for against that of the day after it
HOUR = timedelta(hours=1)
PLACE, COUNTS = ("office", "hour", "band"), ("seen", *CHECKS)  # the columns of the table, in their order
SPENT = pl.Schema(
    [
        ("office", pl.String()),
        ("begins", TIME),
        *((kind, pl.Int64()) for kind in CHECKS),
        ("bands", pl.List(pl.Int64)),
        ("hours", pl.List(pl.Int64)),
        ("courses", pl.List(pl.List(pl.Int64))),
        ("usual", pl.List(pl.Float64)),
    ]
)


class Overspent(Fault):
    """Another call has taken checks that this one had counted on; decided once more it takes what is left."""


class Tallies:
    """What a store has counted. What is usual at an office is looked up once a day and remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._usual: dict[tuple[str, int], dict[str, Any]] = {}
        self._lock = threading.Lock()

    def spent(self, periods: pl.DataFrame) -> pl.DataFrame:
        """Of each period (`office`, `begins`, `lasts`) what was given out, what has come, and what is usual: SPENT."""
        wanted = [(office, begins, _hour(begins), lasts) for office, begins, lasts in periods.iter_rows()]
        if not wanted:
            return SPENT.to_frame()
        with self._store.reading() as connection:
            counted = _counted(connection, wanted)
            usual = {office: self._usually(connection, office, first) for office, _, first, _ in wanted}
        rows = []
        for office, begins, first, lasts in wanted:
            own = [row for row in counted.get(office, []) if first <= row[1] < first + lasts]
            bands, hours = [0] * BANDS, [0] * lasts
            for row in own:
                hours[row[1] - first] += row[3]
                if row[2] != UNSCORED:
                    bands[row[2]] += row[3]
            checks = [sum(row[4 + place] for row in own) for place in range(len(CHECKS))]
            rows.append((office, begins, *checks, bands, hours, *usual[office].values()))
        return pl.DataFrame(rows, schema=SPENT, orient="row")

    def _usually(self, connection: sa.Connection, office: str, first: int) -> dict[str, Any]:
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


def _hour(moment: datetime) -> int:
    return (moment - EPOCH) // HOUR


def _counted(
    connection: sa.Connection, wanted: Sequence[tuple[str, datetime, int, int]]
) -> dict[str, list[tuple[Any, ...]]]:
    """By office: office, hour, band, seen, and checks by kind, from the first hour wanted to the last."""
    start, end = min(first for _, _, first, _ in wanted), max(first + lasts for _, _, first, lasts in wanted)
    columns = [TALLIES.c[name] for name in ("office", "hour", "band", *COUNTS)]
    offices = sorted({office for office, *_ in wanted})
    found: dict[str, list[tuple[Any, ...]]] = {}
    for place in range(0, len(offices), 500):
        query = sa.select(*columns).where(
            TALLIES.c.office.in_(offices[place : place + 500]), TALLIES.c.hour >= start, TALLIES.c.hour < end
        )
        for row in connection.execute(query):
            found.setdefault(row[0], []).append(tuple(row))
    return found


def usual_of(connection: sa.Connection, office: str, day: int) -> dict[str, Any]:
    """What is usual at an office before a day: `courses`, each day's arrivals by hour; `usual`, shares of the bands."""
    end = day * 24
    query = sa.select(TALLIES.c.hour, TALLIES.c.band, TALLIES.c.seen).where(
        TALLIES.c.office == office, TALLIES.c.hour >= end - USUAL_DAYS * 24, TALLIES.c.hour < end
    )
    hours, bands, seen = (np.array(column, dtype=np.int64) for column in _columns(connection.execute(query).all()))
    if not seen.sum():
        return {"courses": None, "usual": None}
    courses = [np.bincount(hours[on] % 24, weights=seen[on], minlength=24) for on in _each(hours // 24)]
    scored = bands != UNSCORED
    fresh = seen[scored] * FADES ** (day - 1 - hours[scored] // 24)
    mix = np.bincount(bands[scored], weights=fresh, minlength=BANDS)
    usual = (mix / mix.sum()).round(9).tolist() if mix.sum() else None
    return {"courses": [course.astype(int).tolist() for course in courses], "usual": usual}


def _each(days: npt.NDArray[np.int64]) -> list[npt.NDArray[np.bool_]]:
    return [days == day for day in np.unique(days)]


def _columns(rows: Sequence[Any]) -> tuple[Sequence[int], ...]:
    return tuple(zip(*rows, strict=True)) if rows else ((), (), ())


def taken_of(decisions: Decisions) -> pl.DataFrame:
    """What decisions take from their offices; raises ValueError for some that were not given by a policy."""
    if decisions.taken is None:
        raise ValueError("decisions without what they take cannot be recorded")
    return decisions.taken


def count(connection: sa.Connection, taken: pl.DataFrame) -> None:
    """Count decisions (`office`, `at`, `band`, `check`) in; raise Overspent where they take more than is there.

    taken: also `begins`, `lasts`, and by kind the capacity of the period.
    """
    _refuse_overspent(connection, taken)
    hours = (taken["at"].dt.epoch("s") // 3_600).to_list()
    bands = (UNSCORED if band is None else band for band in taken["band"].to_list())
    counted: dict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for office, hour, band, check in zip(
        taken["office"].to_list(), hours, bands, taken["check"].to_list(), strict=True
    ):
        counted[office, hour, band].update(("seen", check))
    add(connection, [
        {"office": office, "hour": hour, "band": band, **{name: counts[name] for name in COUNTS}}
        for (office, hour, band), counts in counted.items()
    ])  # fmt: skip


def recount(connection: sa.Connection, taken: pl.DataFrame, former: Sequence[dict[str, Any]]) -> None:
    """Count stricter assessments in place of former ones (`office`, `hour`, `band`, `checked`); Overspent as `count`.

    An assessment is no new arrival, and its check is one of the hour that it is given in.
    """
    _refuse_overspent(connection, taken)
    for now, was in zip(taken.iter_rows(named=True), former, strict=True):
        before, after = (was["hour"], was["checked"]), (_hour(now["at"]), now["check"])
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


def _refuse_overspent(connection: sa.Connection, taken: pl.DataFrame) -> None:
    takes = taken.filter(pl.col("check") != "none")
    if takes.is_empty():
        return
    each = takes.group_by("office", "begins", "lasts").agg(
        *((pl.col("check") == kind).sum().alias(f"{kind}_taken") for kind in CHECKS),
        *(pl.col(k).first() for k in CHECKS),
    )
    for row in each.iter_rows(named=True):
        first = _hour(row["begins"])
        query = sa.select(*(sa.func.coalesce(sa.func.sum(TALLIES.c[kind]), 0) for kind in CHECKS)).where(
            TALLIES.c.office == row["office"], TALLIES.c.hour >= first, TALLIES.c.hour < first + row["lasts"]
        )
        given = connection.execute(query).one()
        for kind, gone in zip(CHECKS, given, strict=True):
            if row[f"{kind}_taken"] and gone + row[f"{kind}_taken"] > row[kind]:
                raise Overspent(f"the {kind} checks of {row['office']} are spent")
