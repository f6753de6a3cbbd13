"""What margins and reasons cost, beside LightGBM and shap on the same trees and rows, in the same run.

python -m tests.bench.explain [TREES ...]    # 300 and 1,000 trees where none are named; ten minutes
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import shap

from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
CATEGORIES = (3000, 1000, 300, 200, 100, 50, 30, 20, 10, 5)
NUMBERS, LEAVES, LEARNED_ON = 50, 63, 60_000
AGREE_ON, ROUNDS, ROWS = 10_000, 5, 200


def model(trees: int) -> tuple[lgb.Booster, Floats]:
    """Trees of 63 leaves on 60 inputs, ten of them categories of up to 3,000 levels, a tenth of all values unknown."""
    rng = np.random.default_rng(1)
    matrix = np.column_stack([*(rng.integers(0, levels, LEARNED_ON) for levels in CATEGORIES),
                              *rng.normal(size=(NUMBERS, LEARNED_ON))])  # fmt: skip
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    seen = np.nan_to_num(matrix)
    signal = (
        seen[:, 10] * seen[:, 11] + np.sin(seen[:, 12]) + seen[:, 13] * (seen[:, 3] % 3 == 1)
        + (seen[:, 0] % 7 == 2) + (seen[:, 1] % 5 == 1) * seen[:, 14]
    )  # fmt: skip
    hit = (signal + rng.normal(size=LEARNED_ON) > 1.5).astype(float)
    parameters = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.05, "seed": 1, "verbosity": -1,
                  "deterministic": True, "force_row_wise": True}  # fmt: skip
    data = lgb.Dataset(matrix, hit, categorical_feature=list(range(len(CATEGORIES))))
    return lgb.train(parameters, data, num_boost_round=trees), matrix


def cost(work: Callable[[Floats], object], rows: Floats) -> float:
    """CPU microseconds a row: the least of a few rounds on one thread, for a neighbour only ever adds to it."""
    spent = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work(rows)
        spent.append(time.process_time() - began)
    return min(spent) / len(rows) * 1e6


def measure(trees: int) -> None:
    """One table, and how far the two agree."""
    booster, matrix = model(trees)
    began = time.process_time()
    ours = Trees.of(booster)
    assert ours.forest is not None, ours.why
    read = time.process_time() - began
    ours.contributions(matrix[:1])
    explainer = shap.TreeExplainer(booster)
    few, many = np.ascontiguousarray(matrix[:ROWS]), np.ascontiguousarray(matrix[:5000])
    costs = {
        "reasons": (
            cost(ours.contributions, few),
            cost(lambda rows: booster.predict(rows, pred_contrib=True, num_threads=1), few),
            cost(lambda rows: explainer.shap_values(rows), few[:50]),
        ),
        "margins, many rows": (
            cost(lambda rows: [ours.margins(part) for part in np.split(rows, 20)], many),
            cost(lambda rows: booster.predict(rows, raw_score=True, num_threads=1), many),
        ),
        "margin, one row": (
            cost(lambda rows: [ours.margins(row[None]) for row in rows], few),
            cost(lambda rows: [booster.predict(row[None], raw_score=True, num_threads=1) for row in rows], few),
        ),
        "margin and reasons, one row": (
            cost(lambda rows: [(ours.margins(r[None]), ours.contributions(r[None])) for r in rows], few),
            cost(lambda rows: [(booster.predict(r[None], raw_score=True, num_threads=1),
                                booster.predict(r[None], pred_contrib=True, num_threads=1)) for r in rows], few),
        ),
    }  # fmt: skip
    print(f"\n{trees} trees of {LEAVES} leaves, {matrix.shape[1]} inputs; CPU µs a row, one thread; read: {read:.2f} s")
    print(f"{'':28s}{'tamis':>10s}{'LightGBM':>10s}{'times':>7s}{'shap':>10s}{'times':>7s}")
    for name, (mine, theirs, *others) in costs.items():
        told = "".join(f"{other:10.0f}{other / mine:7.1f}" for other in others)
        print(f"{name:28s}{mine:10.1f}{theirs:10.1f}{theirs / mine:7.1f}{told}", flush=True)
    agree(booster, ours, np.ascontiguousarray(matrix[:AGREE_ON]))


def agree(booster: lgb.Booster, ours: Trees, rows: Floats) -> None:
    """Print how far values differ, in how many rows the five strongest differ, and in how many margins a bit does."""
    mine, theirs = ours.contributions(rows), np.asarray(booster.predict(rows, pred_contrib=True))
    strongest = [np.argsort(-np.abs(v[:, :-1]), axis=1, kind="stable")[:, :5] for v in (mine, theirs)]
    others = int((strongest[0] != strongest[1]).any(axis=1).sum())
    bits = int((ours.margins(rows) != booster.predict(rows, raw_score=True)).sum())
    print(f"on {len(rows):,} rows: values differ by {np.abs(mine - theirs).max():.1e} at most, the five strongest in "
          f"{others} rows, margins in {bits}")  # fmt: skip


if __name__ == "__main__":
    for size in [int(given) for given in sys.argv[1:]] or [300, 1000]:
        measure(size)
