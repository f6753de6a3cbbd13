"""The compiled kernels against LightGBM itself: margins to the bit, Shapley values, on trees of every kind and size."""

from __future__ import annotations

from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.scoring import kernels
from service.scoring.forest import LANES, OtherTrees, forest_of, read_forest
from service.scoring.trees import Trees
from tests.service.scoring.exact_shapley import exact_shapley

Floats = npt.NDArray[np.float64]
QUIET = {"verbosity": -1, "num_threads": 1, "deterministic": True, "force_row_wise": True}
CATEGORIES = (300, 40, 3)


def world(seed: int, rows: int = 4000, numbers: int = 12) -> tuple[Floats, Floats]:
    """Rows of categories and numbers with holes, zeros and repeats in them, and a target that crosses many of them."""
    rng = np.random.default_rng(seed)
    categories = [rng.integers(0, levels, rows).astype(float) for levels in CATEGORIES]
    columns = [*categories, *rng.normal(size=(numbers, rows))]
    matrix = np.column_stack(columns)
    matrix[:, len(CATEGORIES) + 1] = rng.integers(0, 3, rows)
    matrix[rng.random(matrix.shape) < 0.1] = np.nan
    matrix[rng.random(matrix.shape) < 0.05] = 0.0
    seen = np.nan_to_num(matrix)
    target = seen[:, 3] * seen[:, 5] + (seen[:, 0] % 7 == 2) + np.sin(seen[:, 6] * 3) + seen[:, 7:].sum(axis=1) / 4
    return matrix, target + rng.normal(size=rows) / 4


def grown(seed: int, rounds: int = 8, numbers: int = 12, **parameters: Any) -> tuple[lgb.Booster, Floats]:
    matrix, target = world(seed, numbers=numbers)
    if parameters.get("objective", "regression") == "binary":
        target = (target > 1).astype(float)
    chosen = {"objective": "regression", "min_data_in_leaf": 2, "seed": seed, **QUIET, **parameters}
    data = lgb.Dataset(matrix, target, categorical_feature=list(range(len(CATEGORIES))))
    return lgb.train(chosen, data, num_boost_round=rounds), matrix


def strange(matrix: Floats) -> Floats:
    """Rows as they come, and rows that the trees never saw the like of."""
    odd = matrix[:40].copy()
    odd[:10, : len(CATEGORIES)] = [np.nan, -1.0, 1e12]
    odd[10:20] = np.nan
    odd[20:30] = 0.0
    odd[30:35] = [1e-36] * odd.shape[1]
    odd[35:, len(CATEGORIES) :] = [np.inf, -np.inf] * ((odd.shape[1] - len(CATEGORIES)) // 2)
    return np.ascontiguousarray(np.concatenate([matrix[:120], odd]))


def agree(booster: lgb.Booster, rows: Floats) -> None:
    trees = Trees.of(booster)
    assert trees.forest is not None, trees.why
    assert np.array_equal(trees.margins(rows), booster.predict(rows, raw_score=True))
    ours, theirs = trees.contributions(rows), booster.predict(rows, pred_contrib=True)
    assert np.abs(ours - theirs).max() <= 1e-9 * max(1.0, np.abs(theirs).max())
    assert np.abs(ours.sum(axis=1) - trees.margins(rows)).max() <= 1e-9 * max(1.0, np.abs(theirs).max())


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    leaves=st.sampled_from([2, 3, 7, 31, 255, 1000]),
    objective=st.sampled_from(["regression", "binary"]),
    missing=st.sampled_from([{}, {"use_missing": False}, {"zero_as_missing": True}]),
    shape=st.sampled_from([{}, {"max_depth": 4}, {"feature_fraction": 0.4}, {"boosting": "dart"}, {"lambda_l2": 10.0}]),
    sets=st.sampled_from([{}, {"max_cat_to_onehot": 500}, {"max_cat_threshold": 4}, {"min_data_per_group": 2}]),
)
def test_trees_of_every_kind_say_what_lightgbm_says(
    seed: int, leaves: int, objective: str, missing: dict[str, Any], shape: dict[str, Any], sets: dict[str, Any]
) -> None:
    booster, matrix = grown(seed, num_leaves=leaves, objective=objective, **missing, **shape, **sets)
    agree(booster, strange(matrix))


def staircase(features: int) -> tuple[lgb.Booster, Floats]:
    """Trees with a long path: each split takes a few rows off, by a feature of its own."""
    matrix = (np.random.default_rng(features).random((6000, features)) > 0.97).astype(float)
    target = (matrix * np.linspace(3, 1, features)).max(axis=1)
    shape = {"objective": "regression", "num_leaves": 200, "min_data_in_leaf": 1, "min_sum_hessian_in_leaf": 0.0}
    return lgb.train({**shape, **QUIET}, lgb.Dataset(matrix, target), 1), matrix


