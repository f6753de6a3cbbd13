"""From consignments to model rows: a single path for one row and for a million, so training and serving agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import polars as pl

from features.algebra.tables import Table
from features.catalogue import Input
from features.consignment import EXTRA, Consignments
from features.history.facts import with_entities
from features.history.shared_values import without_strangers_results
from features.history.totals import FactTable, History, Layered
from features.history.windows import Reading, read_windows, reading_of
from features.parties.linking import LINKED
from tests.oracle.frames.definition import DEFINITIONS, compute, needed
from tests.oracle.frames.norms import Norms
from tests.oracle.frames.rates import Rates
from tests.oracle.frames.wording import Wording

CONSIGNMENTS_PER_PASS = 10_000  # intermediate results take several times the memory of the rows


@dataclass(frozen=True, slots=True)
class Fits:
    """Values fitted on the past and kept with the model: norms of goods, weights of wordings, mean hit rates."""

    norms: Norms
    wording: Wording
    rates: Rates


@dataclass(frozen=True, slots=True)
class Rows:
    """The inputs of the model; one row per consignment, in the order of the consignments.

    frame: `row`, then one column for each input of the catalogue: Float64 for numbers, String for categories, null
        where unknown.
    """

    frame: pl.DataFrame


def assemble(consignments: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]) -> Rows:
    """Return model rows of consignments as of the moment each was lodged (point-in-time join).

    Consignments of a batch see the earlier ones of the same batch, as if each had been sent in a call of its own;
    consignments lodged at the same moment never see each other. Without a history, everything that rests on the past is
    unknown.
    """
    linked = with_entities(consignments)
    if history is not None:
        history = _with_earlier_lines(linked, history)
    if len(linked) <= CONSIGNMENTS_PER_PASS:
        return Rows(_assembled(linked, history, fits, inputs))
    parts = (
        linked.between(start, start + CONSIGNMENTS_PER_PASS) for start in range(0, len(linked), CONSIGNMENTS_PER_PASS)
    )
    frames = pl.concat([_assembled(part, history, fits, inputs) for part in parts])
    return Rows(frames.with_columns(linked.frame["row"]))


def _assembled(linked: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]) -> pl.DataFrame:
    """Compute model rows of consignments; what was known before them, in the same batch too, is in the history."""
    names = tuple(item.name for item in inputs)
    known = fits.rates.attach(_attributed(linked.frame)).hstack(_over_lines(linked, fits, names).drop("row"))
    readings = readings_for(inputs)
    read = (
        nothing_read(readings, len(linked))
        if history is None
        else _of_strangers_unread(readings, linked.frame, read_windows(readings, linked.frame, history))
    )
    rows = compute(_with_extras(known.hstack(read), inputs), names, "of_consignment")
    return rows.select(_model_columns(tuple(inputs)))


def nothing_read(readings: Sequence[Reading], rows: int) -> pl.DataFrame:
    """Return the same columns where no history can be read: all unknown."""
    return pl.DataFrame({reading.name: pl.repeat(None, rows, dtype=pl.Float64, eager=True) for reading in readings})


def _of_strangers_unread(readings: Sequence[Reading], frame: pl.DataFrame, read: pl.DataFrame) -> pl.DataFrame:
    columns = {name: read[name].to_numpy() for name in read.columns}
    return pl.DataFrame(without_strangers_results(readings, columns, Table.of_frame(frame)), nan_to_null=True)


def readings_for(inputs: Sequence[Input]) -> tuple[Reading, ...]:
    """Return the readings of history that the inputs need: columns without a function or a declaration."""
    return _readings(tuple(item.name for item in inputs))


@lru_cache(maxsize=16)
def _readings(names: tuple[str, ...]) -> tuple[Reading, ...]:
    asked = {*names, *(name for d in needed(names).values() for name in d.inputs)}
    readings = (reading_of(name) for name in sorted(asked) if name not in DEFINITIONS)
    return tuple(reading for reading in readings if reading is not None)


def _attributed(frame: pl.DataFrame) -> pl.DataFrame:
    """Add the columns of linking, null where no sender was linked."""
    return frame.with_columns(
        pl.lit(None, dtype).alias(name) for name, dtype in LINKED.items() if name not in frame.columns
    )


def _over_lines(consignments: Consignments, fits: Fits, names: tuple[str, ...]) -> pl.DataFrame:
    """Aggregate goods lines to one row per consignment."""
    lines = consignments.goods.join(
        consignments.frame.select("row", "lodged_at"), on="row", how="left", maintain_order="left"
    )
    lines = compute(lines, ("hs6",), "of_line")
    lines = compute(fits.wording.attach(fits.norms.attach(lines)), names, "of_line")
    wanted = [d.expression() for d in needed(names).values() if d.level == "over_lines"]
    return lines.group_by("row", maintain_order=True).agg(wanted).sort("row")


def _with_extras(known: pl.DataFrame, inputs: Sequence[Input]) -> pl.DataFrame:
    """Add foreign columns that the model knows and this message lacks, as null."""
    absent = [item.name for item in inputs if item.name.startswith(EXTRA) and item.name not in known.columns]
    return known.with_columns(pl.lit(None, pl.String).alias(name) for name in absent) if absent else known


def _with_earlier_lines(consignments: Consignments, history: History) -> History:
    """Overlay the history with the batch's own facts; a message of a single moment has no earlier lines."""
    if consignments.frame["lodged_at"].n_unique() <= 1:
        return history
    return Layered(history, FactTable.of(history.unposted(consignments)))


@lru_cache(maxsize=16)
def _model_columns(inputs: tuple[Input, ...]) -> tuple[pl.Expr, ...]:
    return (pl.col("row"), *(_model_column(item) for item in inputs))


def _model_column(item: Input) -> pl.Expr:
    if item.kind == "category":
        return pl.col(item.name).cast(pl.String)
    value = pl.col(item.name).cast(pl.Float64)
    return pl.when(value.is_finite()).then(value).alias(item.name)
