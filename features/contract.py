"""The gate: every row is checked in one pass; unreadable ones are refused with line, field, reason and remedy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import polars as pl

from features.algebra import Text
from features.algebra.frames import MANY
from features.algebra.tables import Cells, Table, Wholes, anywhere
from features.algebra.written import Few, Flags, Many, Places, upper
from features.column_faults import CONTROL, SKIPPED, Fault, Seen, control_characters, read_column
from features.consignment import COLUMNS, Column, Versions
from features.finding_kinds import Kinds, standard_kinds
from features.finding_words import in_kinds
from features.item_numbers import in_one_form, numbers_in_one_form
from features.moments import micros
from features.outcome import OUTCOME_COLUMNS, contradictions
from features.received import UNDECODABLE, Received, received, received_as_is
from features.typed_columns import read_foreign, read_typed

__all__ = [
    "AHEAD",
    "QUARANTINE_COLUMNS",
    "SKIPPED",
    "UNDECODABLE",
    "Fault",
    "Gated",
    "gate",
    "gate_manifest",
    "gate_outcomes",
    "no_quarantine",
    "refusing",
    "spared",
]
QUARANTINE_COLUMNS = ("line", "field", "reason", "remedy", "all_faults", "row_as_received")
FAULT_COLUMNS = QUARANTINE_COLUMNS[:4]  # of every fault of a row, where a quarantine row says the first one
AHEAD = timedelta(days=7)  # clocks and zones differ by hours; data that is lodged later than this is a mistake
COUNTRIES = (
    "dispatch_country",
    "destination_country",
    "consignor_country",
    "consignee_country",
    "goods_origin_country",
)
IN_CAPITALS = (*COUNTRIES, "transit_countries", "currency")


class Gated:
    """Accepted and refused rows: always `received == len(rows) + refused.height`.

    rows: one typed row for each valid row, with `line` (1 is the header) and every column of the contract; `accepted`
    is the same as a frame. refused: QUARANTINE_COLUMNS, one row for each refused row. faults: FAULT_COLUMNS, one row
    for each fault of these; the first fault of each where only these are known.
    """

    __slots__ = ("_faults", "received", "refused", "rows")

    def __init__(
        self, accepted: pl.DataFrame | Table, refused: pl.DataFrame, received: int, faults: pl.DataFrame | None = None
    ) -> None:
        self.rows = accepted if isinstance(accepted, Table) else Table.of_frame(accepted)
        self.refused, self.received, self._faults = refused, received, faults

    @property
    def faults(self) -> pl.DataFrame:
        """Every fault of the refused rows."""
        return self.refused.select(FAULT_COLUMNS) if self._faults is None else self._faults

    @property
    def accepted(self) -> pl.DataFrame:
        """The accepted rows as a frame."""
        return self.rows.frame

    def with_rows(self, accepted: pl.DataFrame | Table) -> Gated:
        """Return the same with the accepted rows in another form."""
        return Gated(accepted, self.refused, self.received, self._faults)


def gate(raw: pl.DataFrame | Table, columns: Sequence[Column] = COLUMNS) -> Gated:
    """Check every row of `raw` (text or typed columns, with `line`) against the contract of `columns`."""
    given = received(_table(raw), columns)
    rows, faults = _judged(given, columns)
    bad = _any(faults)
    if bad is None:
        return Gated(rows, no_quarantine(), len(given))
    places, of_bad = np.flatnonzero(bad), [(fault, _flags(fault)[bad]) for fault in faults]
    refused, every = _explain(given, places, of_bad), _each_fault(given.lines[places], of_bad)
    return Gated(rows.taken(np.flatnonzero(~bad)), refused, len(given), every)


def _table(rows: pl.DataFrame | Table) -> Table:
    return rows if isinstance(rows, Table) else Table.of_frame(rows)


def _judged(given: Received, columns: Sequence[Column]) -> tuple[Table, list[Fault]]:
    """Typed rows, and what is wrong with them: nothing mostly."""
    cells: dict[str, Cells] = {"line": Wholes(given.lines)}
    faults: list[Fault] = []
    seen = Seen.of(given.columns.values())
    for column in columns:
        values = given.columns[column.name]
        if isinstance(values, Few) and not given.foreign:
            cells[column.name] = read_column(column, values, seen, faults)
            continue
        series = values if isinstance(values, pl.Series) else values.series(column.name) if given.foreign else None
        if column.name in given.foreign and series is not None:
            cells[column.name] = read_foreign(column, series, given.foreign[column.name], faults)
        elif isinstance(values, pl.Series):
            cells[column.name] = read_typed(column, values, faults)
        else:
            cells[column.name] = read_column(column, values, seen, faults)
    for name in given.extras:
        extra = given.columns[name]
        if not isinstance(extra, pl.Series) and seen.damaged:
            faults += control_characters(name, extra)
        cells[name] = extra.text if isinstance(extra, Few) else extra.column if isinstance(extra, Many) else extra
    return Table.of(cells), faults


def _any(faults: Sequence[Fault]) -> Flags | None:
    """The rows that any fault refuses; None where there is none."""
    bad: Flags | None = None
    for fault in faults:
        bad = _flags(fault) if bad is None else bad | _flags(fault)
    return bad if bad is not None and anywhere(bad) else None


def _flags(fault: Fault) -> Flags:
    assert isinstance(fault.holds, np.ndarray), fault.field  # noqa: S101 - made by this module
    return fault.holds


def gate_manifest(
    raw: pl.DataFrame | Table, source: str, arrived: datetime | None = None, *, recorded: bool = False
) -> Gated:
    """Check rows of the flat manifest; rows without a message take the name of their `source`.

    arrived: moment of arrival; a row lodged long after it cannot be true, and is refused. recorded: the rows stand on
    record, where numbers of items stay as they were once written; all others get their one form.
    """
    gated = gate(raw, COLUMNS)
    if arrived is not None:
        gated = _without_later(gated, raw, arrived + AHEAD)
    rows = gated.rows
    filled: dict[str, Cells] = {name: _in_capitals(rows, name) for name in IN_CAPITALS}
    version = rows.whole("version")
    version = version if version.known is None else Wholes(np.where(version.known, version.values, 1))
    messages, consignments = _filled(rows, source), _in_one_form(rows, recorded=recorded)
    versions = Versions.of_columns(messages, consignments, version)
    filled |= {"message_id": messages, "consignment_id": consignments, "version": version}
    filled["line_no"] = versions.with_line_numbers(rows.whole("line_no"))
    gated = gated.with_rows(rows.holding(filled))
    return _without_repeated_lines(gated, raw, versions)


def _in_capitals(rows: Table, name: str) -> Cells:
    return rows.text(name).each(upper)


def _in_one_form(rows: Table, *, recorded: bool) -> Text:
    """Numbers of items in their one form; as they stand on record where they do."""
    text = rows.text("consignment_id")
    if recorded:
        return text
    if len(text.words) >= MANY:
        return Text(text.codes, in_one_form(pl.Series(text.words, dtype=pl.String)).to_list())
    return Text(text.codes, numbers_in_one_form(text.words))


def _filled(rows: Table, source: str) -> Text:
    """Message identifiers, the source's where a row has none."""
    text = rows.text("message_id")
    return Text(text.codes, [source if word is None else word for word in text.words]) if None in text.words else text