@pytest.mark.parametrize("features", [12, 24, 48])
def test_a_path_that_asks_for_many_features_gets_as_many_quadrature_nodes(features: int) -> None:
    """Against exact arithmetic: on paths this long LightGBM's own values lose digits (at 60 features, the third)."""
    booster, rows = staircase(features)
    forest = forest_of(booster)
    assert forest.blocks.max() == -(-features // (2 * LANES))
    row = rows[rows.sum(axis=1).argmax()]
    assert np.abs(kernels.shapley(forest, row[None])[0, :-1] - exact_shapley(forest, row)).max() < 1e-14


def test_too_few_quadrature_nodes_would_be_seen() -> None:
    """The comparison can fail: with fewer nodes than a long path needs, a row that leaves it at every step is off."""
    forest, row = forest_of(staircase(48)[0]), np.ones((1, 48))
    exact = kernels.shapley(forest, row)
    forest.blocks[:] = 1
    assert np.abs(kernels.shapley(forest, row) - exact).max() > 1e-6


def test_a_forest_without_a_single_split_is_its_own_expectation() -> None:
    booster = lgb.train(
        {"objective": "regression", "min_data_in_leaf": 100_000, **QUIET}, lgb.Dataset(*world(3)), num_boost_round=2
    )
    agree(booster, strange(world(3)[0]))


def test_a_model_that_split_only_at_times_is_walked_as_well() -> None:
    matrix, target = world(4)
    stump = lgb.train({"min_data_in_leaf": 100_000, **QUIET}, lgb.Dataset(matrix, target), num_boost_round=1)
    booster = lgb.train({"num_leaves": 5, **QUIET}, lgb.Dataset(matrix, target), num_boost_round=3, init_model=stump)
    leaves = np.diff(forest_of(booster).leaves)
    assert leaves.min() == 1 < leaves.max()
    agree(booster, strange(matrix))


def test_the_five_strongest_reasons_are_those_of_lightgbm() -> None:
    booster, matrix = grown(5, rounds=100, num_leaves=31, objective="binary")
    rows = np.ascontiguousarray(matrix[:1000])
    ours = Trees.of(booster).contributions(rows)[:, :-1]
    theirs = np.asarray(booster.predict(rows, pred_contrib=True))[:, :-1]
    strongest = [np.argsort(-np.abs(values), axis=1, kind="stable")[:, :5] for values in (ours, theirs)]
    assert np.array_equal(strongest[0], strongest[1])


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_one_row_and_many_one_thread_and_several_give_the_same_bits(threads: int) -> None:
    booster, matrix = grown(6)
    forest, rows = forest_of(booster), strange(matrix)
    one_by_one = [rows[i : i + 1] for i in range(len(rows))]
    margins = np.concatenate([kernels.margins(forest, row) for row in one_by_one])
    shares = np.concatenate([kernels.shapley(forest, row) for row in one_by_one])
    assert kernels.margins(forest, rows, threads).tobytes() == margins.tobytes()
    assert kernels.shapley(forest, rows, threads).tobytes() == shares.tobytes()


@pytest.mark.parametrize(
    ("parameters", "why"),
    [
        ({"linear_tree": True}, "its leaves are linear functions"),
        ({"objective": "multiclass", "num_class": 3}, "it scores several classes"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "it averages its trees"),
    ],
)
def test_other_kinds_of_trees_are_left_to_lightgbm_and_it_is_said(parameters: dict[str, Any], why: str) -> None:
    matrix, target = world(7)
    target = np.digitize(target, [0.0, 1.0]).astype(float) if "num_class" in parameters else target
    booster = lgb.train({**QUIET, **parameters}, lgb.Dataset(matrix, target), num_boost_round=3)
    with pytest.raises(OtherTrees, match=why):
        forest_of(booster)
    trees = Trees.of(booster)
    assert why in trees.explained_by
    assert np.array_equal(trees.margins(matrix[:9]), booster.predict(matrix[:9], raw_score=True))


def test_what_lightgbm_is_asked_instead_are_its_own_contributions() -> None:
    matrix, target = world(8)
    booster = lgb.train(
        {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5, **QUIET}, lgb.Dataset(matrix, target), 3
    )
    assert np.array_equal(Trees.of(booster).contributions(matrix[:9]), booster.predict(matrix[:9], pred_contrib=True))


@pytest.mark.parametrize("name", ["left_child", "right_child", "split_feature"])
def test_a_tree_that_would_lead_out_of_itself_is_not_walked(name: str) -> None:
    text = grown(9)[0].model_to_string()
    line = next(line for line in text.split("\n") if line.startswith(f"{name}="))
    for bad in ("99999", "-99999") if name != "split_feature" else ("99999",):
        damaged = text.replace(line, f"{name}={bad} {line.split('=')[1].split(' ', 1)[1]}", 1)
        with pytest.raises(ValueError, match="of a tree"):
            read_forest(damaged)
