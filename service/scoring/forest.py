"""The trees of a model as flat arrays for the kernels, read from LightGBM's text format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from numba import njit

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)
LANES = 8  # quadrature nodes processed together: one wide register
_NOT_OURS = {
    "num_tree_per_iteration=1": "it scores several classes",
    "num_class=1": "it scores several classes",
}


class OtherTrees(ValueError):
    """A model that the kernels cannot evaluate; the message says why."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Every tree of a model, one after another.

    A place within a tree counts its inner nodes first, then its leaves; an edge of node c is 2c to the left and 2c + 1
    to the right. A node's children always come after it.

    nodes, leaves: where each tree's inner nodes and leaves begin, and where the last one's end (trees + 1).
    feature, threshold, kind: of each inner node; kind as LightGBM writes it: bit 0 a set of categories, bit 1 missing
        goes left, bits 2 and 3 what is missing (none, zero, not a number).
    left, right: the places of its children.
    sets, set_size, words: where a node's set of categories begins in the words, how many words, and their bits.
    value: of each leaf, log-odds.
    share: of each edge, the share of training rows through it, times that of `above`.
    above: of each node, the nearest edge over it that tests the same feature, -1 where none does.
    blocks: of each tree, how many times LANES quadrature nodes make its Shapley values exact.
    expected: the mean margin of the training rows.
    """

    inputs: int
    nodes: Integers
    leaves: Integers
    feature: npt.NDArray[np.int32]
    threshold: Floats
    kind: npt.NDArray[np.uint8]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    sets: npt.NDArray[np.int32]
    set_size: npt.NDArray[np.int32]
    words: npt.NDArray[np.uint32]
    value: Floats
    share: Floats
    above: npt.NDArray[np.int32]
    blocks: npt.NDArray[np.int32]
    expected: float


def forest_of(booster: lgb.Booster) -> Forest:
    """Read the trees of a booster; raises OtherTrees for kinds that the kernels cannot evaluate."""
    return read_forest(booster.model_to_string())


def read_forest(text: str) -> Forest:
    """Read trees from LightGBM's text; raises OtherTrees."""
    head, *parts = text.split("\nTree=")
    stated = head.split("\n")
    if "average_output" in stated:
        raise OtherTrees("it averages its trees")
    for line, why in _NOT_OURS.items():
        if line not in stated:
            raise OtherTrees(why)
    trees = [_fields(part.split("\n\n", 1)[0]) for part in parts]
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        raise OtherTrees("its leaves are linear functions")
    inputs = next(int(line.split("=")[1]) for line in stated if line.startswith("max_feature_idx=")) + 1
    return _flat(trees, inputs)


def _fields(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.split("\n") if "=" in line)


