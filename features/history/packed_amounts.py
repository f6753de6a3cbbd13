"""Amounts of facts as bytes: each fact as narrow as its numbers, those of one moment side by side.

A reading wants several facts of an entity at one moment, so they lie in one or two lines of the processor's cache. The
same description fits files whose facts stand in columns of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.history.facts import FACTS, Integers

WIDTHS = (1, 2, 4, 8)
WORD = 8  # bytes


@dataclass(frozen=True, slots=True)
class PackedAmounts:
    """Amounts of FACTS at some moments.

    words: the bytes as integers of 64 bits, read only; an amount is signed, little endian, and lies within one of them.
    fields: FACTS × (byte of its first amount, bytes from one amount to the next, bytes of an amount); a fact whose
        amounts have no bytes is nothing everywhere.
    rows: how many moments.
    """

    words: Integers
    fields: Integers
    rows: int

    @property
    def stride(self) -> int:
        """The bytes from one moment to the next, where facts stand side by side."""
        return int(self.fields[:, 1].max())

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the amounts of each fact that is not nothing everywhere, without copying them."""
        return {
            fact: np.ndarray((self.rows,), f"<i{width}", self.words.data, base, (stride,))
            for fact, (base, stride, width) in zip(FACTS, self.fields.tolist(), strict=True)
            if width
        }


def packed(columns: Mapping[str, npt.NDArray[Any]], rows: int) -> PackedAmounts:
    """Put amounts side by side; facts that are nothing everywhere take no room."""
    widths = {fact: width_of(columns[fact]) for fact in FACTS if fact in columns} if rows else {}
    names = sorted((fact for fact, width in widths.items() if width), key=lambda fact: -widths[fact])  # none astride
    widest = max(widths.values(), default=0)
    stride = -(-sum(widths.values()) // widest) * widest if widest else 0
    words = np.zeros(-(-rows * stride // WORD), np.int64)
    fields, base = np.zeros((len(FACTS), 3), np.int64), 0
    for fact in names:
        fields[FACTS.index(fact)] = base, stride, widths[fact]
        base += widths[fact]
    amounts = PackedAmounts(words, fields, rows)
    for fact, column in amounts.columns().items():
        column[:] = columns[fact]
    words.flags.writeable = False
    return amounts


def width_of(column: npt.NDArray[Any]) -> int:
    """Return how many bytes the numbers of a column need; none where all are 0."""
    low, high = int(column.min()), int(column.max())
    if low == high == 0:
        return 0
    return next(width for width in WIDTHS if -(1 << 8 * width - 1) <= low and high < 1 << 8 * width - 1)