def gate_outcomes(raw: pl.DataFrame, *, recorded: bool = False, kinds: Kinds | None = None) -> Gated:
    """Check control results; those already `recorded` stand, even where they contradict themselves.

    Findings are read in the one list of kinds, by that name or by a common word for it. kinds: of the installation;
    the standard ones where absent.
    """
    kinds = kinds or standard_kinds()
    faults = [] if recorded else [Fault(*contradiction) for contradiction in contradictions(kinds.codes)]
    gated = gate(raw, OUTCOME_COLUMNS)
    if not recorded:
        gated = gated.with_rows(gated.accepted.with_columns(in_kinds(gated.accepted["findings"], kinds)))
    gated = refusing(gated, raw, OUTCOME_COLUMNS, faults)
    return gated.with_rows(gated.accepted.with_columns(pl.col("stage").fill_null("clearance")))


def spared(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Remove from rows what the gate would refuse, and return `line`, `field`, `problem` of what was left out.

    A message is not sent again for a bad cell: text loses its control characters, and an unreadable optional value
    becomes null. Required values are left for the gate.
    """
    given = received(Table.of_frame(raw), COLUMNS)
    complete = given.frame().with_columns(pl.Series("line", given.lines, pl.Int64))
    texts = [name for name, kind in complete.schema.items() if kind == pl.String]
    damaged = complete.select(pl.col(name).str.contains(CONTROL).fill_null(value=False) for name in texts)
    cleaned = complete.with_columns(pl.col(name).str.replace_all(CONTROL, " ") for name in texts if damaged[name].any())
    removals = [(name, "control or undecodable characters; taken out", damaged[name]) for name in texts]
    _, faults = _judged(received_as_is(cleaned), COLUMNS)
    optional = {column.name for column in COLUMNS if not column.required}
    for fault in faults:
        holds = pl.Series(_flags(fault))
        if fault.field in optional and holds.any():
            cleaned = cleaned.with_columns(pl.when(~holds).then(pl.col(fault.field)).alias(fault.field))
            removals.append((fault.field, f"{fault.reason}; left out", holds))
    named = [
        cleaned.filter(holds).select("line", pl.lit(field).alias("field"), pl.lit(problem).alias("problem"))
        for field, problem, holds in removals
        if holds.any()
    ]
    nothing = pl.DataFrame(schema={"line": pl.Int64, "field": pl.String, "problem": pl.String})
    return cleaned, pl.concat([nothing, *named])


def _explain(given: Received, places: Places, faults: Sequence[tuple[Fault, Flags]]) -> pl.DataFrame:
    """Return quarantine rows of some places: the first fault by name and, where a row has several, all of them.

    faults: each with the rows, among these, that it holds of.
    """
    flags = np.array([holds for _, holds in faults]).T
    first = [faults[i][0] for i in flags.argmax(axis=1)]
    every = ["; ".join(f"{faults[i][0].field}: {faults[i][0].reason}" for i in row.nonzero()[0]) for row in flags]
    return pl.DataFrame(
        {
            "line": pl.Series(given.lines[places], dtype=pl.Int64),
            "field": [fault.field for fault in first],
            "reason": [fault.reason for fault in first],
            "remedy": [fault.remedy for fault in first],
            "all_faults": every,
            "row_as_received": given.frame(places).select(pl.struct(pl.all()).struct.json_encode()).to_series(),
        },
    )


def _each_fault(lines: Places, faults: Sequence[tuple[Fault, Flags]]) -> pl.DataFrame:
    """Return FAULT_COLUMNS of every fault, by line; faults: each with the rows, among these lines, that it holds of."""
    frames = [
        pl.DataFrame({"line": pl.Series(lines[holds], dtype=pl.Int64)}).with_columns(
            pl.lit(words, pl.String).alias(name)
            for name, words in zip(FAULT_COLUMNS[1:], (fault.field, fault.reason, fault.remedy), strict=True)
        )
        for fault, holds in faults
    ]
    return pl.concat(frames).sort("line", maintain_order=True)


@lru_cache(maxsize=1)
def no_quarantine() -> pl.DataFrame:
    """Return a quarantine without rows."""
    return pl.DataFrame(schema={n: pl.Int64 if n == "line" else pl.String for n in QUARANTINE_COLUMNS})


def _without_later(gated: Gated, raw: pl.DataFrame | Table, latest: datetime) -> Gated:
    later = gated.rows.moments("lodged_at") > micros(latest)
    if not anywhere(later):
        return gated
    reason = f"more than {AHEAD.days} days after its arrival"
    remedy = "the day on which the data was lodged; correct its year, month and day"
    return refusing(gated, raw, COLUMNS, [Fault("lodged_at", reason, remedy, later)])


def _without_repeated_lines(gated: Gated, raw: pl.DataFrame | Table, versions: Versions) -> Gated:
    """Refuse a second row for the same line of the same version: counting it twice would double the goods."""
    repeated = versions.repeated(gated.rows.whole("line_no"))
    if repeated is None:
        return gated
    fault = Fault("line_no", "line given twice", "one row for each line_no of a consignment version", repeated)
    return refusing(gated, raw, COLUMNS, [fault])


def refusing(gated: Gated, raw: pl.DataFrame | Table, columns: Sequence[Column], faults: Sequence[Fault]) -> Gated:
    """Take from what the gate let through the rows of further faults; an expression may hold a column of its own."""
    if not faults:
        return gated
    judged = [(fault, _over(gated, fault.holds)) for fault in faults]
    bad = np.logical_or.reduce([holds for _, holds in judged])
    if not bad.any():
        return gated
    given = received(_table(raw), columns)
    places = np.flatnonzero(np.isin(given.lines, gated.rows.whole("line").values[bad]))
    of_bad = [(fault, holds[bad]) for fault, holds in judged]
    refused = pl.concat([gated.refused, _explain(given, places, of_bad)]).sort("line", maintain_order=True)
    every = pl.concat([gated.faults, _each_fault(given.lines[places], of_bad)]).sort("line", maintain_order=True)
    return Gated(gated.rows.taken(np.flatnonzero(~bad)), refused, gated.received, every)


def _over(gated: Gated, holds: pl.Expr | Flags) -> Flags:
    if isinstance(holds, np.ndarray):
        return holds
    return gated.accepted.select(holds.fill_null(value=False).alias("holds"))["holds"].to_numpy()
