"""A draw by weight that uses all the checks there are: as many rows as checks, each with exactly the chance stated.

What is so heavy that its share of the checks exceeds one is certain, and the rest of its share goes to the others. Of
these, rows are taken at even distances along their chances (systematic sampling, Madow 1949): one number drawn for each
office and day decides for all, so that no day draws more than its capacity, and none less.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from service.orientation.columns import Bools, Floats, Hashes, Ints
from service.orientation.periods import Periods


def filled(weight: Floats, competes: Bools, checks: Floats, periods: Periods) -> Floats:
    """Return chances that add up to the checks of each period, over the rows that compete; 1 where all fit.

    checks: of each row, those of its period. A row that does not compete, but has a weight, is given the chance that
    it would have had.
    """
    certain = np.zeros(len(weight), np.bool_)
    while True:
        left = np.maximum(checks - periods.count(certain), 0.0)
        total = periods.sum(np.where(competes & ~certain, weight, 0.0))
        scale = np.where(total > 0, left / np.where(total > 0, total, 1.0), np.where(left > 0, np.inf, 0.0))
        with np.errstate(invalid="ignore"):
            chance = np.where(weight > 0, scale * weight, 0.0)
        found = competes & ~certain & (chance >= 1.0)
        if not found.any():
            return np.where(certain, 1.0, np.minimum(chance, 1.0))
        certain |= found


def taken_evenly(chance: Floats, competes: Bools, order: Hashes, start: Floats, periods: Periods) -> Bools:
    """Select rows at even distances along their chances, in an order of their own, from a start in [0, 1).

    start: of each row; that of the first row of a period counts for all of it.
    """
    rows = np.flatnonzero(competes & (chance > 0) & (chance < 1.0))
    rows = rows[np.lexsort((order[rows], periods.of[rows]))]
    taken = competes & (chance >= 1.0)
    if len(rows):
        taken[rows[_crossing(chance[rows], start[rows], periods.of[rows])]] = True
    return taken


@njit(cache=True, nogil=True)
def _crossing(chance: Floats, start: Floats, group: Ints) -> Bools:
    """Say which rows cross a whole number, where chances are added up from the start of each group."""
    crosses = np.zeros(len(chance), np.bool_)
    at = 0.0
    for row in range(len(chance)):
        if row == 0 or group[row] != group[row - 1]:
            at = start[row]
        further = at + chance[row]
        crosses[row] = math.floor(further) > math.floor(at)
        at = further
    return crosses
