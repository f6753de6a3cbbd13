"""Numbers of items as people write them, in the one form that they have (`item_numbers.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

TABLE = Path(__file__).with_name("item_numbers.toml")
BETWEEN = r"[\s.()\-\u00ad\u200b-\u200f\u2010-\u2015\u2060\u2212\ufeff]+"  # also dashes and what nobody sees
PLAIN = r"^[A-Z0-9]*$"
IS_PLAIN, BETWEEN_IN_ASCII = re.compile(r"[A-Z0-9]*"), re.compile(r"[ \t-\r.()\-]+")
LONGEST = 60  # characters of a number with all that stands between its groups


@lru_cache(maxsize=1)
def _forms() -> str:
    forms = tomllib.loads(TABLE.read_text(encoding="utf-8"))["form"]
    return f"^(?:{'|'.join(form['pattern'] for form in forms)})$"


def numbers_in_one_form(written: Sequence[str | None]) -> list[str | None]:
    """Return a few numbers as `in_one_form` returns a column of them."""
    return [number if number is None or IS_PLAIN.fullmatch(number) else _formed(number) for number in written]


def _formed(number: str) -> str:
    if len(number) > LONGEST:
        return number
    if not number.isascii():
        return str(in_one_form(pl.Series([number]))[0])  # by polars' tables of Unicode on every Python
    plain = BETWEEN_IN_ASCII.sub("", number).upper()
    return plain if _form().fullmatch(plain) else number


@lru_cache(maxsize=1)
def _form() -> re.Pattern[str]:
    return re.compile(_forms()[1:-1])


def item_number(written: str) -> str:
    """Return the one form of a number that has one; any other as it is written."""
    if len(written) > LONGEST or re.match(PLAIN, written):
        return written
    plain = without_groups(written)
    return plain if re.match(_forms(), plain) else written


def without_groups(written: str) -> str:
    """Return a number in capitals, without what stands between its groups."""
    return re.sub(BETWEEN, "", unicodedata.normalize("NFKC", written)).upper()


def in_one_form(numbers: pl.Series) -> pl.Series:
    """Return a column of numbers (text), those that have one form in it; the others stay."""
    odd = ~numbers.str.contains(PLAIN).fill_null(True)
    if not odd.any():
        return numbers
    written = numbers.filter(odd)
    plain = written.str.normalize("NFKC").str.replace_all(BETWEEN, "").str.to_uppercase()
    formed = plain.str.contains(_forms()) & (written.str.len_chars() <= LONGEST)
    return numbers.scatter(odd.arg_true(), plain.zip_with(formed, written))
