"""The gate: every row is checked in one pass; unreadable ones are refused with line, field, reason and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import polars as pl

from features.consignment import COLUMNS, EXTRA, TIME, VERSION_KEY, Column, Kind
from features.finding_kinds import standard_kinds
from features.finding_words import in_kinds
from features.numerals import LOST_DIGITS, digits_of
from features.outcome import OUTCOME_COLUMNS, contradictions
from tests.oracle.gate.iso_times import frequent_moments, in_no_hour, rare_moments, without_zone
from tests.oracle.gate.item_numbers import in_one_form

QUARANTINE_COLUMNS = ("line", "field", "reason", "remedy", "all_faults", "row_as_received")
CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\u{FFFD}-\u{FFFF}]"
GROUP_SEPARATOR = "\x1d"  # what scanners put between the elements of a code: no damage
LARGEST = 1e12
SKIPPED = "an hour that the clocks of its zone skip"
UNDECODABLE = "\ufffd"  # replaces bytes that are not text; the gate refuses it by this mark
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
AHEAD = timedelta(days=7)  # clocks and zones differ by hours; data that is lodged later than this is a mistake


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a field; `holds` is true on the rows that it refuses."""

    field: str
    reason: str
    remedy: str
    holds: pl.Expr


@dataclass(frozen=True, slots=True)
class Gated:
    """Accepted and refused rows: always `received == accepted.height + refused.height`.

    accepted: one typed row for each valid row, with `line` (1 is the header) and every column of the contract.
    refused: QUARANTINE_COLUMNS, one row for each refused row.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame
    received: int


def gate(raw: pl.DataFrame, columns: Sequence[Column] = COLUMNS) -> Gated:
    """Check every row of `raw` (text or typed columns, with `line`) against the contract of `columns`."""
    given = _complete(raw, columns)
    checks = _checks(tuple(columns), tuple(given.schema.items()), _foreign(raw, columns))
    typed, judged = _judged(given, checks, columns)
    bad = judged.select(pl.any_horizontal(pl.all())).to_series()
    refused = _explain(given.filter(bad), judged.filter(bad), checks.faults)
    return Gated(typed.filter(~bad), refused, raw.height)


def _judged(given: pl.DataFrame, checks: _Checks, columns: Sequence[Column]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Typed rows, and a truth value for each of them and each fault."""
    typed = given.select(checks.typed)
    typed, marks = _with_rare_times(typed, given, [column.name for column in columns if column.kind == "time"])
    return typed, typed.hstack([*given.select(checks.given_columns), *marks]).select(checks.judged)


def _with_rare_times(
    typed: pl.DataFrame, given: pl.DataFrame, names: Sequence[str]
) -> tuple[pl.DataFrame, list[pl.Series]]:
    """Typed rows with times in rare forms, and of what is no time whether it lacks a zone, or its hour is skipped."""
    marks = []
    for name in names:
        unread = given[name].is_not_null() & typed[name].is_null()
        texts = pl.Series(name, [None], dtype=pl.String)
        if given.schema[name] == pl.String and unread.any():
            texts = given.select(pl.when(unread).then(pl.col(name)))[name]
            typed = typed.with_columns(pl.coalesce(pl.col(name), rare_moments(texts)).alias(name))
        elif given.height != 1:
            texts = texts.new_from_index(0, given.height)
        marks += [without_zone(texts).alias(f"zoneless_{name}"), in_no_hour(texts).alias(f"skipped_{name}")]
    return typed, marks


@dataclass(frozen=True, slots=True)
class _Checks:
    """The expressions of one contract for one set of received columns; building them costs more than one row."""

    typed: list[pl.Expr]
    given_columns: list[pl.Expr]
    judged: list[pl.Expr]
    faults: list[Fault]


@lru_cache(maxsize=32)
def _checks(
    columns: tuple[Column, ...],
    received: tuple[tuple[str, pl.DataType], ...],
    foreign: tuple[tuple[str, str], ...] = (),
) -> _Checks:
    """foreign: of columns that hold what no column of the contract does, that in words."""
    schema, in_words = pl.Schema(received), dict(foreign)
    faults = [
        fault
        for column in columns
        for fault in (
            _of_another_type(column, in_words[column.name])
            if column.name in in_words
            else _faults(column, schema[column.name])
        )
    ]
    extras = [name for name in schema if name.startswith(EXTRA)]
    faults += [_control_characters(name, pl.col(name)) for name in extras if schema[name] == pl.String]
    return _Checks(
        typed=[
            pl.col("line").cast(pl.Int64),
            *(_typed(c, schema[c.name]) for c in columns),
            *(pl.col(n) for n in extras),
        ],
        given_columns=[pl.col(c.name).alias(f"given_{c.name}") for c in columns],
        judged=[fault.holds.fill_null(False).alias(str(i)) for i, fault in enumerate(faults)],
        faults=faults,
    )


