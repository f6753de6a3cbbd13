"""The gate: every row through one pass; what cannot be read is refused with its line, field, reason and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import polars as pl

from features.consignment import COLUMNS, EXTRA, TIME, VERSION_KEY, Column
from features.outcome import OUTCOME_COLUMNS

QUARANTINE_COLUMNS = ("line", "field", "reason", "remedy", "all_faults", "row_as_received")
CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\u{FFFD}-\u{FFFF}]"
ZONED = r"(?:Z|z|[+-][0-9]{2}:?[0-9]{2})$"
LARGEST = 1e12
UNDECODABLE = "\ufffd"  # stands for what is no text at all; the gate refuses it by this mark
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a field can be refused; `holds` is true on the rows that it refuses."""

    field: str
    reason: str
    remedy: str
    holds: pl.Expr


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate let through and what it refused: `received == accepted.height + refused.height`, always.

    accepted: one typed row for each good row, with `line` (1 is the header) and every column of the contract.
    refused: QUARANTINE_COLUMNS, one row for each refused row.
    """

    accepted: pl.DataFrame
    refused: pl.DataFrame
    received: int


def gate(raw: pl.DataFrame, columns: Sequence[Column] = COLUMNS) -> Gated:
    """Judge every row of `raw` (text or typed columns, with `line`) against the contract of `columns`."""
    given = _complete(raw, columns)
    checks = _checks(tuple(columns), tuple(given.schema.items()))
    typed = given.select(checks.typed)
    beside = typed.hstack(given.select(checks.beside))
    judged = beside.select(checks.judged)
    bad = judged.select(pl.any_horizontal(pl.all())).to_series()
    refused = _explain(given.filter(bad), judged.filter(bad), checks.faults)
    return Gated(typed.filter(~bad), refused, raw.height)


@dataclass(frozen=True, slots=True)
class _Checks:
    """The expressions of one contract for one set of received columns; building them costs more than one row."""

    typed: list[pl.Expr]
    beside: list[pl.Expr]
    judged: list[pl.Expr]
    faults: list[Fault]


@lru_cache(maxsize=32)
def _checks(columns: tuple[Column, ...], received: tuple[tuple[str, pl.DataType], ...]) -> _Checks:
    schema = pl.Schema(received)
    faults = [fault for column in columns for fault in _faults(column, schema[column.name])]
    extras = [name for name in schema if name.startswith(EXTRA)]
    faults += [_control_characters(name, pl.col(name)) for name in extras if schema[name] == pl.String]
    return _Checks(
        typed=[
            pl.col("line").cast(pl.Int64),
            *(_typed(c, schema[c.name]) for c in columns),
            *(pl.col(n) for n in extras),
        ],
        beside=[pl.col(c.name).alias(f"given_{c.name}") for c in columns],
        judged=[fault.holds.fill_null(False).alias(str(i)) for i, fault in enumerate(faults)],
        faults=faults,
    )


def gate_manifest(raw: pl.DataFrame, source: str) -> Gated:
    """The gate for rows of the flat manifest; rows without a message take the name of their `source`."""
    gated = gate(raw, COLUMNS)
    accepted = gated.accepted.with_columns(
        pl.col("message_id").fill_null(source),
        pl.col("version").fill_null(1),
        *(pl.col(c).str.to_uppercase() for c in (*COUNTRIES, "transit_countries")),
        pl.col("currency").str.to_uppercase(),
    )
    accepted = accepted.with_columns(_missing_line_numbers())
    return _without_repeated_lines(Gated(accepted, gated.refused, gated.received), raw)


def gate_outcomes(raw: pl.DataFrame) -> Gated:
    """The gate for inspection results."""
    gated = gate(raw, OUTCOME_COLUMNS)
    return Gated(gated.accepted.with_columns(pl.col("stage").fill_null("clearance")), gated.refused, gated.received)


def spared(raw: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows without what the gate would refuse them for, and `line`, `field`, `problem` of what was left out.

    A message is not sent again for a bad cell: text loses its control characters, and an optional value that cannot be
    read becomes unknown. What every row must state is left for the gate.
    """
    given = _complete(raw, COLUMNS)
    texts = [name for name, kind in given.schema.items() if kind == pl.String]
    damaged = given.select(pl.col(name).str.contains(CONTROL).fill_null(False) for name in texts)
    cleaned = given.with_columns(pl.col(name).str.replace_all(CONTROL, " ") for name in texts if damaged[name].any())
    odd = [(name, "control or undecodable characters; taken out", damaged[name]) for name in texts]
    checks = _checks(COLUMNS, tuple(cleaned.schema.items()))
    typed = cleaned.select(checks.typed)
    judged = typed.hstack(cleaned.select(checks.beside)).select(checks.judged)
    optional = {column.name for column in COLUMNS if not column.required}
    for fault, holds in zip(checks.faults, judged, strict=True):
        if fault.field in optional and holds.any():
            cleaned = cleaned.with_columns(pl.when(~holds).then(pl.col(fault.field)).alias(fault.field))
            odd.append((fault.field, f"{fault.reason}; left out", holds))
    named = [
        cleaned.filter(holds).select("line", pl.lit(field).alias("field"), pl.lit(problem).alias("problem"))
        for field, problem, holds in odd
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
    """All columns of the contract present, as text, numbers or times; empty text is unknown."""
    missing = [pl.lit(None, pl.String).alias(c.name) for c in columns if c.name not in raw.columns]
    if "line" not in raw.columns:
        raw = raw.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("line"))
    odd = [
        _plain(raw[n])
        for n, t in raw.schema.items()
        if not (t in PLAIN or t.is_numeric() or isinstance(t, pl.Datetime))
    ]
    raw = raw.with_columns(odd) if odd else raw
    texts = [pl.col(n).str.strip_chars().replace("", None) for n, t in raw.schema.items() if t == pl.String]
    return raw.with_columns(*texts, *missing)


