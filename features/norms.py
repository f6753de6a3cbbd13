"""Norms: the usual value of goods by weight and by piece, fitted on the past alone and kept in the bundle.

A norm has a date, `known_from`: it was fitted on lines lodged before that date, and serves rows lodged from it on
until the next. Training and live rows are thus measured in the same way, and no row against its own future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Moments, Numbers, Text, joined
from features.algebra.frames import series_of
from features.compute import with_features
from features.consignment import TIME

MEMORY = timedelta(days=90)
FEWEST = 20  # lines that a norm needs; below that the next wider group of goods is used
NARROWEST_SPREAD = 0.15  # natural logarithms: goods of a single list price must not make every euro an outlier
TO_SPREAD = 1.4826  # makes a median deviation comparable to a standard deviation
MEASURES = {"value_per_kg": "line_value_per_kg_log", "value_per_piece": "line_value_per_piece_log"}
PARTS = ("norm", "spread", "norm_lines")
EVERYTHING = "all"
FITTED = tuple(f"{measure}_{part}" for measure in MEASURES for part in PARTS)
SCHEMA = pl.Schema([("known_from", TIME), ("goods", pl.String()), *((name, pl.Float64()) for name in FITTED)])


def _groups(hs6: Text, origin: Text) -> tuple[Text, ...]:
    """Return groups from narrow to wide: HS6 by origin, HS6, HS4, chapter, everything."""
    everything = Text(np.zeros(len(hs6), np.intp), [EVERYTHING])
    return joined(hs6, origin, "|"), hs6, hs6.each(lambda code: code[:4]), hs6.each(lambda code: code[:2]), everything


@dataclass(frozen=True, slots=True)
class Norms:
    """Fitted norms; table: SCHEMA, one row for each date and group of goods."""

    table: pl.DataFrame
    _dates: Moments = field(init=False, repr=False, compare=False)  # ascending
    _groups: dict[str | None, int] = field(init=False, repr=False, compare=False)  # places in the second index of _rows
    _rows: npt.NDArray[np.int64] = field(init=False, repr=False, compare=False)  # dates + 1 × groups + 1: in _values
    _values: Numbers = field(init=False, repr=False, compare=False)  # rows of the table + 1 × FITTED

    def __post_init__(self) -> None:
        """Arrange the table for look-ups: every call asks it. What is last of each stands for none."""
        known_from = self.table["known_from"].dt.epoch("us").to_numpy()
        goods = Text.of(self.table["goods"].to_list())
        dates = np.unique(known_from)
        rows = np.full((len(dates) + 1, len(goods.words) + 1), self.table.height, np.int64)
        rows[np.searchsorted(dates, known_from), goods.codes] = np.arange(self.table.height)
        values = np.vstack([self.table.select(FITTED).to_numpy(), np.full((1, len(FITTED)), np.nan)])
        object.__setattr__(self, "_dates", dates)
        object.__setattr__(self, "_groups", {group: place for place, group in enumerate(goods.words)})
        object.__setattr__(self, "_rows", rows)
        object.__setattr__(self, "_values", values.astype(np.float64))

    def attach(self, hs6: Text, origin: Text, lodged_at: Moments) -> dict[str, Numbers]:
        """Return for each goods line the FITTED columns of the narrowest group that is known."""
        date = np.searchsorted(self._dates, lodged_at, side="right") - 1
        groups = [
            np.array([self._groups.get(word, -1) for word in group.words], np.int64)[group.codes]
            for group in _groups(hs6, origin)
        ]
        levels = self._values[self._rows[date, np.array(groups)]]
        narrowest = np.argmax(~np.isnan(levels), axis=0)  # lines × FITTED
        lines, fitted = np.arange(len(narrowest))[:, None], np.arange(len(FITTED))
        values = np.ascontiguousarray(levels[narrowest, lines, fitted].T)
        return dict(zip(FITTED, values, strict=True))


def fit_norms(goods: pl.DataFrame, dates: Sequence[datetime]) -> Norms:
    """Fit norms for each date on the lines (GOODS_COLUMNS, `line_value_eur`, `lodged_at`) of the 90 days before it."""
    lines = with_features(goods, ("hs6", *MEASURES.values()), "of_line")
    fitted = [
        _fit(lines.filter(pl.col("lodged_at").is_between(date - MEMORY, date, closed="left")), date) for date in dates
    ]
    return Norms(pl.concat([SCHEMA.to_frame(), *fitted]))


def _fit(lines: pl.DataFrame, date: datetime) -> pl.DataFrame:
    hs6, origin = (Text.of(lines[name].to_list()) for name in ("hs6", "goods_origin_country"))
    levels = [_fit_level(lines.with_columns(series_of(group, "goods"))) for group in _groups(hs6, origin)]
    table = pl.concat(levels).with_columns(pl.lit(date).cast(TIME).alias("known_from"))
    return table.match_to_schema(SCHEMA).sort("goods")


def _fit_level(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.filter(pl.col("goods").is_not_null())
        .group_by("goods")
        .agg(expression for measure, column in MEASURES.items() for expression in _norm(measure, pl.col(column)))
        .with_columns(
            pl.when(pl.col(f"{measure}_norm_lines") >= FEWEST).then(pl.col(f"{measure}_{part}")).name.keep()
            for measure in MEASURES
            for part in PARTS
        )
        .filter(pl.any_horizontal(pl.col(FITTED).is_not_null()))
    )


def _norm(measure: str, value: pl.Expr) -> list[pl.Expr]:
    centre = value.median()
    return [
        centre.alias(f"{measure}_norm"),
        ((value - centre).abs().median() * TO_SPREAD).clip(NARROWEST_SPREAD).alias(f"{measure}_spread"),
        value.count().cast(pl.Float64).alias(f"{measure}_norm_lines"),
    ]