def gate_manifest(raw: pl.DataFrame, source: str, arrived: datetime | None = None, *, recorded: bool = False) -> Gated:
    """Check rows of the flat manifest; rows without a message take the name of their `source`.

    arrived: moment of arrival; a row lodged long after it cannot be true, and is refused. recorded: the rows stand on
    record, where numbers of items stay as they were once written; all others get their one form.
    """
    gated = gate(raw, COLUMNS)
    if arrived is not None:
        gated = refusing(gated, raw, COLUMNS, [_lodged_after(arrived + AHEAD)])
    accepted = (
        gated.accepted if recorded else gated.accepted.with_columns(in_one_form(gated.accepted["consignment_id"]))
    )
    accepted = accepted.with_columns(
        pl.col("message_id").fill_null(source),
        pl.col("version").fill_null(1),
        *(pl.col(c).str.to_uppercase() for c in (*COUNTRIES, "transit_countries")),
        pl.col("currency").str.to_uppercase(),
    )
    accepted = accepted.with_columns(_missing_line_numbers())
    return _without_repeated_lines(Gated(accepted, gated.refused, gated.received), raw)


def gate_outcomes(raw: pl.DataFrame, *, recorded: bool = False) -> Gated:
    """Check control results; those already `recorded` stand, even where they contradict themselves.

    Findings are read in the one list of kinds, by that name or by a common word for it.
    """
    faults = [] if recorded else [Fault(*contradiction) for contradiction in contradictions(standard_kinds().codes)]
    gated = gate(raw, OUTCOME_COLUMNS)
    if not recorded:
        read = gated.accepted.with_columns(in_kinds(gated.accepted["findings"], standard_kinds()))
        gated = Gated(read, gated.refused, gated.received)
    gated = refusing(gated, raw, OUTCOME_COLUMNS, faults)
    return Gated(gated.accepted.with_columns(pl.col("stage").fill_null("clearance")), gated.refused, gated.received)


def spared(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Remove from rows what the gate would refuse, and return `line`, `field`, `problem` of what was left out.

    A message is not sent again for a bad cell: text loses its control characters, and an unreadable optional value
    becomes null. Required values are left for the gate.
    """
    given = _complete(raw, COLUMNS)
    texts = [name for name, kind in given.schema.items() if kind == pl.String]
    damaged = given.select(pl.col(name).str.contains(CONTROL).fill_null(False) for name in texts)
    cleaned = given.with_columns(pl.col(name).str.replace_all(CONTROL, " ") for name in texts if damaged[name].any())
    removals = [(name, "control or undecodable characters; taken out", damaged[name]) for name in texts]
    checks = _checks(COLUMNS, tuple(cleaned.schema.items()))
    _, judged = _judged(cleaned, checks, COLUMNS)
    optional = {column.name for column in COLUMNS if not column.required}
    for fault, holds in zip(checks.faults, judged, strict=True):
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


COUNTRIES = (
    "dispatch_country",
    "destination_country",
    "consignor_country",
    "consignee_country",
    "goods_origin_country",
)


def _complete(raw: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Add missing columns of the contract, as text, numbers or times; empty text becomes null."""
    missing = [pl.lit(None, pl.String).alias(c.name) for c in columns if c.name not in raw.columns]
    if "line" not in raw.columns:
        raw = raw.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("line"))
    converted = [
        _plain(raw[n])
        for n, t in raw.schema.items()
        if not (t in PLAIN or t.is_numeric() or isinstance(t, pl.Datetime))
    ]
    raw = raw.with_columns(converted) if converted else raw
    texts = [_stripped(n) for n, t in raw.schema.items() if t == pl.String]
    return raw.with_columns(*texts, *missing)


def _stripped(name: str) -> pl.Expr:
    """Return a text without space around it, null where nothing is left; of a scanned code its separators as words."""
    text = pl.col(name)
    if name == "product_code":
        text = text.str.replace_all(GROUP_SEPARATOR, "<GS>", literal=True)
    return text.str.strip_chars().replace("", None)


PLAIN = (pl.String, pl.Null, pl.Datetime, pl.Date)


