"""How history is read: sums of facts of entities strictly before a moment, from tables in memory, files or a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import Consignments
from features.history.fact_columns import NO_FACTS, Facts
from features.history.facts import EVER, FACTS, LODGED, NEVER, Integers, facts_that_are
from features.history.packed_amounts import PackedAmounts, packed
from features.history.queries import HistoryQuery, Totals, nothing_known
from features.history.running_totals import columns_of, running_totals, totals_of
from features.history.table_scan import runs_of, scan


class TotalsReader(Protocol):
    """What totals can be read from."""

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer to a query, all of it of one state."""
        ...


class HistoryUnavailable(Exception):
    """The past cannot be read now; who decides goes on without it and says so."""


class History(TotalsReader, Protocol):
    """What a desk asks of the store of facts, in memory or durable."""

    def unposted(self, consignments: Consignments) -> Facts:
        """Return the facts that these consignments are and that this history does not hold yet."""
        ...


class FactTable:
    """Running totals sorted by entity and moment, in memory or mapped from a file, read by binary search.

    The history of training, of a batch's own earlier lines, and of one file of a store. Each entity stands once, with
    the row where its moments end: so a guess where its hash must stand is near.
    """

    def __init__(self, facts: pl.DataFrame, *, holds_all: bool = False) -> None:
        """facts: FACT_SCHEMA, in any order; holds_all: those of every consignment that will be asked about are in."""
        running = columns_of(running_totals(facts))
        self._hold(*directory(running["entity"]), running["known_at"], packed(running, len(running["entity"])))
        self._holds_all = holds_all

    @classmethod
    def of(cls, facts: Facts) -> FactTable:
        """Return a table of facts in any order; what else will be asked about is not in it."""
        return cls.of_running(totals_of(facts))

    @classmethod
    def of_running(cls, running: Mapping[str, npt.NDArray[Any]]) -> FactTable:
        """Return a table of columns sorted by `entity` and `known_at` (microseconds); facts that lack are nothing."""
        rows = len(running["entity"])
        return cls.of_packed(*directory(running["entity"]), running["known_at"], packed(running, rows))

    @classmethod
    def of_packed(cls, entities: Integers, ends: Integers, known_at: Integers, amounts: PackedAmounts) -> FactTable:
        """Return a table of sorted moments and their amounts, without copying them.

        entities, ends: each entity once and the row where its moments end; without ends, the entity of each row.
        """
        table = cls.__new__(cls)
        table._hold(entities, ends, known_at, amounts)
        table._holds_all = False
        return table

    def _hold(self, entities: Integers, ends: Integers, known_at: Integers, amounts: PackedAmounts) -> None:
        self._entities, self._ends, self._known_at, self._amounts = entities, ends, known_at, amounts

    def __len__(self) -> int:
        return self._amounts.rows

    def columns(self, low: int = NEVER, high: int = EVER) -> dict[str, npt.NDArray[Any]]:
        """Return `entity`, `known_at` and the facts that are not nothing everywhere, of a range of entities."""
        first = int(np.searchsorted(self._entities, low, "left"))
        last = int(np.searchsorted(self._entities, high, "right"))
        if len(self._ends):
            ends = np.append(0, self._ends[:last])[first:]
            rows, entity = slice(ends[0], ends[-1]), np.repeat(self._entities[first:last], np.diff(ends))
        else:
            rows, entity = slice(first, last), self._entities[first:last]
        amounts = {fact: column[rows] for fact, column in self._amounts.columns().items()}
        return {"entity": entity, "known_at": self._known_at[rows], **amounts}

    def unposted(self, consignments: Consignments) -> Facts:
        """Return nothing where the table holds all; else whatever the consignments are."""
        return NO_FACTS if self._holds_all else facts_that_are(consignments)

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer to a query."""
        return together((self,), asked)

    def add_to(self, totals: Totals, asked: HistoryQuery) -> None:
        """Add what the table holds to the answer to a query."""
        if not len(self):
            return
        amounts = self._amounts
        scan(
            *(self._entities, self._ends, self._known_at, amounts.words, amounts.fields, FACTS.index(LODGED)),
            *(asked.order, asked.entities, asked.keys, asked.rows, asked.moments, asked.plan.keys, asked.plan.sums),
            *(totals.sums, totals.first, totals.last),
        )

    def of_entities(self, entities: Integers, names: Integers | None = None) -> FactTable:
        """Return the part of the table that tells of some entities (each once), in memory of its own.

        names: the entities, ascending, as the part is to know them; without, they ascend as they are asked for.
        """
        if not len(self):
            return self
        start, end = runs_of(self._entities, self._ends, entities)
        rows, named = places_of(start, end), np.repeat(entities if names is None else names, end - start)
        amounts = {fact: column[rows] for fact, column in self._amounts.columns().items()}
        return FactTable.of_running({"entity": named, "known_at": self._known_at[rows], **amounts})

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return what is known of some entities (ascending, each once), as every history that is sent in parts."""
        return [self.of_entities(entities)]


def directory(column: Integers) -> tuple[Integers, Integers]:
    """Return each entity of an ascending column once, and the row where it ends."""
    ends = np.append(np.flatnonzero(column[1:] != column[:-1]) + 1, len(column))[: len(column)]
    return column[ends - 1], ends


def places_of(start: Integers, end: Integers) -> Integers:
    """Return the places of several runs, one run after another."""
    length = end - start
    first = np.cumsum(length) - length
    places: Integers = np.arange(length.sum(), dtype=np.int64) + np.repeat(start - first, length)
    return places


def together(tables: Iterable[FactTable], asked: HistoryQuery) -> Totals:
    """Return the answer of several tables as if their facts lay in one."""
    totals = nothing_known(asked)
    for table in tables:
        table.add_to(totals, asked)
    return totals


def first_seen(history: TotalsReader, entities: Integers) -> Integers:
    """Return the earliest moment that a version named each entity, NEVER where none did."""
    ever = np.full((1, len(entities)), EVER)
    seen: Integers = history.totals_before(HistoryQuery.of_each(entities, ever, ())).first[0]
    return seen


@dataclass(frozen=True, slots=True)
class Layered:
    """A history read together with facts that are not in it yet: a batch's own earlier lines."""

    below: TotalsReader
    above: FactTable

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the totals of both."""
        totals = self.below.totals_before(asked)
        self.above.add_to(totals, asked)
        return totals

    def unposted(self, consignments: Consignments) -> Facts:  # noqa: ARG002 - as every history
        """Return nothing: what the history below lacked, the layer above was made of."""
        return NO_FACTS
