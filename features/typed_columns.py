"""Columns that a file keeps as numbers, times or days, read as the contract has them, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import polars as pl

from features import column_faults as faulty
from features.algebra.written import flags_of
from features.column_faults import EARLIEST, LARGEST, LATEST, Fault, fault
from features.consignment import TIME, Column
from features.numerals import LOST_DIGITS, digits_of

GIVEN = "given"


def read_typed(column: Column, given: pl.Series, faults: list[Fault]) -> pl.Series:
    """Return the cells of a column of another type than text; what is wrong with it is added to the faults."""
    frame = given.alias(column.name).to_frame()
    read = frame.with_columns(_typed(column, given.dtype).alias(column.name)).to_series()
    faults += _judged(_faults(column, given.dtype), read.to_frame().hstack([given.alias(GIVEN)]))
    return read


def read_foreign(column: Column, given: pl.Series, words: str, faults: list[Fault]) -> pl.Series:
    """Return the cells of a column that holds what no column of the contract does, in words; each is refused."""
    frame = given.alias(column.name).to_frame()
    faults += _judged(_of_another_type(column, words), frame.hstack([given.alias(GIVEN)]))
    return given.alias(column.name).to_frame().with_columns(_typed(column, given.dtype).alias(column.name)).to_series()


def _judged(faults: Iterable[Fault], frame: pl.DataFrame) -> Iterator[Fault]:
    for one in faults:
        holds = flags_of(frame.select(one.holds).to_series())
        if holds is not None:
            yield Fault(one.field, one.reason, one.remedy, holds)


def _of_another_type(column: Column, words: str) -> Iterator[Fault]:
    wanted = {"text": "text", "time": "a time"}.get(column.kind, "a number")
    if column.required:
        yield fault(column.name, faulty.MISSING, pl.col(GIVEN).is_null())
    yield Fault(
        column.name,
        f"{words} where {wanted} is wanted",
        f"write the column as {wanted}, one value in a cell",
        pl.col(GIVEN).is_not_null(),
    )


def _typed(column: Column, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column.name)
    if column.kind == "text":
        if dtype.is_float():
            return digits_of(value)
        if dtype.is_decimal():
            return value.cast(pl.String).str.replace(r"\.0+$", "")
        return value.cast(pl.String, strict=False)
    if column.kind == "time":
        if not isinstance(dtype, pl.Datetime) or not dtype.time_zone:
            return pl.lit(None, TIME)
        return value.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    number = value.cast(pl.Float64, strict=False)
    return number.cast(pl.Int64, strict=False) if column.kind == "whole" else number


def _faults(column: Column, dtype: pl.DataType) -> Iterator[Fault]:
    name, given, value = column.name, pl.col(GIVEN), pl.col(column.name)
    as_digits = dtype.is_float() and column.kind == "text"
    if column.required:
        yield fault(name, faulty.MISSING, value.is_null() if as_digits else given.is_null())
    if as_digits:
        yield fault(name, faulty.LOST, value == LOST_DIGITS)
    if column.choices:
        yield Fault(name, faulty.UNKNOWN_WORD, f"one of {', '.join(column.choices)}", ~value.is_in(column.choices))
    if column.kind == "time":
        yield from _time_faults(name, given, value, dtype)
    elif column.kind in ("number", "whole"):
        yield from _number_faults(column, given, value, dtype)


def _time_faults(name: str, given: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Iterator[Fault]:
    yield fault(name, faulty.OUT_OF_RANGE, (value < EARLIEST) | (value >= LATEST))
    if not isinstance(dtype, pl.Datetime):
        reason = "a day without a time of day" if dtype == pl.Date else faulty.NO_TIME
        yield Fault(name, reason, faulty.ZONED, given.is_not_null())
    elif dtype.time_zone is None:
        yield fault(name, faulty.ZONELESS, given.is_not_null())


def _number_faults(column: Column, given: pl.Expr, value: pl.Expr, dtype: pl.DataType) -> Iterator[Fault]:
    name = column.name
    number = given.cast(pl.Float64, strict=False) if dtype.is_numeric() else pl.lit(None, pl.Float64)
    unreadable = given.is_not_null() & number.is_null()
    yield fault(name, faulty.NO_NUMBER, unreadable)
    yield fault(name, faulty.INFINITE, number.is_infinite() | number.is_nan())
    yield fault(name, faulty.NEGATIVE, number < 0)
    yield fault(name, faulty.TOO_LARGE, number.is_finite() & (number > LARGEST))
    if column.kind == "whole":
        yield fault(name, faulty.NOT_WHOLE, number.is_finite() & ((number < 1) | (number % 1 != 0)))
    if name == faulty.PROBABILITY:
        yield fault(name, faulty.NO_PROBABILITY, (value <= 0) | (value > 1))
