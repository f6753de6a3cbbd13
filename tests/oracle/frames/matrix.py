"""The encoding of model rows for the trees, as service/scoring/model.py had it."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl

from features.catalogue import Input

Floats = npt.NDArray[np.float64]


def matrix_of(frame: pl.DataFrame, inputs: tuple[Input, ...], levels: dict[str, list[str]]) -> Floats:
    """Encode model rows for the trees: rows × inputs, categories by code, NaN where unknown or a new level."""
    frozen = tuple((name, tuple(known)) for name, known in levels.items())
    matrix: Floats = frame.select(_columns(inputs, frozen)).to_numpy()
    return np.ascontiguousarray(matrix, dtype=np.float64)


@lru_cache(maxsize=16)
def _columns(inputs: tuple[Input, ...], levels: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[pl.Expr, ...]:
    codes = {name: {level: float(code) for code, level in enumerate(known)} for name, known in levels}
    return tuple(
        pl.col(item.name).replace_strict(codes[item.name], default=None, return_dtype=pl.Float64)
        if item.kind == "category" and codes[item.name]
        else pl.col(item.name).cast(pl.Float64, strict=False)
        for item in inputs
    )
