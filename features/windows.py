"""Sums of facts over the span before a consignment was lodged: exact at the near edge, by tile at the far one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.facts import FACTS, KEYS
from features.history import NEVER, History, Integers, Totals

Floats = npt.NDArray[np.float64]
HOUR = 3_600_000_000  # microseconds
DAY = 24 * HOUR


@dataclass(frozen=True, slots=True)
class Window:
    """The sum of `fact` of the consignment's `key` over `days` before it was lodged; without days, ever since.

    The near edge is strict and exact: a fact counts when `known_at < lodged_at`. The far edge is rounded down to
    the hour for spans up to a week and to the day beyond, so that a store needs to keep one total for each tile.
    """

    key: str
    fact: str
    days: int | None = None

    @property
    def name(self) -> str:
        return f"{self.key}_{self.fact}_{'ever' if self.days is None else f'{self.days}d'}"


@dataclass(frozen=True, slots=True)
class Since:
    """Days from the `first` or `last` fact of the consignment's `key` to the moment it was lodged."""

    key: str
    edge: str

    @property
    def name(self) -> str:
        return f"{self.key}_days_since_{self.edge}"


Reading = Window | Since


def reading_of(name: str) -> Reading | None:
    """The reading that a column name such as `consignor_hits_90d` stands for; none where it stands for no reading."""
    key = next((key.name for key in KEYS if name.startswith(f"{key.name}_")), None)
    if key is None:
        return None
    rest = name.removeprefix(f"{key}_")
    if rest in ("days_since_first", "days_since_last"):
        return Since(key, rest.removeprefix("days_since_"))
    fact, _, span = rest.rpartition("_")
    days = span.removesuffix("d")
    if fact not in FACTS or not (span == "ever" or (days.isdigit() and days != span)):
        return None
    return Window(key, fact, None if span == "ever" else int(days))


def far_edge(lodged_at: Integers, days: int) -> Integers:
    """Where a span of `days` starts, rounded down to its tile (microseconds)."""
    tile = HOUR if timedelta(days=days) <= timedelta(days=7) else DAY
    start = lodged_at - days * DAY
    return start - start % tile


def read_windows(readings: Sequence[Reading], frame: pl.DataFrame, history: History) -> pl.DataFrame:
    """One column for each reading, one row for each row of `frame`; null where the entity is unknown.

    frame: `lodged_at` and the `<key>_entity` columns. For every key the positions are found once for each span, and
    all facts are read at them.
    """
    lodged_at = frame["lodged_at"].dt.epoch("us").to_numpy().astype(np.int64)
    columns: dict[str, Floats] = {}
    for key in KEYS:
        of_key = [reading for reading in readings if reading.key == key.name]
        if of_key:
            columns.update(_read_key(of_key, frame[key.column], lodged_at, history))
    return pl.DataFrame({reading.name: columns[reading.name] for reading in readings}).fill_nan(None)


def nothing_read(readings: Sequence[Reading], rows: int) -> pl.DataFrame:
    """The same columns where no history can be read: all unknown."""
    return pl.DataFrame({reading.name: pl.repeat(None, rows, dtype=pl.Float64, eager=True) for reading in readings})


def _read_key(
    readings: Sequence[Reading], entity: pl.Series, lodged_at: Integers, history: History
) -> dict[str, Floats]:
    known = entity.is_not_null().to_numpy()
    entities = entity.drop_nulls().to_numpy().astype(np.int64)
    spans = sorted({w.days for w in readings if isinstance(w, Window) and w.days is not None})
    near = lodged_at[known]
    edges = [near, *(far_edge(near, days) for days in spans)]
    read = history.before(np.tile(entities, len(edges)), np.concatenate(edges))
    at = {edge: slice(i * len(near), (i + 1) * len(near)) for i, edge in enumerate([None, *spans])}
    columns = {reading.name: np.full(len(known), np.nan) for reading in readings}
    for reading in readings:
        columns[reading.name][known] = _values(reading, read, at, near)
    return columns


def _values(reading: Reading, read: Totals, at: dict[int | None, slice], near: Integers) -> Floats:
    if isinstance(reading, Window):
        column = FACTS.index(reading.fact)
        total = read.amounts[at[None], column]
        return (total if reading.days is None else total - read.amounts[at[reading.days], column]).astype(np.float64)
    moment = (read.first if reading.edge == "first" else read.last)[at[None]]
    return np.where(moment == NEVER, np.nan, (near - np.where(moment == NEVER, near, moment)) / DAY)
