"""Sums of facts over the span before a consignment was lodged: exact at the near edge, by tile at the far one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.tables import Table
from features.history.facts import FACTS, NEVER, Integers
from features.history.named_entities import READ_KEYS, NamedEntities, named_by
from features.history.queries import HistoryQuery, KeyQuery, QueryPlan, Sum, Totals
from features.history.tiles import DAY, LONGEST, days_read, far_edge
from features.history.totals import TotalsReader

Floats = npt.NDArray[np.float64]
ROWS_PER_PASS = 50_000  # rows read at once: memory is bounded by a chunk, not by the day


@dataclass(frozen=True, slots=True)
class Window:
    """The sum of `fact` of the consignment's `key` over `days` before it was lodged; without days, ever since.

    The near edge is strict and exact: a fact counts when `known_at < lodged_at`. The far edge is rounded down to
    the hour for spans up to a week and to the day beyond, so that a store needs to keep one total for each tile.
    Results count for three years, to the month: for so long the files of compliant controls are kept.
    """

    key: str
    fact: str
    days: int | None = None

    @property
    def reaches(self) -> int | None:
        """How many days back it reaches; none for ever."""
        return days_read(self.fact, self.days)

    @property
    def name(self) -> str:
        return f"{self.key}_{self.fact}_{'ever' if self.days is None else f'{self.days}d'}"


@dataclass(frozen=True, slots=True)
class Since:
    """Days from when the consignment's `key` was `first` or `last` named to the moment it was lodged."""

    key: str
    edge: str

    @property
    def name(self) -> str:
        return f"{self.key}_days_since_{self.edge}"


Reading = Window | Since


def reading_of(name: str) -> Reading | None:
    """Return the reading that a column name stands for, `<key>_<fact>_<span>`; None where it stands for none.

    >>> reading_of("consignor_hits_90d")
    Window(key='consignor', fact='hits', days=90)
    >>> reading_of("route_value_ever")
    Window(key='route', fact='value', days=None)
    >>> reading_of("shop_days_since_first")
    Since(key='shop', edge='first')
    >>> reading_of("value_per_kg") is None
    True
    """
    key = next((key for key in READ_KEYS if name.startswith(f"{key}_")), None)
    if key is None:
        return None
    rest = name.removeprefix(f"{key}_")
    if rest in ("days_since_first", "days_since_last"):
        return Since(key, rest.removeprefix("days_since_"))
    fact, _, span = rest.rpartition("_")
    days = span.removesuffix("d")
    if fact not in FACTS or not (span == "ever" or (days.isdigit() and days != span)):
        return None
    if span != "ever" and not 1 <= int(days) <= LONGEST:
        return None
    return Window(key, fact, None if span == "ever" else int(days))


def read_windows(readings: Sequence[Reading], frame: pl.DataFrame, history: TotalsReader) -> pl.DataFrame:
    """Read one column for each reading, one row for each row of `frame`; null where the entity is unknown.

    frame: `lodged_at`, the `<key>_entity` columns of the keys that are read, and `network_members` where it was linked.

    A sender was inspected on 1 and on 3 March, and a finding was made on the 3rd. What became known at the very
    moment of lodging does not count yet; a sender that nothing is known of has nothing, one that is unknown is null.

    >>> from datetime import datetime, timezone
    >>> from features.history.facts import FACT_SCHEMA
    >>> from features.history.totals import FactTable
    >>> march = lambda day: datetime(2026, 3, day, tzinfo=timezone.utc)
    >>> fact = lambda day, **amounts: {"entity": 7, "known_at": march(day), **dict.fromkeys(FACTS, 0), **amounts}
    >>> history = FactTable(pl.DataFrame([fact(1, inspected=1), fact(3, inspected=1, hits=1)], schema=FACT_SCHEMA))
    >>> asked = pl.DataFrame({"consignor_entity": [7, 7, 8, None], "lodged_at": [march(3), march(4)] * 2})
    >>> readings = [Window("consignor", "inspected", 90), Window("consignor", "hits", 90)]
    >>> read_windows(readings, asked, history).rows()
    [(1.0, 0.0), (2.0, 1.0), (0.0, 0.0), (None, None)]

    An amendment takes back, when it is lodged, what the version before it stated. Of 20.00 € declared on the 1st and
    amended to 5.00 € on the 3rd, 20.00 is known on the 2nd and 5.00 on the 4th; and a window that holds the amendment
    alone comes to nothing, never below.

    >>> amended = [fact(1, value=2000), fact(3, value=-2000), fact(3, value=500)]
    >>> history = FactTable(pl.DataFrame(amended, schema=FACT_SCHEMA))
    >>> asked = pl.DataFrame({"consignor_entity": [7, 7], "lodged_at": [march(2), march(4)]})
    >>> read_windows([Window("consignor", "value", 90), Window("consignor", "value", 1)], asked, history).rows()
    [(2000.0, 2000.0), (500.0, 0.0)]
    """
    plan = plan_of(tuple(readings))
    named = named_by(Table.of_frame(frame), plan.keys)
    return pl.DataFrame(read_history(plan, _moments(frame), named, history), nan_to_null=True)


