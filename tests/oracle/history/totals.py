"""How history is read: running totals of an entity strictly before a moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl
from numba import njit

from features.consignment import Consignments
from features.history.facts import EVER, FACT_SCHEMA, FACTS, LODGED, NEVER, Integers, facts_of


@dataclass(frozen=True, slots=True)
class Totals:
    """What was known of some entities at some moments.

    amounts: moments × asked × facts, the sum of every fact with `known_at` strictly before the moment.
    first, last: for each entity, microseconds of when a version that names it was lodged first and last before the
        first of the moments, NEVER where none was.
    """

    amounts: Integers
    first: Integers
    last: Integers


@dataclass(frozen=True, slots=True)
class HistoryQuery:
    """A question to history: the totals of some facts of each entity (asked), strictly before its moments.

    moments: moments × asked, microseconds UTC; the first of them is the moment that `first` and `last` are told of.
    """

    entities: Integers
    moments: Integers
    facts: Sequence[str] = FACTS


class TotalsReader(Protocol):
    """What totals can be read from."""

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """The answer to each question; all of them see the same state."""
        ...


class HistoryUnavailable(Exception):
    """The past cannot be read now; who decides goes on without it and says so."""


class History(TotalsReader, Protocol):
    """What a desk asks of the store of facts, in memory or durable."""

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """The facts that these consignments are and that this history does not hold yet (FACT_SCHEMA)."""
        ...


def running_totals(events: pl.DataFrame) -> pl.DataFrame:
    """Facts as totals of each entity from its first on, by `entity` and `known_at` (microseconds).

    events: `entity`, `known_at` as a time or in microseconds, any of FACTS, null where nothing: a day's are many, and
        most of their amounts are nothing.
    A moment at which everything comes to nothing is none: so the totals do not tell in what order facts came.
    """
    named = [name for name in events.columns if name in FACTS]
    order = events.select(pl.arg_sort_by("entity", "known_at")).to_series()
    entities, moments = (events[name].gather(order).to_physical().to_numpy() for name in ("entity", "known_at"))
    starts = _starts(entities, moments)
    some = events.select((pl.col(name) != 0).any() for name in named).row(0) if len(starts) else [False] * len(named)
    told = {name: _at_once(events[name], order, starts) for name, is_told in zip(named, some, strict=True) if is_told}
    kept = np.logical_or.reduce([column != 0 for column in told.values()]) if told else np.zeros(len(starts), np.bool_)
    keys = {"entity": entities[starts[kept]], "known_at": moments[starts[kept]]}
    totals = accumulated(pl.DataFrame({**keys, **{name: column[kept] for name, column in told.items()}}))
    nothing = (pl.lit(0, pl.Int64).alias(name) for name in named if name not in told)
    return totals.with_columns(nothing).select("entity", "known_at", *named)


def _at_once(amounts: pl.Series, order: pl.Series, starts: Integers) -> Integers:
    """What one fact comes to at each moment."""
    sums: Integers = np.add.reduceat(amounts.gather(order).fill_null(0).to_numpy().astype(np.int64), starts)
    return sums


def columns_of(running: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """The columns of a frame as arrays; facts that are nothing everywhere are left out."""
    columns = {name: running[name].to_numpy() for name in running.columns}
    return {name: column for name, column in columns.items() if name not in FACTS or column.any()}


def accumulated(events: pl.DataFrame) -> pl.DataFrame:
    """Amounts of sorted events, one a moment, added up for each entity."""
    starts = _starts(events["entity"].to_numpy())
    lengths = np.diff(np.append(starts, events.height))

    def running(name: str) -> pl.Series:
        amounts = events[name].to_numpy().astype(np.int64)
        sums = np.cumsum(amounts)
        return pl.Series(name, sums - np.repeat((sums - amounts)[starts], lengths))

    return events.with_columns(running(name) for name in events.columns if name in FACTS)


def amounts_of(running: pl.DataFrame) -> pl.DataFrame:
    """Running totals, sorted, as the amounts that they are made of."""
    entities = running["entity"].to_numpy()
    follows = np.append(False, entities[1:] == entities[:-1])[: len(entities)]

    def amount(name: str) -> pl.Series:
        sums = running[name].to_numpy().astype(np.int64)
        return pl.Series(name, sums - np.where(follows, np.append(0, sums[:-1])[: len(sums)], 0))

    return running.with_columns(amount(name) for name in running.columns if name in FACTS)


def _starts(*columns: npt.NDArray[Any]) -> Integers:
    """Where each entity of a sorted column starts; of several columns, where any of them changes."""
    changes = np.flatnonzero(np.logical_or.reduce([column[1:] != column[:-1] for column in columns])) + 1
    return np.append(0, changes)[: len(columns[0])].astype(np.int64)


class FactTable:
    """Running totals in sorted columns, in memory or mapped from a file, read by binary search.

    The history of training, of a batch's own earlier lines, and of one segment of a store.
    """

    def __init__(self, facts: pl.DataFrame, *, holds_all: bool = False) -> None:
        """facts: FACT_SCHEMA, in any order; holds_all: those of every consignment that will be asked about are in."""
        self._holds_all = holds_all
        self._from_columns(columns_of(running_totals(facts)))

    @classmethod
    def of_running(cls, running: Mapping[str, npt.NDArray[Any]]) -> FactTable:
        """A table of columns sorted by `entity` and `known_at` (microseconds); any of FACTS lacking are nothing."""
        table = cls.__new__(cls)
        table._holds_all = False
        table._from_columns(running)
        return table

    def _from_columns(self, running: Mapping[str, npt.NDArray[Any]]) -> None:
        self._entities, self._known_at = running["entity"], running["known_at"]
        self._sums = {name: running[name] for name in running if name in FACTS}

    def __len__(self) -> int:
        return len(self._entities)

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """Nothing where the table holds all; else whatever the consignments are."""
        return FACT_SCHEMA.to_frame() if self._holds_all else facts_of(consignments)

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Running totals of each entity strictly before its moments."""
        return [self._answer(question) for question in asked]

    def of_entities(self, entities: Integers) -> FactTable:
        """The part of the table that tells of some entities (ascending, each once), in memory of its own."""
        if not len(self) or not len(entities):
            return FactTable.of_running({"entity": entities[:0], "known_at": entities[:0]})
        start, end = runs_of(self._entities, entities)
        rows = places_of(start, end)
        columns = {"entity": self._entities, "known_at": self._known_at, **self._sums}
        return FactTable.of_running(columns_of(pl.DataFrame({name: of[rows] for name, of in columns.items()})))

    def parts(self, entities: Integers) -> list[FactTable]:
        """What is known of some entities (ascending, each once): as every history that can be handed on in parts."""
        return [self.of_entities(entities)]

    def _answer(self, question: HistoryQuery) -> Totals:
        totals = nothing_known(question)
        if len(self) and len(question.entities):
            order = np.argsort(question.entities, kind="stable")  # neighbours in the question are neighbours in memory
            start, end = runs_of(self._entities, question.entities[order])
            held = start < end
            if held.any():
                self._fill(totals, question, order[held], start[held], end[held])
        return totals

    def _fill(self, totals: Totals, question: HistoryQuery, rows: Integers, start: Integers, end: Integers) -> None:
        for m, moments in enumerate(question.moments[:, rows]):
            place = last_before(self._known_at, start, end, moments)
            known = place >= start
            of, at = rows[known], place[known]
            for f, fact in enumerate(question.facts):
                if fact in self._sums:
                    totals.amounts[m, of, f] = self._sums[fact][at]
            if m == 0 and LODGED in self._sums:
                self._fill_ages(totals, of, start[known], at)

    def _fill_ages(self, totals: Totals, of: Integers, start: Integers, at: Integers) -> None:
        """First and last seen: where the number of versions lodged left nothing, and where it came to what it is."""
        lodged = self._sums[LODGED]
        seen = lodged[at] > 0
        of, start, at = of[seen], start[seen], at[seen]
        totals.first[of] = self._known_at[last_before(lodged, start, at + 1, np.ones_like(at)) + 1]
        totals.last[of] = self._known_at[last_before(lodged, start, at + 1, lodged[at]) + 1]


