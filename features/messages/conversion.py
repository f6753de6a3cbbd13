"""Cells of a foreign column in the contract's form: numbers, masses, times and words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import polars as pl

from features.iso_times import in_utc, local_in_utc
from features.messages.code_lists import POUND
from features.numerals import Sign, digits_of, with_decimal_point

SerialDates = Literal["1900", "1904"]
DAY_ZERO: dict[SerialDates, datetime] = {  # of the serial numbers in which spreadsheets keep dates
    "1900": datetime(1899, 12, 30),  # noqa: DTZ001 - Excel, LibreOffice; right from March 1900 on
    "1904": datetime(1904, 1, 1),  # noqa: DTZ001 - Excel for Mac until 2011, and workbooks that come from it
}
SECONDS_OF_A_DAY = 86_400
KILOGRAMS = {"kg": 1.0, "g": 0.001, "mg": 1e-6, "t": 1000.0, "lb": POUND, "oz": POUND / 16}


@dataclass(frozen=True, slots=True)
class Convert:
    """The conversion of a column to the contract's form.

    format, zone: of times; a zone alone is that of times in ISO 8601 that state none. serial: times are spreadsheet
    serial numbers. decimal, grouping: signs of numbers. times: a factor. unit: of a mass. words: a word list. pad:
    zeros before a code up to so many characters. add_days: days added to a time.
    """

    format: str | None = None
    zone: str | None = None
    serial: SerialDates | None = None
    decimal: Sign = "."
    grouping: str = ""
    times: float | None = None
    unit: str | None = None
    words: Mapping[str, str] | None = None
    pad: int | None = None
    add_days: int = 0

    def apply(self, value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
        """Return `value` as text in the contract's form; unconvertible values are unchanged, for the gate to refuse.

        dtype: of the column as it was received.
        """
        if isinstance(dtype, pl.Datetime) and dtype.time_zone is None and self.zone is not None:
            return in_utc(value.dt.cast_time_unit("us"), self.zone)
        text = (digits_of(value) if dtype.is_float() else value.cast(pl.String, strict=False)).str.strip_chars()
        if self.words is not None:
            text = text.replace(dict(self.words))
        if self.pad is not None:
            text = text.str.zfill(self.pad)
        text = with_decimal_point(text, self.decimal, self.grouping)
        factor = (self.times or 1.0) * KILOGRAMS[self.unit or "kg"]
        if self.times is not None or self.unit is not None:
            text = pl.coalesce((text.cast(pl.Float64, strict=False) * factor).cast(pl.String), text)
        if self.format is not None or self.serial is not None:
            return pl.coalesce(self._in_utc(self._local(text)), text)
        return text if self.zone is None else local_in_utc(text, self.zone)

    def _local(self, text: pl.Expr) -> pl.Expr:
        if self.serial is None:
            return text.str.to_datetime(self.format, time_unit="us", strict=False)
        seconds = (text.cast(pl.Float64, strict=False) * SECONDS_OF_A_DAY).round()
        since = pl.when(seconds.is_between(0, 200_000 * SECONDS_OF_A_DAY)).then(seconds)
        return pl.lit(DAY_ZERO[self.serial]).dt.cast_time_unit("us") + pl.duration(seconds=since)

    def _in_utc(self, local: pl.Expr) -> pl.Expr:
        days = local.dt.offset_by(f"{self.add_days}d") if self.add_days else local
        return in_utc(days, self.zone or "UTC")
