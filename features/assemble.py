"""From consignments to model rows: a single path for one row and for a million, so training and serving agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from features.algebra import Moments, Numbers, Text
from features.algebra.frames import Column, Columns, series_of
from features.algebra.lines import Groups
from features.algebra.tables import Table
from features.catalogue import Input
from features.compute import compute, compute_over
from features.consignment import EXTRA, Consignments
from features.definition import DEFINITIONS, Level, in_order, needed, remembers
from features.history.facts import with_entities
from features.history.named_entities import named_by
from features.history.shared_values import without_strangers_results
from features.history.totals import FactTable, History, Layered
from features.history.windows import Reading, plan_of, read_history, reading_of
from features.model_rows import Rows
from features.norms import Norms
from features.parties.linking import LINKED
from features.rates import MEAN, Rates
from features.wording import LIKENESS, Wording

__all__ = ["Fits", "Rows", "assemble", "readings_for"]
CONSIGNMENTS_PER_PASS = 10_000  # intermediate results take several times the memory of the rows
LINE_LEVELS: tuple[Level, ...] = ("of_line", "over_lines")
KNOWN_TO_FITS = ("hs6", "goods_origin_country", "description")  # columns of goods lines that they look up by


@dataclass(frozen=True, slots=True)
class Fits:
    """Values fitted on the past and kept with the model: norms of goods, weights of wordings, mean hit rates."""

    norms: Norms
    wording: Wording
    rates: Rates


def assemble(consignments: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]) -> Rows:
    """Return model rows of consignments as of the moment each was lodged (point-in-time join).

    Consignments of a batch see the earlier ones of the same batch, as if each had been sent in a call of its own;
    consignments lodged at the same moment never see each other. Without a history, everything that rests on the past is
    unknown.
    """
    linked = with_entities(consignments)
    if history is not None:
        history = _with_earlier_lines(linked, history)
    starts = range(0, max(len(linked), 1), CONSIGNMENTS_PER_PASS)
    if len(starts) == 1:
        columns = _assembled(linked, history, fits, inputs)
    else:
        parts = (linked.between(at, at + CONSIGNMENTS_PER_PASS) for at in starts)
        columns = _end_to_end([_assembled(part, history, fits, inputs) for part in parts])
    return Rows(linked.declared.whole("row").values.astype(np.uint32), columns)


def _assembled(
    linked: Consignments, history: History | None, fits: Fits, inputs: Sequence[Input]
) -> dict[str, Numbers | Text]:
    """Compute model columns of consignments; what was known before them, in the same batch too, is in the history."""
    names = tuple(item.name for item in inputs)
    rows, received = len(linked), _received(names)
    lodged_at = linked.declared.moments("lodged_at")
    known = {
        **_absent(received, rows),
        **linked.declared.columns(received),
        **_over_lines(linked, lodged_at, fits, names),
        **_read(readings_for(inputs), linked.declared, lodged_at, history),
        MEAN: fits.rates.attach(lodged_at),
    }
    return _as_inputs(compute(known, names, "of_consignment", rows), inputs, linked.declared)


def _as_inputs(columns: Columns, inputs: Sequence[Input], rows: Table) -> dict[str, Numbers | Text]:
    """Return columns as the model takes them: categories as texts, numbers where they are finite."""
    numbers = [item.name for item in inputs if item.kind == "number"]
    values = np.array([_numbers_of(columns[name]) for name in numbers], np.float64).reshape(len(numbers), len(rows))
    values[np.isinf(values)] = np.nan
    as_numbers = dict(zip(numbers, values, strict=True))
    return {
        item.name: as_numbers[item.name] if item.kind == "number" else _texts_of(columns[item.name], item.name, rows)
        for item in inputs
    }


def _texts_of(column: Column, name: str, rows: Table) -> Text:
    if isinstance(column, Text):
        return column
    series = rows.series(name) if name in rows else series_of(column)
    return Text.of(series.cast(pl.String).to_list())


def _numbers_of(column: Column) -> Numbers | Moments:
    if not isinstance(column, Text):
        return column
    of_words = pl.Series(column.words, dtype=pl.String).cast(pl.Float64)  # a foreign column that came as text
    return of_words.to_numpy()[column.codes]


def _text_of(column: Column) -> Text:
    return column if isinstance(column, Text) else Text.of([None] * len(column))  # a column without any text


def _end_to_end(parts: Sequence[Mapping[str, Numbers | Text]]) -> dict[str, Numbers | Text]:
    return {name: _joined([part[name] for part in parts]) for name in parts[0]}


def _joined(columns: Sequence[Numbers | Text]) -> Numbers | Text:
    texts = [column for column in columns if isinstance(column, Text)]
    return Text.end_to_end(texts) if texts else np.concatenate([c for c in columns if not isinstance(c, Text)])


def readings_for(inputs: Sequence[Input]) -> tuple[Reading, ...]:
    """Return the readings of history that the inputs need: columns without a function or a declaration."""
    return _readings(tuple(item.name for item in inputs))


@remembers
def _readings(names: tuple[str, ...]) -> tuple[Reading, ...]:
    asked = {*names, *(name for d in needed(names).values() for name in d.inputs)}
    readings = (reading_of(name) for name in sorted(asked) if name not in DEFINITIONS)
    return tuple(reading for reading in readings if reading is not None)


@remembers
def _received(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of consignments that the model or a feature takes as they came."""
    used = (name for d in in_order(names, "of_consignment") for name in d.inputs)
    return tuple(dict.fromkeys((*names, *used)))


@remembers
def _received_of_lines(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of goods lines that a feature or what was fitted takes as they came."""
    used = (name for level in LINE_LEVELS for d in in_order(names, level) for name in d.inputs)
    return tuple(dict.fromkeys((*used, "hs_code", *KNOWN_TO_FITS)))


def _absent(received: Sequence[str], rows: int) -> Columns:
    """Return what a message may lack as unknown: the columns of linking, and foreign ones that the model knows."""
    unknown = (name for name in received if name in LINKED or name.startswith(EXTRA))
    return dict.fromkeys(unknown, np.full(rows, np.nan))


def _over_lines(linked: Consignments, lodged_at: Moments, fits: Fits, names: tuple[str, ...]) -> dict[str, Column]:
    """Return what the goods lines of each consignment come to."""
    row = linked.lines.whole("row").values
    lines = compute(linked.lines.columns(_received_of_lines(names)), ("hs6",), "of_line", len(row))
    hs6, origin, description = (_text_of(lines[name]) for name in KNOWN_TO_FITS)
    of_line = lodged_at[row]
    lines |= fits.norms.attach(hs6, origin, of_line)
    lines[LIKENESS] = fits.wording.attach(description, of_line)
    return compute_over(compute(lines, names, "of_line", len(row)), Groups(row, len(linked)), names)


def _read(
    readings: tuple[Reading, ...], rows: Table, lodged_at: Moments, history: History | None
) -> Mapping[str, Numbers]:
    """Return the readings of history; without one, all of them unknown."""
    if history is None:
        return dict.fromkeys((reading.name for reading in readings), np.full(len(rows), np.nan))
    plan = plan_of(readings)
    read = read_history(plan, lodged_at, named_by(rows, plan.keys), history)
    return without_strangers_results(readings, read, rows, lodged_at, history)


def _with_earlier_lines(consignments: Consignments, history: History) -> History:
    """Overlay the history with the batch's own facts; a message of a single moment has no earlier lines."""
    lodged_at = consignments.declared.moments("lodged_at")
    if (lodged_at == lodged_at[:1]).all():
        return history
    return Layered(history, FactTable(history.unposted(consignments)))
