"""Settled decisions compared with their leaves column by column, at a fraction of what one after another takes.

What holds by columns holds by rows: the text that is hashed is the same, and the columns that queries read are those
that it is read from. Whatever does not is left to `DecisionCheck`, which reads it as everybody does and names it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from service.orientation.decisions import TIMES
from service.record.record_rows import REPEATED
from service.record.settled_columns import (
    BODY,
    DAY,
    DECLARATION,
    ELSEWHERE,
    LODGED,
    OFFICE,
    ROW,
    STATED,
)
from service.record.settled_texts import content_texts, hashed, leaf_texts
from service.store.record_files import CONSIGNMENT
from service.store.settled_layout import Layout
from service.store.settled_rows import CONTENT_SHA256, DECLARED, LEAF

Flags = npt.NDArray[np.bool_]
NAMED_OFFICE, SENDER = f"{BODY}.office", f"{DECLARED}sender"
READ_BY_ALL = (*REPEATED, "office", "checked", "decided_at", "day", "place", "salt", LODGED, OFFICE)


def holding(
    rows: pl.DataFrame, layout: Layout, call_id: str, basis: Mapping[str, Any], passed_on: Collection[str]
) -> Flags:
    """Say of each row of a file whether its leaf and all that is read of it hold; not so is what columns cannot say.

    basis: the circumstances of its call. passed_on: consignments that are another's now than who lodged them.
    """
    nothing = np.zeros(rows.height, np.bool_)
    if not _read_alike(layout, rows.columns):
        return nothing
    texts = [content_texts(layout[name], rows) for name in (BODY, ROW, DECLARATION)]
    body, scored, declared = texts
    if body is None or scored is None or declared is None:
        return nothing
    declarations = pl.Series(hashed(declared), dtype=pl.String)
    leaves = hashed(leaf_texts(call_id, rows["salt"], body, declarations, rows["place"], scored))
    same = rows.select(
        pl.col(LEAF) == pl.Series(leaves, dtype=pl.String),
        *([pl.col(CONTENT_SHA256) == declarations] if CONTENT_SHA256 in rows.columns else []),
        *_follows_from_body(),
        _of_who_lodged(rows.columns, basis.get("owners", {}), passed_on),
    )
    holds: Flags = same.select(pl.all_horizontal(pl.all().fill_null(False))).to_series().to_numpy()
    return holds


def columns_compared(names: Sequence[str]) -> list[str]:
    """Name those columns of a file that are compared here: what facts are made of is no part of what was decided."""
    return [name for name in names if not name.startswith(f"{STATED}.")]


def _read_alike(layout: Layout, present: Collection[str]) -> bool:
    """Say whether what queries read is what contents are read from; a file of an earlier version has other columns."""
    if not {BODY, ROW, DECLARATION} <= layout.keys() or not {*READ_BY_ALL, LEAF, NAMED_OFFICE} <= {*present}:
        return False
    read_from = {field.name: (field.column, field.kind) for field in layout[BODY].fields}
    expected = {of: (column, "moment" if of in TIMES else "plain") for of, column in ELSEWHERE.items()}
    return read_from.items() >= (expected | {"office": (NAMED_OFFICE, "plain")}).items()


def _follows_from_body() -> tuple[pl.Expr, pl.Expr]:
    """Compare the columns that are other words for what the body says."""
    named = pl.when(pl.col(NAMED_OFFICE) != "").then(NAMED_OFFICE).otherwise(pl.lit("unknown"))
    return pl.col("office") == named, pl.col("day") == pl.col(LODGED) // DAY


def _of_who_lodged(present: Collection[str], owners: Collection[str], passed_on: Collection[str]) -> pl.Expr:
    """Select what is of whoever lodged it: the office that it names, and no sender by a key of its own."""
    of_nobody = pl.col(SENDER).is_null() if SENDER in present else pl.lit(True)
    first = (pl.col("assessment") == 1) & pl.col(OFFICE).eq_missing(pl.col(NAMED_OFFICE)) & of_nobody
    of_others = pl.col("place").is_in([int(place) for place in owners]) | pl.col(CONSIGNMENT).is_in(list(passed_on))
    return (first & ~of_others).alias("owner")