def read_history(
    plan: ReadingPlan, lodged_at: Integers, named: NamedEntities, history: TotalsReader
) -> dict[str, Floats]:
    """Read one column for each reading of a plan, one number for each row; NaN where the entity is unknown.

    lodged_at: rows, microseconds UTC; named: the entities of the rows under the keys of the plan, in their order;
        none under `network` where nobody was linked.
    Raises HistoryUnavailable where the history cannot be read now.
    """
    rows = len(lodged_at)
    values, ages = np.empty((len(plan.windows), rows)), np.empty((len(plan.ages), rows))
    for start in range(0, rows, ROWS_PER_PASS):
        part = slice(start, start + ROWS_PER_PASS)
        whole = rows <= ROWS_PER_PASS
        asked = plan.query(lodged_at[part], named if whole else named.between(start, start + ROWS_PER_PASS))
        totals = history.totals_before(asked)
        values[:, part], ages[:, part] = plan.values(asked, totals), plan.days_since(asked, totals)
    columns = [*values, *ages]
    return {name: columns[place] for name, place in plan.places}


def question(readings: Sequence[Reading], frame: pl.DataFrame) -> HistoryQuery:
    """Return what `read_windows` will ask of history for a frame of at most ROWS_PER_PASS rows."""
    plan = plan_of(tuple(readings))
    return plan.query(_moments(frame), named_by(Table.of_frame(frame), plan.keys))


def _moments(frame: pl.DataFrame) -> Integers:
    return frame["lodged_at"].dt.epoch("us").to_numpy().astype(np.int64)


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What some readings ask, worked out once.

    keys: whose entities are asked for; asked: of each of them. spans: days of the far edges, the moments after the near
        one.
    windows: the place of the key of each window; ages: of each age its row of ages, and whether the first is meant.
    places: names of the readings, and where each stands when ages follow windows.
    """

    keys: tuple[str, ...]
    asked: QueryPlan
    spans: tuple[int, ...]
    windows: Integers
    ages: tuple[tuple[int, bool], ...]
    places: tuple[tuple[str, int], ...]

    def query(self, lodged_at: Integers, named: NamedEntities) -> HistoryQuery:
        """Return the query of some rows."""
        moments = np.array([lodged_at, *(far_edge(lodged_at, days) for days in self.spans)])
        return HistoryQuery(self.asked, named.entities, named.keys, named.rows, moments)

    def values(self, asked: HistoryQuery, totals: Totals) -> Floats:
        """Return windows × rows; never below nothing, as what is taken back may be older than the window."""
        values = np.maximum(totals.sums, 0).astype(np.float64)
        known = np.zeros((len(self.keys), values.shape[1]), np.bool_)
        known[asked.keys, asked.rows] = True
        if not known.all():
            values[~known[self.windows]] = np.nan
        return values

    def days_since(self, asked: HistoryQuery, totals: Totals) -> Floats:
        """Return ages × rows."""
        near = asked.moments[0]
        moments = [(totals.first if is_first else totals.last)[place] for place, is_first in self.ages]
        seen = np.array(moments, np.int64).reshape(-1, len(near))
        return np.where(seen == NEVER, np.nan, (near - np.where(seen == NEVER, near, seen)) / DAY)


@lru_cache(maxsize=16)
def plan_of(readings: tuple[Reading, ...]) -> ReadingPlan:
    """Return the plan of some readings."""
    keys = tuple(key for key in READ_KEYS if any(reading.key == key for reading in readings))
    windows = [reading for key in keys for reading in readings if reading.key == key and isinstance(reading, Window)]
    ages = [reading for key in keys for reading in readings if reading.key == key and isinstance(reading, Since)]
    spans = sorted({window.reaches for window in windows if window.reaches is not None})
    aged = list(dict.fromkeys(age.key for age in ages))
    sums = ((key, tuple(_sum(window, spans) for window in windows if window.key == key)) for key in keys)
    place_of = {reading: place for place, reading in enumerate((*windows, *ages))}
    return ReadingPlan(
        keys,
        QueryPlan.of(*(KeyQuery(of_key, key in aged) for key, of_key in sums)),
        tuple(spans),
        np.array([keys.index(window.key) for window in windows], np.int64),
        tuple((aged.index(age.key), age.edge == "first") for age in ages),
        tuple((reading.name, place_of[reading]) for reading in readings),
    )


def _sum(window: Window, spans: Sequence[int]) -> Sum:
    return Sum(window.fact, since=None if window.reaches is None else 1 + spans.index(window.reaches))
