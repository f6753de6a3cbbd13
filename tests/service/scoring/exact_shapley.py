"""Shapley values of trees in rational arithmetic, from the integral that defines them: slow, and without rounding."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import numpy.typing as npt

from service.scoring.forest import Forest

Path = dict[int, tuple[Fraction, Fraction]]  # of each feature: does the row go that way, and the share of rows that did


def exact_shapley(forest: Forest, row: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """One value for each input; of trees that split on numbers without holes."""
    told = [Fraction(0)] * forest.inputs
    for tree in range(len(forest.nodes) - 1):
        _walk(forest, tree, row, 0, {}, told)
    return np.array([float(value) for value in told])


def _walk(
    forest: Forest, tree: int, row: npt.NDArray[np.float64], place: int, path: Path, told: list[Fraction]
) -> None:
    first, size = int(forest.nodes[tree]), int(forest.nodes[tree + 1] - forest.nodes[tree])
    if place >= size:
        value = Fraction(float(forest.value[int(forest.leaves[tree]) + place - size]))
        whole = [Fraction(1)]
        for follows, share in path.values():
            whole = _times(whole, share, follows - share)
        for feature, (follows, share) in path.items():
            if follows != share:
                others = _divided(whole, share, follows - share)
                told[feature] += value * (follows - share) * sum(c / (i + 1) for i, c in enumerate(others))
        return
    node = first + place
    feature = int(forest.feature[node])
    goes_left = row[feature] <= forest.threshold[node]
    followed = path.get(feature, (Fraction(1), Fraction(1)))[0]
    for side, child in enumerate((int(forest.left[node]), int(forest.right[node]))):
        follows = followed if goes_left == (side == 0) else Fraction(0)
        share = Fraction(float(forest.share[2 * node + side]))
        _walk(forest, tree, row, child, {**path, feature: (follows, share)}, told)


def _times(polynomial: list[Fraction], constant: Fraction, slope: Fraction) -> list[Fraction]:
    product = [Fraction(0)] * (len(polynomial) + 1)
    for power, coefficient in enumerate(polynomial):
        product[power] += coefficient * constant
        product[power + 1] += coefficient * slope
    return product


def _divided(polynomial: list[Fraction], constant: Fraction, slope: Fraction) -> list[Fraction]:
    rest, quotient = list(polynomial), [Fraction(0)] * (len(polynomial) - 1)
    for power in range(len(polynomial) - 1, 0, -1):
        quotient[power - 1] = rest[power] / slope
        rest[power - 1] -= quotient[power - 1] * constant
    return quotient
