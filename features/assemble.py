"""From consignments to model rows: a single path for one row and for a million, so training and serving agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Moments, Numbers, Text
from features.algebra.frames import Column, Columns, series_of
from features.algebra.lines import Groups
from features.algebra.tables import Table
from features.catalogue import Input
from features.compute import compute, compute_over
from features.consignment import EXTRA, Consignments
from features.definition import DEFINITIONS, Level, in_order, needed, remembers
from features.habits import FORM, NUMBER, Habits, no_habits
from features.headings import ODDS, SUGGESTED, Headings, no_headings
from features.history.facts import with_entities
from features.history.named_entities import named_by
from features.history.shared_values import without_strangers_results
from features.history.totals import FactTable, History, Layered
from features.history.windows import Reading, plan_of, read_history, reading_of
from features.model_rows import Rows
from features.norms import FITTED, Norms
from features.parties.linking import LINKED
from features.rates import MEAN, Rates
from features.wording import LIKENESS, Wording

__all__ = ["Fits", "Rows", "assemble", "readings_for"]
WORDED = "worded_"  # before a norm: that of the heading which the words suggest
AS_WORDED = frozenset((ODDS, SUGGESTED, *(f"{WORDED}{name}" for name in FITTED)))
HABITUAL = frozenset((FORM, NUMBER))
CONSIGNMENTS_PER_PASS = 10_000  # intermediate results take several times the memory of the rows
LINE_LEVELS: tuple[Level, ...] = ("of_line", "over_lines")
KNOWN_TO_FITS = ("hs6", "goods_origin_country", "description")  # columns of goods lines that they look up by


@dataclass(frozen=True, slots=True)
class Fits:
    """Values fitted on the past and kept with the model.

    Norms of goods, weights of wordings, mean hit rates; and which headings words suggest, and how senders of a country
    state themselves, of a model that asks for it.
    """

    norms: Norms
    wording: Wording
    rates: Rates
    headings: Headings = field(default_factory=no_headings)
    habits: Habits = field(default_factory=no_habits)


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
    plan = _plan_of(inputs)
    if len(starts) == 1:
        return _assembled(linked, history, fits, plan)
    parts = (linked.between(at, at + CONSIGNMENTS_PER_PASS) for at in starts)
    return Rows.end_to_end(_row(linked), [_assembled(part, history, fits, plan) for part in parts])


def _row(consignments: Consignments) -> npt.NDArray[np.uint32]:
    return consignments.declared.whole("row").values.astype(np.uint32)


@dataclass(frozen=True, slots=True, eq=False)
class RowPlan:
    """What the inputs of a model need, worked out once.

    names: of the inputs; numbers: of those that are. received, received_of_lines: columns of consignments and of goods
    lines that are taken as they came. absent: those of consignments that a message may lack. readings: of history.
    worded: whether any input asks what the words of goods suggest. habitual: whether any asks for habits of senders.
    """

    names: tuple[str, ...]
    numbers: tuple[str, ...]
    received: tuple[str, ...]
    received_of_lines: tuple[str, ...]
    absent: tuple[str, ...]
    readings: tuple[Reading, ...]
    worded: bool
    habitual: bool


def _plan_of(inputs: Sequence[Input]) -> RowPlan:
    return _planned(tuple([(item.name, item.kind) for item in inputs]))


@remembers
def _planned(inputs: tuple[tuple[str, str], ...]) -> RowPlan:
    names = tuple(name for name, _ in inputs)
    used = [name for d in in_order(names, "of_consignment") for name in d.inputs]
    received = tuple(dict.fromkeys((*names, *used)))
    of_lines = [name for level in LINE_LEVELS for d in in_order(names, level) for name in d.inputs]
    return RowPlan(
        names,
        tuple(name for name, kind in inputs if kind == "number"),
        received,
        tuple(dict.fromkeys((*of_lines, "hs_code", *KNOWN_TO_FITS))),
        tuple(name for name in received if name in LINKED or name.startswith(EXTRA)),
        _readings(names),
        not AS_WORDED.isdisjoint(name for level in LINE_LEVELS for d in in_order(names, level) for name in d.inputs),
        not HABITUAL.isdisjoint(used),
    )


def _assembled(linked: Consignments, history: History | None, fits: Fits, plan: RowPlan) -> Rows:
    """Compute model rows of consignments; what was known before them, in the same batch too, is in the history."""
    rows, declared = len(linked), linked.declared
    lodged_at = declared.moments("lodged_at")
    known = {
        **dict.fromkeys(plan.absent, np.full(rows, np.nan)),
        **declared.columns(plan.received),
        **_over_lines(linked, lodged_at, fits, plan),
        **_read(plan.readings, declared, lodged_at, history),
        MEAN: fits.rates.attach(lodged_at),
        **(_as_others(declared, lodged_at, fits) if plan.habitual else {}),
    }
    return _as_inputs(compute(known, plan.names, "of_consignment", rows), plan, linked)


def _as_inputs(columns: Columns, plan: RowPlan, linked: Consignments) -> Rows:
    """Return columns as the model takes them: categories as texts, numbers where they are finite."""
    values = np.array([_numbers_of(columns[name]) for name in plan.numbers], np.float64)
    values = values.reshape(len(plan.numbers), len(linked))
    values[np.isinf(values)] = np.nan
    as_numbers = dict(zip(plan.numbers, values, strict=True))
    as_inputs = {
        name: as_numbers[name] if name in as_numbers else _texts_of(columns[name], name, linked.declared)
        for name in plan.names
    }
    return Rows(_row(linked), as_inputs, values)


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


def readings_for(inputs: Sequence[Input]) -> tuple[Reading, ...]:
    """Return the readings of history that the inputs need: columns without a function or a declaration."""
    return _readings(tuple(item.name for item in inputs))


@remembers
def _readings(names: tuple[str, ...]) -> tuple[Reading, ...]:
    asked = {*names, *(name for d in needed(names).values() for name in d.inputs)}
    readings = (reading_of(name) for name in sorted(asked) if name not in DEFINITIONS)
    return tuple(reading for reading in readings if reading is not None)


def _over_lines(linked: Consignments, lodged_at: Moments, fits: Fits, plan: RowPlan) -> dict[str, Column]:
    """Return what the goods lines of each consignment come to."""
    row = linked.lines.whole("row").values
    lines = compute(linked.lines.columns(plan.received_of_lines), ("hs6",), "of_line", len(row))
    hs6, origin, description = (_text_of(lines[name]) for name in KNOWN_TO_FITS)
    of_line = lodged_at[row]
    lines |= fits.norms.attach(hs6, origin, of_line)
    lines[LIKENESS] = fits.wording.attach(description, of_line)
    if plan.worded:
        lines |= _as_worded(fits, hs6, description, of_line)
    return compute_over(compute(lines, plan.names, "of_line", len(row)), Groups(row, len(linked)), plan.names)


def _as_worded(fits: Fits, hs6: Text, description: Text, of_line: Moments) -> dict[str, Column]:
    """Return the heading that the words of each goods line suggest, and the norms of that heading."""
    odds, suggested = fits.headings.attach(hs6, description, of_line)
    nowhere = Text.of([None]).take(np.zeros(len(suggested), np.intp))
    norms = fits.norms.attach(suggested, nowhere, of_line)
    return {ODDS: odds, SUGGESTED: suggested, **{f"{WORDED}{name}": column for name, column in norms.items()}}


def _as_others(declared: Table, lodged_at: Moments, fits: Fits) -> dict[str, Numbers]:
    """Return how senders state themselves beside the others of their country."""
    name, address, country = (declared.text(f"consignor_{part}") for part in ("name", "address", "country"))
    return fits.habits.attach(name, address, country, lodged_at)


def _read(
    readings: tuple[Reading, ...], rows: Table, lodged_at: Moments, history: History | None
) -> Mapping[str, Numbers]:
    """Return the readings of history; without one, all of them unknown."""
    if history is None:
        return dict.fromkeys((reading.name for reading in readings), np.full(len(rows), np.nan))
    plan = plan_of(readings)
    return without_strangers_results(readings, read_history(plan, lodged_at, named_by(rows, plan.keys), history), rows)


def _with_earlier_lines(consignments: Consignments, history: History) -> History:
    """Overlay the history with the batch's own facts; a message of a single moment has no earlier lines."""
    lodged_at = consignments.declared.moments("lodged_at")
    if (lodged_at == lodged_at[:1]).all():
        return history
    return Layered(history, FactTable.of(history.unposted(consignments)))
