"""The monitored columns, and their histograms of each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from features.consignment import Consignments
from features.hs_codes import hs_plain
from pipelines.monitor.drift import Kind, Series

GRID = 256  # bins of the fine grid on which numbers are counted


@dataclass(frozen=True, slots=True)
class Watched:
    """A monitored column: its name, meaning and kind of histogram."""

    name: str
    meaning: str
    kind: Kind


DECLARED_COLUMNS = (
    Watched("value_eur", "declared value in euro", "number"),
    Watched("gross_mass_kg", "gross mass", "number"),
    Watched("value_per_kg", "declared value by kilogram", "number"),
    Watched("pieces", "pieces", "number"),
    Watched("lines", "goods lines", "number"),
    Watched("wording_length", "length of the wording", "number"),
    Watched("hour", "hour of lodging", "number"),
    Watched("stream", "postal or express", "level"),
    Watched("nature", "nature of the transaction", "level"),
    Watched("dispatch_country", "country of dispatch", "level"),
    Watched("office", "customs office", "level"),
    Watched("operator", "carrier or postal operator", "level"),
    Watched("hs_chapter", "HS chapter of the first line", "level"),
    Watched("currency", "currency of the first line", "level"),
    Watched("platform", "marketplace", "level"),
)
# Elements whose absence is counted: those required before arrival, and those that identify the sender.
ELEMENTS = (
    *("consignor_name", "consignor_address", "consignor_phone", "consignor_email", "consignee_name"),
    *("consignee_address", "gross_mass_kg", "dispatch_country", "hs_code", "value", "goods_origin_country"),
)
MISSING = tuple(Watched(f"no_{name}", f"consignments without {name}", "share") for name in ELEMENTS)
DECIDED = (
    Watched("risk", "risk given", "number"),
    Watched("clearance", "lane given", "level"),
)


def declared(consignments: Consignments) -> pl.DataFrame:
    """Return one row per consignment version: its number, day, and every column of DECLARED_COLUMNS and MISSING."""
    first = consignments.goods.unique("row", keep="first", maintain_order=True)
    missing = consignments.goods.group_by("row").agg(
        *(pl.col(name).is_null().any().alias(f"no_{name}") for name in ("hs_code", "value", "goods_origin_country")),
        pl.col("description").str.len_chars().sum().alias("wording_length"),
    )
    goods = first.select("row", "currency", hs_plain(pl.col("hs_code")).str.slice(0, 2).alias("hs_chapter"))
    frame = consignments.frame.join(goods, on="row", how="left", maintain_order="left")
    frame = frame.join(missing, on="row", how="left", maintain_order="left")
    absent = [pl.col(name).is_null().alias(f"no_{name}") for name in ELEMENTS if f"no_{name}" not in missing.columns]
    heavy = pl.col("gross_mass_kg") > 0
    return frame.with_columns(
        *absent,
        pl.col("consignor_entity").alias("sender"),
        pl.col("lodged_at").dt.date().alias("day"),
        pl.col("lodged_at").dt.hour().alias("hour"),
        pl.when(heavy).then(pl.col("value_eur") / pl.col("gross_mass_kg")).alias("value_per_kg"),
    ).select("consignment_id", "day", "sender", *(w.name for w in (*DECLARED_COLUMNS, *MISSING)))


def series_of(frame: pl.DataFrame, days: Sequence[date], watched: Sequence[Watched]) -> list[Series]:
    """Return the daily histograms of columns of a frame with `day`; columns that are always empty are left out."""
    place = pl.DataFrame({"day": pl.Series(days, dtype=pl.Date), "place": np.arange(len(days))})
    placed = frame.join(place, on="day", how="inner", maintain_order="left")
    return [series for w in watched if (series := _series(placed, len(days), w)) is not None]


def _series(placed: pl.DataFrame, days: int, watched: Watched) -> Series | None:
    values, place = placed[watched.name], placed["place"].to_numpy()
    if values.null_count() == len(values):
        return None
    bins, labels = _BINNED[watched.kind](values)
    counts = np.bincount(place * len(labels) + bins, minlength=days * len(labels)).reshape(days, len(labels))
    return Series(watched.name, watched.meaning, watched.kind, counts.astype(np.int64), labels)


def _numbers(values: pl.Series) -> tuple[np.ndarray, list[str]]:
    """Return places on a grid of quantiles of all days together; missing values come last."""
    numbers = values.cast(pl.Float64).fill_nan(None).to_numpy()
    stated = ~np.isnan(numbers)
    edges = np.unique(np.quantile(numbers[stated], np.linspace(0, 1, GRID + 1)[:-1], method="inverted_cdf"))
    bins = np.where(stated, np.searchsorted(edges, numbers, side="right") - 1, len(edges))
    return bins.astype(np.int64), [*(f"{edge:,.4g}" for edge in edges), "not stated"]


def _levels(values: pl.Series) -> tuple[np.ndarray, list[str]]:
    names = values.cast(pl.String).fill_null("not stated")
    labels = names.unique().sort().to_list()
    return names.replace_strict(labels, list(range(len(labels))), return_dtype=pl.Int64).to_numpy(), labels


def _shares(values: pl.Series) -> tuple[np.ndarray, list[str]]:
    return (~values.cast(pl.Boolean).fill_null(False)).cast(pl.Int64).to_numpy(), ["share", "others"]


_BINNED = {"number": _numbers, "level": _levels, "share": _shares}


def without_crowding(frame: pl.DataFrame, most_share: float, least: int = 5) -> pl.DataFrame:
    """Limit each sender to a small share of a day: the launch of one shop is no drift of the traffic."""
    limit = pl.max_horizontal((pl.len().over("day") * most_share).cast(pl.Int64), pl.lit(least, pl.Int64))
    turn = pl.int_range(pl.len()).over("day", "sender")
    return frame.filter(pl.col("sender").is_null() | (turn < limit))