@njit(cache=True, nogil=True)
def runs_of(column: Integers, entities: Integers) -> tuple[Integers, Integers]:
    """Where the run of each entity begins and ends in an ascending column; begins where it ends where there is none.

    Entities are hashes, spread evenly: where one must stand is a good guess, and the rest of the search stays near it.
    """
    rows = len(column)
    start, end = np.empty(len(entities), np.int64), np.empty(len(entities), np.int64)
    first, span = np.float64(column[0]), np.float64(column[rows - 1]) - np.float64(column[0])
    for asked in range(len(entities)):
        entity = entities[asked]
        share = (np.float64(entity) - first) / span if span > 0 else 0.0
        guess = int(min(max(share, 0.0), 1.0) * (rows - 1))
        low, high, step = guess, guess, 1
        while low > 0 and column[low - 1] >= entity:
            low, step = max(low - step, 0), step * 2
        step = 1
        while high < rows and column[high] < entity:
            high, step = min(high + step, rows), step * 2
        while low < high:
            middle = (low + high) >> 1
            if column[middle] < entity:
                low = middle + 1
            else:
                high = middle
        start[asked] = low
        high, step = low, 1
        while high < rows and column[high] == entity:
            low, high, step = high + 1, min(high + step, rows), step * 2
        while low < high:
            middle = (low + high) >> 1
            if column[middle] == entity:
                low = middle + 1
            else:
                high = middle
        end[asked] = low
    return start, end


