"""Numbers as spreadsheets and table tools write them, turned into the contract's text: digits and a decimal point."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Literal

import polars as pl

EXACT = 2.0**53  # whole numbers up to here are exact as floats, and beyond it those of no more than
DIGITS = 15  # significant digits
LOST_DIGITS = "(last digits lost)"  # stands for a float whose last digits are not those that were meant
Sign = Literal[".", ","]
SIGNS: tuple[Sign, ...] = (".", ",")
SPACES = r" \u{A0}\u{2009}\u{202F}"
GROUPINGS = {"": "", ",": ",", ".": r"\.", "'": r"'\u{2019}", " ": SPACES}  # of thousands, and how each is written
BESIDE: dict[Sign, str] = {".": "", ",": rf"\.{SPACES}"}  # those of thousands where only the decimal sign is stated
COMMA = r"^[+-]?[0-9]+,[0-9]*$"
EITHER = r"^[+-]?[1-9][0-9]{0,2},[0-9]{3}$"  # 1,234: thousands or a fraction, nobody can say
THOUSANDS = r"^[+-]?[0-9]{1,3}(?:(?:,[0-9]{2,3})*,[0-9]{3}\.[0-9]*|(?:,[0-9]{3}){2,})$"  # 1,234.5 and 1,234,567


def digits_of(number: pl.Expr) -> pl.Expr:
    """A column of floats as text: a whole number is its digits, for a table tool makes floats where a cell is empty.

    One beyond the digits that a float keeps is LOST_DIGITS, and what is no number is null.
    """
    whole = number.is_finite() & (number == number.round())
    kept = number.abs() < EXACT
    digits = pl.when(whole & kept).then(number).cast(pl.Int64, strict=False).cast(pl.String)
    large = pl.when(whole & ~kept).then(number).map_batches(_large, return_dtype=pl.String)
    return pl.coalesce(digits, large, pl.when(number.is_not_nan()).then(number).cast(pl.String, strict=False))


def _large(numbers: pl.Series) -> pl.Series:
    return pl.Series([None if number is None else digits_of_one(number) for number in numbers], dtype=pl.String)


def digits_of_one(number: float) -> str:
    """A whole float as its digits, or LOST_DIGITS.

    Beyond EXACT the shortest text that means the float is what was written, unless it has more digits than one keeps.
    """
    if abs(number) < EXACT:
        return str(int(number))
    digits = format(Decimal(repr(number)), "f").removesuffix(".0")
    return digits if len(digits.lstrip("-").rstrip("0")) <= DIGITS else LOST_DIGITS


def with_decimal_point(text: pl.Expr, decimal: Sign = ",", grouping: str = "") -> pl.Expr:
    """Text numbers with this decimal sign and sign of thousands, with a point alone; any other text stays as it is.

    grouping: a key of GROUPINGS; where it is empty, points and spaces group thousands beside a decimal comma.
    """
    groups = GROUPINGS[grouping] or BESIDE[decimal]
    if not groups and decimal == ".":
        return text
    plain, sign = text.str.strip_chars(), re.escape(decimal)
    grouped = rf"^[+-]?[0-9]{{1,3}}(?:[{groups}][0-9]{{2,3}})*[{groups}][0-9]{{3}}(?:{sign}[0-9]*)?$"
    alone = rf"^[+-]?[0-9]+{sign}[0-9]*$"
    point = plain.str.replace_all(f"[{groups}]", "").str.replace(decimal, ".", literal=True)
    return pl.when(plain.str.contains(grouped) | plain.str.contains(alone)).then(point).otherwise(text)


def comma_of(text: pl.Expr) -> pl.Expr:
    """What the comma of a written number is: its decimal sign, one of thousands, or either; null where it has none."""
    plain, spaced = text.str.strip_chars(), rf"^[+-]?[0-9]{{1,3}}(?:[.'{SPACES}][0-9]{{3}})+,[0-9]*$"
    return (
        pl.when(plain.str.contains(EITHER))
        .then(pl.lit("either"))
        .when(plain.str.contains(COMMA) | plain.str.contains(spaced))
        .then(pl.lit("decimal"))
        .when(plain.str.contains(THOUSANDS))
        .then(pl.lit("thousands"))
    )
