"""Columns of goods lines, and what the lines of each consignment come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from features.algebra.numbers import known, missing
from features.algebra.text import Text

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


class Groups:
    """Which goods lines belong to which consignment; each has one or more, in any order."""

    def __init__(self, row: Integers, consignments: int) -> None:
        """row: for each line the place of its consignment; raises ValueError where a consignment has no line."""
        self.row, self.consignments = row, consignments
        self.one_each = len(row) == consignments and bool((row == np.arange(consignments)).all())
        if not self.one_each and not (self.sizes > 0).all():
            raise ValueError("a consignment without goods lines")

    @classmethod
    def of_sizes(cls, sizes: Sequence[int]) -> Groups:
        """Return the groups of lines that stand one consignment after the other."""
        return cls(np.repeat(np.arange(len(sizes)), sizes), len(sizes))

    @cached_property
    def sizes(self) -> Integers:
        """How many lines each consignment has."""
        return np.bincount(self.row, minlength=self.consignments)

    @cached_property
    def _order(self) -> Integers:
        """The places of the lines, one consignment after the other, as they came."""
        return np.argsort(self.row, kind="stable")

    @cached_property
    def _starts(self) -> Integers:
        return np.cumsum(self.sizes) - self.sizes

    def reduced(self, values: Numbers, by: np.ufunc) -> Numbers:
        """Bring the values of each consignment together; for minima, maxima and counts, not for sums of amounts.

        A sum of amounts would depend on how many consignments are computed at once.
        """
        if self.one_each:
            return values
        brought: Numbers = by.reduceat(values[self._order], self._starts) if len(values) else values[:0]
        return brought

    def highest(self, values: Numbers) -> Integers:
        """Return the line of the highest value of each consignment: the first of equals, and of unknown ones alone."""
        if self.one_each:
            return self.row
        most = self.reduced(values, np.fmax)[self.row]
        is_highest = ((values == most) | np.isnan(most))[self._order]
        candidates = self._order[is_highest]
        of_row = self.row[candidates]
        first: Integers = candidates[np.append(True, of_row[1:] != of_row[:-1])[: len(of_row)]]
        return first


@dataclass(slots=True, eq=False)
class FlagLines:
    """A condition on each goods line."""

    values: Flags
    groups: Groups

    def share(self) -> Numbers:
        """Return the share of a consignment's lines on which it holds."""
        held = self.values.astype(np.float64)
        return held if self.groups.one_each else self.groups.reduced(held, np.add) / self.groups.sizes


@dataclass(slots=True, eq=False)
class NumberLines:
    """A number of each goods line."""

    values: Numbers
    groups: Groups

    def least(self) -> Numbers:
        """Return the lowest of a consignment's lines that is known."""
        return self.groups.reduced(self.values, np.fmin)

    def most(self) -> Numbers:
        """Return the highest of a consignment's lines that is known."""
        return self.groups.reduced(self.values, np.fmax)

    def missing(self) -> FlagLines:
        """Return the lines on which it is unknown."""
        return FlagLines(missing(self.values), self.groups)


@dataclass(slots=True, eq=False)
class TextLines:
    """A text of each goods line."""

    values: Text
    groups: Groups

    def each(self, function: Callable[[str], str | None]) -> TextLines:
        """Return what a function makes of each text; unknown stays unknown."""
        return TextLines(self.values.each(function), self.groups)

    def number(self, function: Callable[[str], float]) -> NumberLines:
        """Return a number of each text; unknown where it is."""
        return NumberLines(self.values.number(function), self.groups)

    def known(self) -> FlagLines:
        """Return the lines on which it is stated."""
        return FlagLines(known(self.values), self.groups)

    def of_highest(self, value: NumberLines) -> Text:
        """Return the text of the line of the highest value; the first of equals, and where no value is known."""
        return self.values.take(self.groups.highest(value.values))

    def different(self) -> Numbers:
        """Return how many different texts a consignment's lines have."""
        numbers = self.values.numbered()
        if self.groups.one_each:
            return (numbers >= 0).astype(np.float64)
        texts = len(self.values.words)
        pairs = np.unique((self.groups.row * texts + numbers)[numbers >= 0])
        return np.bincount(pairs // max(texts, 1), minlength=self.groups.consignments).astype(np.float64)
