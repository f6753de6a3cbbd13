"""Faults in bulk: one marketplace that garbles one column on what it sends, as exports and spreadsheets do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from pipelines.synthetic.declaration import DeclaredLines
from pipelines.synthetic.draws import DAILY, unit
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.world_settings import World


def _rounded(phone: pl.Expr) -> pl.Expr:
    """Write a number as a spreadsheet does that takes it for a quantity: many senders end with the same text."""
    digits = phone.str.strip_chars_start("+0")
    return digits.str.slice(0, 1) + "." + digits.str.slice(1, 4) + "E+" + digits.str.len_chars().cast(pl.String)


GARBLED = {  # what becomes of each column
    "ioss": pl.col("ioss").str.head(-3),
    "consignor_phone": _rounded(pl.col("consignor_phone")),
    "consignor_email": pl.col("consignor_email").str.replace("@.*", "@"),
    "consignor_city": pl.col("consignor_city").str.replace_all(r"[^ ]", "?"),
    "hs_code": "0" + pl.col("hs_code").str.head(-1),
}


def garbled(
    world: World, orders: Orders, parties: pl.DataFrame, lines: DeclaredLines, day: int, days: int
) -> tuple[pl.DataFrame, DeclaredLines]:
    """Return the declarations of a day as they arrive: consignments, and their goods lines."""
    fault = world.faults
    if not fault.share or day < fault.start * days:
        return parties, lines
    drawn = unit(orders.senders.ids * 4096 + np.arange(len(orders)), 4 * DAILY + day) < fault.share
    hit = (parties["platform"] == fault.platform).fill_null(False) & pl.Series(drawn)
    if fault.column in parties.columns:
        return _changed(parties, fault.column, hit), lines
    return parties, replace(lines, frame=_changed(lines.frame, fault.column, hit.gather(orders.of)))


def _changed(frame: pl.DataFrame, column: str, hit: pl.Series) -> pl.DataFrame:
    return frame.with_columns(pl.when(hit).then(GARBLED[column]).otherwise(column).alias(column))
