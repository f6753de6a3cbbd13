"""Consignments in, model rows out: the one path for one row and for a million."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from features.catalogue import Input
from features.consignment import EXTRA, Consignments
from features.definition import DEFINITIONS, compute, needed
from features.facts import with_entities
from features.history import FactTable, History, Layered
from features.norms import Norms
from features.parties.linking import LINKED
from features.rates import Rates
from features.windows import Reading, nothing_read, read_windows, reading_of
from features.wording import Wording

AT_ONCE = 10_000  # consignments: what is worked out on the way takes several times the room of the rows themselves


@dataclass(frozen=True, slots=True)
class Fits:
    """What was fitted on the past and is kept with the model: norms of goods, weights of wordings, mean hit rates."""

    norms: Norms
    wording: Wording
    rates: Rates


@dataclass(frozen=True, slots=True)
class Rows:
    """What the model sees; one row a consignment, in the order of the consignments.

    frame: `row`, then one column for each input of the catalogue: Float64 for numbers, String for categories, null
        where unknown.
    """

    frame: pl.DataFrame


def assemble(consignments: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]) -> Rows:
    """Model rows of consignments as of the moment each was lodged.

    Consignments of one batch see the earlier ones of the same batch, as they would have seen them had every one
    been sent in a call of its own; consignments lodged at the same moment never see each other. Without a history
    everything that rests on the past is unknown.
    """
    linked = with_entities(consignments)
    if history is not None:
        history = _with_earlier_lines(linked, history)
    if len(linked) <= AT_ONCE:
        return Rows(_assembled(linked, history, fits, inputs))
    parts = (linked.between(start, start + AT_ONCE) for start in range(0, len(linked), AT_ONCE))
    frames = pl.concat([_assembled(part, history, fits, inputs) for part in parts])
    return Rows(frames.with_columns(linked.frame["row"]))


def _assembled(linked: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]) -> pl.DataFrame:
    """Model rows of some consignments; what was known before them, of the same batch too, is in the history."""
    names = tuple(item.name for item in inputs)
    known = fits.rates.attach(_attributed(linked.frame)).hstack(_over_lines(linked, fits, names).drop("row"))
    readings = readings_for(inputs)
    read = nothing_read(readings, len(linked)) if history is None else read_windows(readings, linked.frame, history)
    rows = compute(_with_extras(known.hstack(read), inputs), names, "of_consignment")
    return rows.select(_model_columns(tuple(inputs)))


def readings_for(inputs: Sequence[Input]) -> tuple[Reading, ...]:
    """The readings of history that the inputs need: the columns that no function and no declaration defines."""
    return _readings(tuple(item.name for item in inputs))


@lru_cache(maxsize=16)
def _readings(names: tuple[str, ...]) -> tuple[Reading, ...]:
    asked = {*names, *(name for d in needed(names).values() for name in d.inputs)}
    found = (reading_of(name) for name in sorted(asked) if name not in DEFINITIONS)
    return tuple(reading for reading in found if reading is not None)


def _attributed(frame: pl.DataFrame) -> pl.DataFrame:
    """The columns of linking, unknown where nobody was linked."""
    return frame.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in LINKED.items() if name not in frame.columns
    )


def _over_lines(consignments: Consignments, fits: Fits, names: tuple[str, ...]) -> pl.DataFrame:
    """One row a consignment: what its goods lines come to."""
    lines = consignments.goods.join(
        consignments.frame.select("row", "lodged_at"), on="row", how="left", maintain_order="left"
    )
    lines = compute(lines, ("hs6",), "of_line")
    lines = compute(fits.wording.attach(fits.norms.attach(lines)), names, "of_line")
    wanted = [d.expression() for d in needed(names).values() if d.level == "over_lines"]
    return lines.group_by("row", maintain_order=True).agg(wanted).sort("row")


def _with_extras(known: pl.DataFrame, inputs: Sequence[Input]) -> pl.DataFrame:
    """Foreign columns that the model knows and this message lacks are unknown."""
    absent = [item.name for item in inputs if item.name.startswith(EXTRA) and item.name not in known.columns]
    return known.with_columns(pl.lit(None, pl.String).alias(name) for name in absent) if absent else known


def _with_earlier_lines(consignments: Consignments, history: History) -> History:
    """History with the batch's own facts laid over it; a message of one moment has no earlier lines."""
    if consignments.frame["lodged_at"].n_unique() <= 1:
        return history
    return Layered(history, FactTable(history.unposted(consignments)))


@lru_cache(maxsize=16)
def _model_columns(inputs: tuple[Input, ...]) -> tuple[pl.Expr, ...]:
    return (pl.col("row"), *(_model_column(item) for item in inputs))


def _model_column(item: Input) -> pl.Expr:
    if item.kind == "category":
        return pl.col(item.name).cast(pl.String)
    value = pl.col(item.name).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value).alias(item.name)
