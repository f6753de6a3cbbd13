"""How history is read: running totals of an entity strictly before a moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import Consignments
from features.facts import FACTS

Integers = npt.NDArray[np.int64]
NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Totals:
    """What was known of some entities at some moments; one element for each (entity, moment) asked.

    amounts: asked × FACTS, the sum of every fact with `known_at` strictly before the moment.
    first, last: microseconds of the earliest and latest fact of the entity before the moment, NEVER where none.
    """

    amounts: Integers
    first: Integers
    last: Integers


class History(Protocol):
    """What a desk asks of the store of facts, in memory or durable."""

    def before(self, entities: Integers, moments: Integers) -> Totals:
        """Running totals of each entity strictly before its moment (microseconds since 1970, UTC)."""
        ...

    def lacks(self, consignments: Consignments) -> Consignments:
        """Those of the consignments whose own facts this history does not hold yet."""
        ...


class FactTable:
    """Facts in memory, sorted once and read by binary search: the history of training, and of a batch's own lines."""

    def __init__(self, facts: pl.DataFrame, *, holds_all: bool = False) -> None:
        """facts: FACT_SCHEMA, in any order; holds_all: those of every consignment that will be asked about are in."""
        self._holds_all = holds_all
        events = (
            facts.select("entity", pl.col("known_at").dt.epoch("us"), *FACTS)
            .group_by("entity", "known_at")
            .sum()
            .sort("entity", "known_at")
        )
        self._from_sorted(events, cumulative=False)

    @classmethod
    def of_running(cls, running: pl.DataFrame) -> FactTable:
        """A table of rows that already hold running totals: entity, known_at (microseconds), FACTS."""
        table = cls.__new__(cls)
        table._holds_all = False
        table._from_sorted(running.sort("entity", "known_at"), cumulative=True)
        return table

    def lacks(self, consignments: Consignments) -> Consignments:
        """None of them where the table holds all; else all of them."""
        return consignments.where(pl.lit(False)) if self._holds_all else consignments

    def _from_sorted(self, events: pl.DataFrame, *, cumulative: bool) -> None:
        self._entities, first = np.unique(events["entity"].to_numpy(), return_index=True)
        self._starts = first.astype(np.int64)
        self._known_at = events["known_at"].to_numpy().astype(np.int64)
        self._times = np.unique(self._known_at)
        amounts = events.select(FACTS).to_numpy().astype(np.int64).reshape(-1, len(FACTS))
        self._sums = amounts if cumulative else self._running(amounts)
        rank = np.repeat(np.arange(len(first)), np.diff(np.append(first, events.height)))
        self._places = rank * (len(self._times) + 1) + np.searchsorted(self._times, self._known_at)

    def _running(self, amounts: Integers) -> Integers:
        """Totals of each entity from its first fact on: sums of everything, less the sum before the entity."""
        sums = np.cumsum(amounts, axis=0)
        base = np.vstack([np.zeros((1, len(FACTS)), np.int64), sums])[self._starts]
        lengths = np.diff(np.append(self._starts, len(amounts)))
        running: Integers = sums - np.repeat(base, lengths, axis=0)
        return running

    def before(self, entities: Integers, moments: Integers) -> Totals:
        """Running totals of each entity strictly before its moment."""
        if not len(self._entities):
            return nothing_known(len(entities))
        rank = np.searchsorted(self._entities, entities)
        rank_in = np.minimum(rank, len(self._entities) - 1)
        place = rank_in * (len(self._times) + 1) + np.searchsorted(self._times, moments)
        found = np.searchsorted(self._places, place) - 1  # the last fact of this or an earlier entity
        start = self._starts[rank_in]
        known = (self._entities[rank_in] == entities) & (found >= start)
        at = np.where(known, found, 0)
        return Totals(
            amounts=np.where(known[:, None], self._sums[at], 0),
            first=np.where(known, self._known_at[np.where(known, start, 0)], NEVER),
            last=np.where(known, self._known_at[at], NEVER),
        )


def nothing_known(asked: int) -> Totals:
    """Totals of entities of which nothing is known."""
    return Totals(
        np.zeros((asked, len(FACTS)), np.int64),
        np.full(asked, NEVER, np.int64),
        np.full(asked, NEVER, np.int64),
    )


@dataclass(frozen=True, slots=True)
class Layered:
    """A history read together with facts that are not in it yet: a batch's own earlier lines."""

    below: History
    above: FactTable

    def before(self, entities: Integers, moments: Integers) -> Totals:
        """Running totals of both."""
        below, above = self.below.before(entities, moments), self.above.before(entities, moments)
        return Totals(
            below.amounts + above.amounts, _earlier(below.first, above.first), np.maximum(below.last, above.last)
        )

    def lacks(self, consignments: Consignments) -> Consignments:
        """What the history below lacks, the layer above was made of."""
        return consignments.where(pl.lit(False))


def _earlier(one: Integers, other: Integers) -> Integers:
    """The earlier of two moments, where NEVER is no moment at all."""
    return np.where(one == NEVER, other, np.where(other == NEVER, one, np.minimum(one, other)))
