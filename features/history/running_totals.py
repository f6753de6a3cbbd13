"""Sums of facts from the first on: events added up for each entity, and taken apart again."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

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
    starts = _starts(entities, moments)
    occurs = events.select((pl.col(name) != 0).any() for name in named).row(0) if len(starts) else [False] * len(named)
    totalled = {
        name: _at_once(events[name], order, starts) for name, is_told in zip(named, occurs, strict=True) if is_told
    }
    kept = (
        np.logical_or.reduce([column != 0 for column in totalled.values()])
        if totalled
        else np.zeros(len(starts), np.bool_)
    )
    keys = {"entity": entities[starts[kept]], "known_at": moments[starts[kept]]}
    totals = accumulated(pl.DataFrame({**keys, **{name: column[kept] for name, column in totalled.items()}}))
    nothing = (pl.lit(0, pl.Int64).alias(name) for name in named if name not in totalled)
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