PLAIN = (pl.String, pl.Null, pl.Datetime, pl.Date)


def _plain(column: pl.Series) -> pl.Series:
    """Boolean, enumerated and binary columns as text; what can be no text bears a mark that the gate refuses."""
    if column.dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        return column.cast(pl.String)
    if column.dtype == pl.Binary:
        texts = [None if cell is None else cell.decode("utf-8", errors="replace") for cell in column]
        return pl.Series(column.name, texts, dtype=pl.String)
    return pl.select(pl.when(column.is_not_null()).then(pl.lit(UNDECODABLE)).alias(column.name)).to_series()


def _typed(column: Column, found: pl.DataType) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "text":
        return value if found == pl.String else value.cast(pl.String, strict=False)
    if column.kind == "time":
        return _time(value, found).alias(column.name)
    if column.kind == "whole":
        return value.cast(pl.Float64, strict=False).cast(pl.Int64, strict=False)
    return value.cast(pl.Float64, strict=False)


def _time(value: pl.Expr, found: pl.DataType) -> pl.Expr:
    if isinstance(found, pl.Datetime):
        return value.dt.convert_time_zone("UTC").dt.cast_time_unit("us") if found.time_zone else _never(TIME)
    if found != pl.String:
        return _never(TIME)
    text = value.str.replace(" ", "T", literal=True)
    at_zero = text.str.ends_with("Z") | text.str.ends_with("z")
    text = pl.when(at_zero).then(text.str.head(-1) + "+00:00").otherwise(text)
    formats = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%dT%H:%M%:z")
    return pl.coalesce(text.str.to_datetime(f, time_unit="us", time_zone="UTC", strict=False) for f in formats)


def _never(dtype: pl.DataType) -> pl.Expr:
    return pl.lit(None, dtype)


def _faults(column: Column, found: pl.DataType) -> Iterable[Fault]:
    name, given, value = column.name, pl.col(f"given_{column.name}"), pl.col(column.name)
    if column.required:
        yield Fault(name, "missing", "every row must state it", given.is_null())
    if found == pl.String:
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
        yield from _time_faults(name, given, value, found)
    elif column.kind in ("number", "whole"):
        yield from _number_faults(column, given, value, found)


def _control_characters(name: str, text: pl.Expr) -> Fault:
    return Fault(name, "control or undecodable characters", "send printable text only", text.str.contains(CONTROL))


def _time_faults(name: str, given: pl.Expr, value: pl.Expr, found: pl.DataType) -> Iterable[Fault]:
    remedy = "ISO 8601 with zone, such as 2026-03-01T08:15:00Z"
    yield Fault(name, "time out of range", "a day from 2000 to 2099", (value < EARLIEST) | (value >= LATEST))
    if isinstance(found, pl.Datetime):
        if found.time_zone is None:
            yield Fault(name, "time without a zone", remedy, given.is_not_null())
        return
    if found != pl.String:
        yield Fault(name, "not a time", remedy, given.is_not_null())
        return
    zoned = given.str.contains(ZONED)
    dated = given.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}")
    yield Fault(name, "time without a zone", remedy, dated & ~zoned)
    yield Fault(name, "not a time", remedy, value.is_null() & (zoned | ~dated))


def _number_faults(column: Column, given: pl.Expr, value: pl.Expr, found: pl.DataType) -> Iterable[Fault]:
    name = column.name
    number = given.cast(pl.Float64, strict=False) if found == pl.String or found.is_numeric() else _never(pl.Float64())
    unreadable = given.is_not_null() & (number.is_null() | (number.is_nan() if found == pl.String else False))
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
    """Quarantine rows: the first fault by name and, where a row has several, all of them."""
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
    """A quarantine without rows."""
    return pl.DataFrame(schema={n: pl.Int64 if n == "line" else pl.String for n in QUARANTINE_COLUMNS})


def _missing_line_numbers() -> pl.Expr:
    """Lines without a number are numbered on from the highest that their version states."""
    line_no = pl.col("line_no")
    highest = line_no.max().over(VERSION_KEY).fill_null(0)
    return pl.coalesce(line_no, highest + line_no.is_null().cast(pl.Int64).cum_sum().over(VERSION_KEY)).alias("line_no")


def _without_repeated_lines(gated: Gated, raw: pl.DataFrame) -> Gated:
    """Refuse a second row for the same line of the same version: counting it twice would double the goods."""
    repeated = ~gated.accepted.select(pl.struct(*VERSION_KEY, "line_no").is_first_distinct()).to_series()
    if not repeated.any():
        return gated
    lines = gated.accepted.filter(repeated)["line"].implode()
    rows = _complete(raw, COLUMNS).filter(pl.col("line").is_in(lines))
    fault = Fault("line_no", "line given twice", "one row for each line_no of a consignment version", pl.lit(True))
    refused = _explain(rows, pl.DataFrame({"0": [True] * rows.height}), [fault])
    everything = pl.concat([gated.refused, refused]).sort("line", maintain_order=True)
    return Gated(gated.accepted.filter(~repeated), everything, gated.received)