def _flat(trees: list[dict[str, str]], inputs: int) -> Forest:
    leaf_counts = [int(tree["num_leaves"]) for tree in trees]
    leaves = np.concatenate([[0], np.cumsum(leaf_counts)]).astype(np.int64)
    nodes = np.concatenate([[0], np.cumsum(np.array(leaf_counts, np.int64) - 1)]).astype(np.int64)
    split = [tree if count > 1 else {} for tree, count in zip(trees, leaf_counts, strict=True)]
    threshold, kind = _numbers(split, "threshold", np.float64), _numbers(split, "decision_type", np.uint8)
    sets, set_size, words = _category_sets(split, nodes, threshold, kind)
    size = np.repeat(np.diff(nodes), np.diff(nodes))  # of its tree, for each node
    left, right = (_places(_numbers(split, side, np.int32), size) for side in ("left_child", "right_child"))
    feature, value = _numbers(split, "split_feature", np.int32), _numbers(trees, "leaf_value", np.float64)
    covers = [_numbers(split, name, np.float64) for name in ("internal_count", "leaf_count")]
    if any((cover < 1).any() for cover in covers) or len(covers[0]) != len(feature):
        raise OtherTrees("it does not say how many training rows went where")
    leaf_cover = np.ones(len(value))
    leaf_cover[np.repeat(np.diff(leaves) > 1, np.diff(leaves))] = covers[1]
    _hold_together(nodes, size, feature < inputs, left, right, sets + set_size <= len(words))
    share, above, distinct = _paths(nodes, leaves, feature, left, right, covers[0], leaf_cover)
    return Forest(
        inputs=inputs, nodes=nodes, leaves=leaves, feature=feature, threshold=threshold, kind=kind, left=left,
        right=right, sets=sets, set_size=set_size, words=words, value=value, share=share, above=above,
        blocks=np.maximum(1, -(-distinct // (2 * LANES))).astype(np.int32),
        expected=_expected(leaves, value, leaf_cover),
    )  # fmt: skip


def _numbers(trees: Iterable[dict[str, str]], name: str, kind: type[Number]) -> npt.NDArray[Number]:
    parts = [np.array(tree.get(name, "").split(), dtype=kind) for tree in trees]
    return np.concatenate(parts) if parts else np.empty(0, kind)


def _places(child: npt.NDArray[np.int32], size: Integers) -> npt.NDArray[np.int32]:
    """Turn LightGBM's child numbers into places: it counts leaves down from -1, here they follow the inner nodes."""
    return np.where(child >= 0, child, size + ~child).astype(np.int32)


def _category_sets(
    trees: list[dict[str, str]], nodes: Integers, threshold: Floats, kind: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint32]]:
    sets, size = np.zeros(len(threshold), np.int32), np.zeros(len(threshold), np.int32)
    before = 0
    for tree, first, last in zip(trees, nodes[:-1], nodes[1:], strict=True):
        bounds = np.array(tree.get("cat_boundaries", "").split(), dtype=np.int32)
        if len(bounds):
            chosen = first + np.flatnonzero(kind[first:last] & 1)
            number = threshold[chosen].astype(np.int64)
            sets[chosen] = before + bounds[number]
            size[chosen] = bounds[number + 1] - bounds[number]
            before += bounds[-1]
    return sets, size, _numbers(trees, "cat_threshold", np.uint32)


def _hold_together(
    nodes: Integers,
    size: Integers,
    known: Flags,
    left: npt.NDArray[np.int32],
    right: npt.NDArray[np.int32],
    sets: Flags,
) -> None:
    """Raise ValueError if a walk could leave its tree or loop: the kernels check no bounds."""
    places = np.arange(len(size)) - np.repeat(nodes[:-1], np.diff(nodes))
    for child in (left, right):
        if not ((child > places) & (child <= 2 * size)).all():
            raise ValueError("a node of a tree has an impossible child")
    if not (known & sets).all():
        raise ValueError("a node of a tree refers to a missing feature or category set")


def _expected(leaves: Integers, value: Floats, cover: Floats) -> float:
    per_tree = [np.average(value[a:b], weights=cover[a:b]) for a, b in pairwise(leaves.tolist())]
    return float(sum(per_tree))


@njit(cache=True, nogil=True)
def _paths(nodes, leaves, feature, left, right, inner_cover, leaf_cover):  # type: ignore[no-untyped-def]
    """Compute each edge's share of rows, each node's nearest edge above with its feature, and each tree's path width.

    The width of a tree is the largest number of features tested on any path.
    """
    share = np.empty(2 * len(feature))
    above = np.full(len(feature), -1, np.int32)
    distinct = np.zeros(len(nodes) - 1, np.int64)
    for tree in range(len(nodes) - 1):
        first, size = nodes[tree], nodes[tree + 1] - nodes[tree]
        over = np.full(2 * size + 1, -1, np.int64)  # the edge that leads to each place
        asked = np.zeros(2 * size + 1, np.int64)  # features asked for on the way to it
        for c in range(size):
            node = first + c
            edge = over[c]
            while edge >= 0 and feature[first + (edge >> 1)] != feature[node]:
                edge = over[edge >> 1]
            above[node] = edge
            before = 1.0 if edge < 0 else share[2 * first + edge]
            for side in range(2):
                child = left[node] if side == 0 else right[node]
                over[child] = 2 * c + side
                asked[child] = asked[c] + (1 if edge < 0 else 0)
                cover = inner_cover[first + child] if child < size else leaf_cover[leaves[tree] + child - size]
                share[2 * node + side] = before * cover / inner_cover[node]
                distinct[tree] = max(distinct[tree], asked[child])
    return share, above, distinct
