"""The words in which features are written: columns of numbers, of texts and of goods lines, and what is done with them.

Features name these and nothing else, neither numpy nor polars, so that one definition serves one row and a million, and
could be computed in another way.
"""

from features.algebra.characters import Pattern, lower, with_plain_digits
from features.algebra.libm import exp, log, power
from features.algebra.lines import FlagLines, NumberLines, TextLines
from features.algebra.numbers import (
    Flags,
    Moments,
    Numbers,
    at_least,
    at_most,
    count,
    hour_of,
    known,
    least,
    missing,
    most,
    where,
    yes_no,
)
from features.algebra.text import UNKNOWN, Text, differ, joined, numbers_of, texts_of

__all__ = [
    "UNKNOWN",
    "FlagLines",
    "Flags",
    "Moments",
    "NumberLines",
    "Numbers",
    "Pattern",
    "Text",
    "TextLines",
    "at_least",
    "at_most",
    "count",
    "differ",
    "exp",
    "hour_of",
    "joined",
    "known",
    "least",
    "log",
    "lower",
    "missing",
    "most",
    "numbers_of",
    "power",
    "texts_of",
    "where",
    "with_plain_digits",
    "yes_no",
]