def places_of(start: Integers, end: Integers) -> Integers:
    """The places of several runs, one run after another."""
    length = end - start
    first = np.cumsum(length) - length
    places: Integers = np.arange(length.sum(), dtype=np.int64) + np.repeat(start - first, length)
    return places


@njit(cache=True, nogil=True)
def last_before(column: Integers, start: Integers, end: Integers, values: Integers) -> Integers:
    """The last place in [start, end) of each ascending run that is below its value; start - 1 where none is."""
    found = np.empty(len(start), np.int64)
    for run in range(len(start)):
        low, high = start[run], end[run]
        while low < high:
            middle = (low + high) >> 1
            if column[middle] < values[run]:
                low = middle + 1
            else:
                high = middle
        found[run] = low - 1
    return found


def nothing_known(question: HistoryQuery) -> Totals:
    """Totals of entities of which nothing is known."""
    never = np.full(len(question.entities), NEVER, np.int64)
    return Totals(np.zeros((*question.moments.shape, len(question.facts)), np.int64), never, never.copy())


def together(tables: Iterable[TotalsReader], asked: Sequence[HistoryQuery]) -> list[Totals]:
    """The answers of several tables as if their facts lay in one: sums add, the earliest and the latest count."""
    told = [nothing_known(question) for question in asked]
    for table in tables:
        told = [_joined(one, other) for one, other in zip(told, table.totals_before(asked), strict=True)]
    return told


def _joined(one: Totals, other: Totals) -> Totals:
    return Totals(one.amounts + other.amounts, _earlier(one.first, other.first), np.maximum(one.last, other.last))


def first_seen(history: TotalsReader, entities: Integers) -> Integers:
    """The earliest moment that a version named each entity, NEVER where none did."""
    return history.totals_before([HistoryQuery(entities, np.full((1, len(entities)), EVER), ())])[0].first


def _earlier(one: Integers, other: Integers) -> Integers:
    """The earlier of two moments, where NEVER is no moment at all."""
    return np.where(one == NEVER, other, np.where(other == NEVER, one, np.minimum(one, other)))


@dataclass(frozen=True, slots=True)
class Layered:
    """A history read together with facts that are not in it yet: a batch's own earlier lines."""

    below: TotalsReader
    above: FactTable

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Running totals of both."""
        return together((self.below, self.above), asked)

    def unposted(self, consignments: Consignments) -> pl.DataFrame:  # noqa: ARG002 - as every history
        """Nothing: what the history below lacked, the layer above was made of."""
        return FACT_SCHEMA.to_frame()
