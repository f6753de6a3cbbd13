"""Sums of facts from the first on: events added up for each entity, and taken apart again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.history.fact_columns import Facts
from features.history.facts import FACTS, Integers


def running_totals(events: pl.DataFrame) -> pl.DataFrame:
    """Facts as totals of each entity from its first on, by `entity` and `known_at` (microseconds).

    events: `entity`, `known_at` as a time or in microseconds, any of FACTS, null where nothing: a day's are many, and
        most of their amounts are nothing.
    A moment at which everything comes to nothing is none: so the totals do not tell in what order facts came.
    """
    named = [name for name in events.columns if name in FACTS]
    order = events.select(pl.arg_sort_by("entity", "known_at")).to_series()
    entities, moments = (events[name].gather(order).to_physical().to_numpy() for name in ("entity", "known_at"))
    occurs = events.select((pl.col(name) != 0).any() for name in named).row(0) if len(order) else [False] * len(named)
    occurring = [name for name, occurred in zip(named, occurs, strict=True) if occurred]
    amounts = ((name, events[name].gather(order).fill_null(0).to_numpy().astype(np.int64)) for name in occurring)
    totals = pl.DataFrame(_added_up(entities, moments, amounts))
    nothing = (pl.lit(0, pl.Int64).alias(name) for name in named if name not in occurring)
    return totals.with_columns(nothing).select("entity", "known_at", *named)


def totals_of(facts: Facts) -> dict[str, npt.NDArray[Any]]:
    """The same as `running_totals` of facts, as columns; those that are nothing everywhere are left out."""
    order = np.lexsort((facts.known_at, facts.entity))
    amounts = ((name, amounts[order]) for name, amounts in facts.amounts.items() if amounts.any())
    return _added_up(facts.entity[order], facts.known_at[order], amounts)


def _added_up(
    entities: Integers, moments: Integers, amounts: Iterable[tuple[str, Integers]]
) -> dict[str, npt.NDArray[Any]]:
    """Return `entity`, `known_at` and totals of sorted facts; amounts: of each fact, taken up one after the other."""
    starts = _starts(entities, moments)
    if not len(starts):
        return {"entity": entities, "known_at": moments, **dict(amounts)}
    at_once: dict[str, Integers] = {name: np.add.reduceat(column, starts) for name, column in amounts}
    kept = np.zeros(len(starts), np.bool_)
    for column in at_once.values():
        kept |= column != 0
    keys = {"entity": entities[starts[kept]], "known_at": moments[starts[kept]]}
    return {**keys, **_accumulated(keys["entity"], {name: column[kept] for name, column in at_once.items()})}


def columns_of(running: pl.DataFrame) -> dict[str, npt.NDArray[Any]]:
    """The columns of a frame as arrays; facts that are nothing everywhere are left out."""
    columns = {name: running[name].to_numpy() for name in running.columns}
    return {name: column for name, column in columns.items() if name not in FACTS or column.any()}


def _accumulated(entities: Integers, amounts: dict[str, Integers]) -> dict[str, Integers]:
    """Amounts of sorted entities, one a moment, added up for each."""
    starts = _starts(entities)
    lengths = np.diff(np.append(starts, len(entities)))

    def running(column: Integers) -> Integers:
        sums = np.cumsum(column)
        totals: Integers = sums - np.repeat((sums - column)[starts], lengths)
        return totals

    return {name: running(column) for name, column in amounts.items()}


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
