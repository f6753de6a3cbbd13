"""Growing trees from labelled rows: by LightGBM in this process, or by another grower."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
MOST_ROUNDS, PATIENCE = 1500, 100


@dataclass(frozen=True, slots=True)
class Labels:
    """Encoded rows with their results.

    matrix: rows × inputs; hit: of each row; weight: of each row, none where all count the same.
    names: of the inputs; categories: the places of those that are categories.
    """

    matrix: Floats
    hit: Floats
    weight: Floats | None
    names: list[str]
    categories: list[int]


class Grower(Protocol):
    """The interface of growing trees."""

    def grow(self, parameters: Mapping[str, Any], learn: Labels, rounds: int) -> lgb.Booster:
        """Grow `rounds` trees on these rows."""
        ...

    def watched(self, parameters: Mapping[str, Any], learn: Labels, later: Labels) -> tuple[lgb.Booster, list[float]]:
        """Grow trees, and return the log-loss of later rows after each; PATIENCE trees beyond the least loss."""
        ...


class GrownHere:
    """LightGBM in this process."""

    def grow(self, parameters: Mapping[str, Any], learn: Labels, rounds: int) -> lgb.Booster:
        """Grow `rounds` trees on these rows."""
        return lgb.train(dict(parameters), _dataset(learn), num_boost_round=rounds)

    def watched(self, parameters: Mapping[str, Any], learn: Labels, later: Labels) -> tuple[lgb.Booster, list[float]]:
        """Grow trees, and return the log-loss of later rows after each."""
        curve: dict[str, Any] = {}
        rows = _dataset(learn)
        booster = lgb.train(
            dict(parameters),
            rows,
            num_boost_round=MOST_ROUNDS,
            valid_sets=[_dataset(later, rows)],
            callbacks=[lgb.record_evaluation(curve), lgb.early_stopping(PATIENCE, verbose=False)],
        )
        return booster, curve["valid_0"]["binary_logloss"]


HERE = GrownHere()


def _dataset(rows: Labels, reference: lgb.Dataset | None = None) -> lgb.Dataset:
    return lgb.Dataset(
        rows.matrix,
        rows.hit,
        weight=rows.weight,
        reference=reference,
        feature_name=rows.names,
        categorical_feature=rows.categories,
    )