def _plain(column: pl.Series) -> pl.Series:
    """Convert Boolean, enumerated and binary columns to text; others get a mark that the gate refuses."""
    if column.dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Binary:
        texts = [None if cell is None else cell.decode("utf-8", errors="replace") for cell in column]
        return pl.Series(column.name, texts, dtype=pl.String)
    return pl.select(pl.when(column.is_not_null()).then(pl.lit(UNDECODABLE)).alias(column.name)).to_series()


def _foreign(raw: pl.DataFrame, columns: Sequence[Column]) -> tuple[tuple[str, str], ...]:
    """Columns that hold what those of the contract cannot, such as lists or dates where text is wanted, in words."""
    kinds = {column.name: column.kind for column in columns}
    named = [(name, _in_words(dtype, kinds[name])) for name, dtype in raw.schema.items() if name in kinds]
    return tuple((name, words) for name, words in named if words)


def _in_words(dtype: pl.DataType, kind: Kind) -> str:
    """What a column of this type holds, where a column of the contract's kind cannot; empty where it can."""
    if dtype.is_nested():
        return "a record" if isinstance(dtype, pl.Struct) else "a list"
    if dtype.is_temporal() and kind != "time":
        return {"Duration": "a duration", "Time": "a time of day"}.get(str(dtype.base_type()), "a date")
    if dtype == pl.Object:
        return "an object"
    return "bytes" if dtype == pl.Binary and kind != "text" else ""


def _of_another_type(column: Column, words: str) -> Iterable[Fault]:
    wanted = {"text": "text", "time": "a time"}.get(column.kind, "a number")
    if column.required:
        yield _missing(column.name, pl.col(f"given_{column.name}").is_null())
    yield Fault(
        column.name,
        f"{words} where {wanted} is wanted",
        f"write the column as {wanted}, one value in a cell",
        pl.col(f"given_{column.name}").is_not_null(),
    )


