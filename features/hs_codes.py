"""Codes of the Harmonized System in the one form in which they are compared: digits alone.

Dots, spaces and dashes stand in a declared code for the eye: `6404.11`, `64.04.11` and `6404 11` are one code, and so
are digits of full width.
"""

from __future__ import annotations

import re

import polars as pl

from features.algebra import with_plain_digits

NO_DIGIT = re.compile(r"[^0-9]+")


def hs_plain(code: pl.Expr) -> pl.Expr:
    """Return the digits of a declared code (text); null where none is declared."""
    return code.str.normalize("NFKC").str.replace_all(r"[^0-9]+", "")


def hs_plain_text(written: str) -> str:
    """Return the digits of one declared code."""
    return NO_DIGIT.sub("", with_plain_digits(written))
