"""Sums of facts over the span before a consignment was lodged: exact at the near edge, by tile at the far one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.history.facts import EVER, FACTS, KEYS, NEVER, Integers
from features.history.tiles import DAY, LONGEST, days_read, far_edge
from tests.oracle.history.totals import HistoryQuery, Totals, TotalsReader

Floats = npt.NDArray[np.float64]
ROWS_PER_PASS = 50_000  # rows read at once: memory is bounded by a chunk, not by the day
MEMBERS = "network_members"  # a list of card entities
NETWORK = "network"  # read as all its cards together: what a card did counts from the day on which it was linked


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
    key = next((key for key in (*(key.name for key in KEYS), NETWORK) if name.startswith(f"{key}_")), None)
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

    frame: `lodged_at` and the `<key>_entity` columns. For every key the positions are found once for each span, and
    all facts are read at them.

    A sender was inspected on 1 and on 3 March, and a finding was made on the 3rd. What became known at the very
    moment of lodging does not count yet; a sender that nothing is known of has nothing, one that is unknown is null.

    >>> from datetime import datetime, timezone
    >>> from features.history.facts import FACT_SCHEMA
    >>> from tests.oracle.history.totals import FactTable
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
    parts = [_read_all(readings, part, history) for part in frame.iter_slices(ROWS_PER_PASS)]
    return pl.concat(parts) if parts else nothing_read(readings, 0)


def nothing_read(readings: Sequence[Reading], rows: int) -> pl.DataFrame:
    """Return the same columns where no history can be read: all unknown."""
    return pl.DataFrame({reading.name: pl.repeat(None, rows, dtype=pl.Float64, eager=True) for reading in readings})


def questions(readings: Sequence[Reading], frame: pl.DataFrame) -> list[HistoryQuery]:
    """Return what `read_windows` will ask of history for a frame of at most ROWS_PER_PASS rows, in its order."""
    return [of_key.asked for of_key in _wanted(readings, frame)]


def _wanted(readings: Sequence[Reading], frame: pl.DataFrame) -> list[_Wanted]:
    lodged_at = frame["lodged_at"].dt.epoch("us").to_numpy().astype(np.int64)
    keys = [key.name for key in KEYS] + [NETWORK]
    return [_Wanted.of(key, readings, frame, lodged_at) for key in keys if any(r.key == key for r in readings)]


def _read_all(readings: Sequence[Reading], frame: pl.DataFrame, history: TotalsReader) -> pl.DataFrame:
    wanted = _wanted(readings, frame)
    answers = history.totals_before([of_key.asked for of_key in wanted])
    columns: dict[str, Floats] = {}
    for of_key, totals in zip(wanted, answers, strict=True):
        columns.update(of_key.columns(totals))
    return pl.DataFrame({reading.name: columns[reading.name] for reading in readings}, nan_to_null=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is read of one key: its readings, where it is known, and the question that answers them.

    starts: where the entities of each row begin in the question; a network has several.
    """

    readings: Sequence[Reading]
    spans: Sequence[int]
    known: npt.NDArray[np.bool_]
    near: Integers
    starts: Integers
    asked: HistoryQuery

    @classmethod
    def of(cls, key: str, readings: Sequence[Reading], frame: pl.DataFrame, lodged_at: Integers) -> _Wanted:
        of_key = [reading for reading in readings if reading.key == key]
        windows = [reading for reading in of_key if isinstance(reading, Window)]
        facts = sorted({window.fact for window in windows}, key=FACTS.index)
        spans = sorted({window.reaches for window in windows if window.reaches is not None})
        entities, count = _entities(frame, key)
        known, near = count > 0, np.repeat(lodged_at, count)
        moments = np.vstack([near, *(far_edge(near, days) for days in spans)])
        starts = np.cumsum(count[known]) - count[known]
        return cls(of_key, spans, known, lodged_at[known], starts, HistoryQuery(entities, moments, facts))

    def columns(self, read: Totals) -> dict[str, Floats]:
        """Return the readings as columns, not a number where the entity is unknown."""
        read = self._brought_together(read)
        columns = {reading.name: np.full(len(self.known), np.nan) for reading in self.readings}
        for reading in self.readings:
            columns[reading.name][self.known] = self._values(reading, read)
        return columns

    def _brought_together(self, read: Totals) -> Totals:
        """Bring the totals of all entities of a row together as those of one."""
        if len(self.starts) == len(self.asked.entities):  # one each
            return read
        amounts = np.add.reduceat(read.amounts, self.starts, axis=1)
        first = np.minimum.reduceat(np.where(read.first == NEVER, EVER, read.first), self.starts)
        return Totals(amounts, np.where(first == EVER, NEVER, first), np.maximum.reduceat(read.last, self.starts))

    def _values(self, reading: Reading, read: Totals) -> Floats:
        if isinstance(reading, Since):
            return _days_since(read.first if reading.edge == "first" else read.last, self.near)
        fact = self.asked.facts.index(reading.fact)
        return _within(read, fact, None if reading.reaches is None else 1 + self.spans.index(reading.reaches))


def _entities(frame: pl.DataFrame, key: str) -> tuple[Integers, Integers]:
    """Return the entities to be asked for, row by row, and how many each row has."""
    if key != NETWORK:
        column = frame[f"{key}_entity"]
        unknown = column.null_count()  # all or nothing in every call of one: what it costs to ask for each is saved
        if unknown == len(column):
            return np.empty(0, np.int64), np.zeros(len(column), np.int64)
        if not unknown:
            return column.to_numpy().astype(np.int64), np.ones(len(column), np.int64)
        return column.drop_nulls().to_numpy().astype(np.int64), column.is_not_null().to_numpy().astype(np.int64)
    if MEMBERS not in frame.columns:  # nobody has been linked
        return np.empty(0, np.int64), np.zeros(frame.height, np.int64)
    count = frame[MEMBERS].list.len().fill_null(0).to_numpy().astype(np.int64)
    return frame[MEMBERS].explode(empty_as_null=False, keep_nulls=False).to_numpy().astype(np.int64), count


def _within(read: Totals, fact: int, edge: int | None) -> Floats:
    """Subtract the total at the far edge from a total; never below nothing, as what is taken back may be older."""
    total = read.amounts[0, :, fact]
    since = total if edge is None else total - read.amounts[edge, :, fact]
    return np.maximum(since, 0).astype(np.float64)


def _days_since(moment: Integers, near: Integers) -> Floats:
    return np.where(moment == NEVER, np.nan, (near - np.where(moment == NEVER, near, moment)) / DAY)