def _typed(column: Column, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "text":
        if dtype.is_float():
            return digits_of(value)
        if dtype.is_decimal():
            return value.cast(pl.String).str.replace(r"\.0+$", "")
        return value if dtype == pl.String else value.cast(pl.String, strict=False)
    if column.kind == "time":
        return _time(value, dtype).alias(column.name)
    if column.kind == "whole":
        return value.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    return value.cast(pl.Float64, strict=False)


def _time(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.Datetime):
        return value.dt.convert_time_zone("UTC").dt.cast_time_unit("us") if dtype.time_zone else _never(TIME)
    if dtype != pl.String:
        return _never(TIME)
    return frequent_moments(value)


def _never(dtype: pl.DataType) -> pl.Expr:
    return pl.lit(None, dtype)


def _faults(column: Column, dtype: pl.DataType) -> Iterable[Fault]:
    name, given, value = column.name, pl.col(f"given_{column.name}"), pl.col(column.name)
    if column.required:
        yield _missing(name, value.is_null() if dtype.is_float() and column.kind == "text" else given.is_null())
    if column.kind == "text" and (dtype == pl.String or dtype.is_float()):
        lost = (value if dtype.is_float() else given) == LOST_DIGITS
        yield Fault(name, "a number whose last digits are lost", "write the column as text: a number keeps 15", lost)
    if dtype == pl.String:
        yield Fault(
            name,
            "longer than allowed",
            f"at most {column.longest} characters",
            given.str.len_bytes().gt(column.longest) & given.str.len_chars().gt(column.longest),
        )
        yield _control_characters(name, given)
    if column.choices:
        yield Fault(name, "unknown word", f"one of {', '.join(column.choices)}", ~value.is_in(column.choices))
    if column.kind == "time":
        yield from _time_faults(name, given, value, dtype)
    elif column.kind in ("number", "whole"):
        yield from _number_faults(column, given, value, dtype)


def _missing(name: str, holds: pl.Expr) -> Fault:
    return Fault(name, "missing", "every row must state it", holds)


def _control_characters(name: str, text: pl.Expr) -> Fault:
    return Fault(
        name,
        "control or undecodable characters",
        "send printable text only",
        text.str.contains(CONTROL) & (text != LOST_DIGITS),
    )


def _time_faults(name: str, given: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Iterable[Fault]:
    remedy = "ISO 8601 with zone, such as 2026-03-01T08:15:00Z"
    yield Fault(name, "time out of range", "a day from 2000 to 2099", (value < EARLIEST) | (value >= LATEST))
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            yield Fault(name, "time without a zone", remedy, given.is_not_null())
        return
    if dtype != pl.String:
        reason = "a day without a time of day" if dtype == pl.Date else "not a time"
        yield Fault(name, reason, remedy, given.is_not_null())
        return
    unread, zoneless, skipped = (
        value.is_null() & given.is_not_null(),
        pl.col(f"zoneless_{name}"),
        pl.col(f"skipped_{name}"),
    )
    yield Fault(name, SKIPPED, "the clocks go forward in it: correct the hour, or state its offset", unread & skipped)
    yield Fault(name, "time without a zone", remedy, unread & zoneless & ~skipped)
    yield Fault(name, "not a time", remedy, unread & ~zoneless & ~skipped)


def _number_faults(column: Column, given: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Iterable[Fault]:
    name = column.name
    number = given.cast(pl.Float64, strict=False) if dtype == pl.String or dtype.is_numeric() else _never(pl.Float64())
    unreadable = given.is_not_null() & (number.is_null() | (number.is_nan() if dtype == pl.String else False))
    yield Fault(name, "not a number", "a decimal number with a point, without thousands separators", unreadable)
    yield Fault(name, "not finite", "a finite number", number.is_infinite() | number.is_nan())
    yield Fault(name, "negative", "zero or more", number < 0)
    yield Fault(name, "too large", f"at most {LARGEST:g}", number.is_finite() & (number > LARGEST))
    if column.kind == "whole":
        yield Fault(
            name, "not a whole number from 1", "1, 2, 3, …", number.is_finite() & ((number < 1) | (number % 1 != 0))
        )
    if name == "selection_probability":
        yield Fault(name, "not a probability", "greater than 0, at most 1", (value <= 0) | (value > 1))


def _explain(rows: pl.DataFrame, judged: pl.DataFrame, faults: Sequence[Fault]) -> pl.DataFrame:
    """Return quarantine rows: the first fault by name and, where a row has several, all of them."""
    if rows.is_empty():
        return no_quarantine()
    flags = judged.to_numpy()
    first = [faults[i] for i in flags.argmax(axis=1)]
    every = ["; ".join(f"{faults[i].field}: {faults[i].reason}" for i in row.nonzero()[0]) for row in flags]
    return pl.DataFrame(
        {
            "line": rows["line"].cast(pl.Int64),
            "field": [f.field for f in first],
            "reason": [f.reason for f in first],
            "remedy": [f.remedy for f in first],
            "all_faults": every,
            "row_as_received": rows.select(pl.struct(pl.exclude("line")).struct.json_encode()).to_series(),
        },
    )


def no_quarantine() -> pl.DataFrame:
    """Return a quarantine without rows."""
    return pl.DataFrame(schema={n: pl.Int64 if n == "line" else pl.String for n in QUARANTINE_COLUMNS})


def _missing_line_numbers() -> pl.Expr:
    """Number lines without a number, from the highest number of their version on."""
    line_no = pl.col("line_no")
    highest = line_no.max().over(VERSION_KEY).fill_null(0)
    return pl.coalesce(line_no, highest + line_no.is_null().cast(pl.Int64).cum_sum().over(VERSION_KEY)).alias("line_no")


def _lodged_after(latest: datetime) -> Fault:
    return Fault(
        "lodged_at",
        f"more than {AHEAD.days} days after its arrival",
        "the day on which the data was lodged; correct its year, month and day",
        pl.col("lodged_at") > latest,
    )


def _without_repeated_lines(gated: Gated, raw: pl.DataFrame) -> Gated:
    """Refuse a second row for the same line of the same version: counting it twice would double the goods."""
    repeated = ~pl.struct(*VERSION_KEY, "line_no").is_first_distinct()
    fault = Fault("line_no", "line given twice", "one row for each line_no of a consignment version", repeated)
    return refusing(gated, raw, COLUMNS, [fault])


def refusing(gated: Gated, raw: pl.DataFrame, columns: Sequence[Column], faults: Sequence[Fault]) -> Gated:
    """Take from what the gate let through the rows of further faults; an expression may hold a column of its own."""
    if not faults:
        return gated
    judged = gated.accepted.select(fault.holds.fill_null(False).alias(str(i)) for i, fault in enumerate(faults))
    bad = judged.select(pl.any_horizontal(pl.all())).to_series()
    if not bad.any():
        return gated
    rows = _complete(raw, columns).filter(pl.col("line").is_in(gated.accepted.filter(bad)["line"].implode()))
    refused = pl.concat([gated.refused, _explain(rows, judged.filter(bad), faults)])
    return Gated(gated.accepted.filter(~bad), refused.sort("line", maintain_order=True), gated.received)
