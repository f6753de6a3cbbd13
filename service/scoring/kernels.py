"""Compiled evaluation of trees: margins tree by tree, and exact Shapley values by quadrature.

The Shapley value of a feature for one leaf is an integral over t in [0, 1] of a polynomial: the product over the other
distinct features on the way to it of t·o + (1 - t)·z, where o is 1 if the row goes that way, else 0, and z is the share
of training rows that did. Gauss-Legendre quadrature with half as many nodes as there are features is therefore exact:
the sum of Lundberg and others' TreeSHAP in another order. One pass down a tree multiplies, one pass up adds; the cost
is linear in leaves.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from service.scoring.forest import LANES, Forest

Floats = npt.NDArray[np.float64]
ROWS_AT_ONCE = 512  # rows that pass through one tree before the next: they and the tree fit into the fastest cache
ZERO = 1e-35  # LightGBM's
OPEN_SUMS = {"contract", "reassoc", "nsz", "arcp"}  # sums may be reordered and fused; a NaN stays one


def margins(forest: Forest, matrix: Floats, threads: int = 1) -> Floats:
    """Sum leaf values (log-odds) of matrix rows, bit for bit as LightGBM does."""
    out = np.zeros(len(matrix))
    arrays = _arrays(forest)
    _in_parts(len(matrix), threads, lambda a, b: _margins(*(matrix[a:b], *arrays, out[a:b])))
    return out


def shapley(forest: Forest, matrix: Floats, threads: int = 1) -> Floats:
    """Compute exact Shapley values of the margins: rows × inputs + 1, the last column the expected margin."""
    out = np.zeros((len(matrix), forest.inputs + 1))
    out[:, -1] = forest.expected
    nodes, weights = quadrature(int(forest.blocks.max(initial=1)))
    arrays = (*_arrays(forest), forest.share, forest.above, forest.blocks, nodes, weights)
    _in_parts(len(matrix), threads, lambda a, b: _shapley(*(matrix[a:b], *arrays, out[a:b])))
    return out


@lru_cache(maxsize=16)
def quadrature(blocks: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre nodes and weights on [0, 1]: rules of 1 to `blocks` times LANES nodes, padded."""
    nodes, weights = np.zeros((2, blocks, blocks, LANES))
    for rule in range(blocks):
        x, w = np.polynomial.legendre.leggauss((rule + 1) * LANES)
        nodes[rule, : rule + 1] = ((1 - x) / 2).reshape(-1, LANES)
        weights[rule, : rule + 1] = (w / 2).reshape(-1, LANES)
    return nodes, weights


def _arrays(forest: Forest) -> tuple[Any, ...]:
    return (
        forest.nodes, forest.leaves, forest.feature, forest.threshold, forest.kind, forest.left, forest.right,
        forest.sets, forest.set_size, forest.words, forest.value,
    )  # fmt: skip


def _in_parts(rows: int, threads: int, work: Any) -> None:
    """Work on the rows in as many parts as threads; the kernels hold no lock of the interpreter."""
    if threads <= 1 or rows <= 1:
        work(0, rows)
        return
    bounds = np.linspace(0, rows, threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))


@njit(cache=True, nogil=True, inline="always")
def _goes_left(value, threshold, kind, start, size, words):  # type: ignore[no-untyped-def]
    """Return true if a value goes left at a node, as LightGBM decides it."""
    if kind & 1:
        if not 0.0 <= value < 32.0 * size:  # unknown, or a level that the node never saw
            return False
        code = int(value)
        return (words[start + (code >> 5)] >> np.uint32(code & 31)) & np.uint32(1) != 0
    missing = (kind >> 2) & 3
    if value != value and missing != 2:
        value = 0.0
    if (missing == 2 and value != value) or (missing == 1 and -ZERO <= value <= ZERO):
        return kind & 2 != 0
    return value <= threshold


@njit(cache=True, nogil=True)
def _margins(rows, nodes, leaves, feature, threshold, kind, left, right, sets, set_size, words, value, out):  # type: ignore[no-untyped-def]
    for begin in range(0, len(rows), ROWS_AT_ONCE):
        end = min(begin + ROWS_AT_ONCE, len(rows))
        for tree in range(len(nodes) - 1):
            first, size, leaf = nodes[tree], nodes[tree + 1] - nodes[tree], leaves[tree]
            for row in range(begin, end):
                place = 0
                while place < size:
                    n = first + place
                    goes = _goes_left(rows[row, feature[n]], threshold[n], kind[n], sets[n], set_size[n], words)
                    place = left[n] if goes else right[n]
                out[row] += value[leaf + place - size]


@njit(cache=True, nogil=True, fastmath=OPEN_SUMS, error_model="numpy")
def _shapley(  # type: ignore[no-untyped-def]
    rows, nodes, leaves, feature, threshold, kind, left, right, sets, set_size, words, value,
    share, above, blocks, rule_nodes, rule_weights, out,
):  # fmt: skip
    largest = 0
    for tree in range(len(nodes) - 1):
        largest = max(largest, nodes[tree + 1] - nodes[tree])
    product = np.empty((2 * largest + 1, LANES))  # down: of the factors above a place; up: the sum of leaves below it
    deeper = np.empty((2 * largest, LANES))  # below an edge, what lies under deeper edges of its feature
    followed = np.empty(2 * largest)  # 1 where the row follows this edge and all above it of the same feature, else 0
    against = np.empty(LANES)
    sums = np.empty((rows.shape[1], LANES))
    for row in range(len(rows)):
        sums[:] = 0.0
        for tree in range(len(nodes) - 1):
            first, size, leaf = nodes[tree], nodes[tree + 1] - nodes[tree], leaves[tree]
            for c in range(size):
                n = first + c
                goes = _goes_left(rows[row, feature[n]], threshold[n], kind[n], sets[n], set_size[n], words)
                so_far = followed[above[n]] if above[n] >= 0 else 1.0
                followed[2 * c] = so_far if goes else 0.0
                followed[2 * c + 1] = 0.0 if goes else so_far
            if size == 0:
                continue
            for block in range(blocks[tree]):
                t, weight = rule_nodes[blocks[tree] - 1, block], rule_weights[blocks[tree] - 1, block]
                for j in range(LANES):
                    product[0, j] = weight[j]
                    against[j] = 1.0 / (1.0 - t[j])
                _down(first, size, leaf, left, right, value, share, above, followed, t, product, deeper)
                _up(first, size, feature, left, right, share, above, followed, t, against, product, deeper, sums)
        for f in range(rows.shape[1]):
            total = 0.0
            for j in range(LANES):
                total += sums[f, j]
            out[row, f] = total


@njit(cache=True, nogil=True, fastmath=OPEN_SUMS, error_model="numpy", inline="always")
def _down(first, size, leaf, left, right, value, share, above, followed, t, product, deeper):  # type: ignore[no-untyped-def]
    """Multiply the factors down to every place; at a leaf, times its value."""
    for c in range(size):
        n = first + c
        edge = above[n]
        if edge >= 0:  # the feature was tested before: its new factor replaces the old one
            o, z = followed[edge], share[2 * first + edge]
            for j in range(LANES):
                product[c, j] /= t[j] * o + (1.0 - t[j]) * z
        for side in range(2):
            child = left[n] if side == 0 else right[n]
            o, z = followed[2 * c + side], share[2 * n + side]
            times = value[leaf + child - size] if child >= size else 1.0
            for j in range(LANES):
                product[child, j] = product[c, j] * (t[j] * o + (1.0 - t[j]) * z) * times
                deeper[2 * c + side, j] = 0.0


@njit(cache=True, nogil=True, fastmath=OPEN_SUMS, error_model="numpy", inline="always")
def _up(first, size, feature, left, right, share, above, followed, t, against, product, deeper, sums):  # type: ignore[no-untyped-def]
    """Add up the leaves below every place, and for each edge the worth of its feature to them: (o - z) / factor."""
    for c in range(size - 1, -1, -1):
        n = first + c
        f = feature[n]
        taken = 0 if followed[2 * c] > 0.0 else 1  # of two edges the row follows one, or neither
        o, z = followed[2 * c + taken], share[2 * n + taken]
        for j in range(LANES):
            worth = o * (1.0 - z) / (t[j] + (1.0 - t[j]) * z) - (1.0 - o) * against[j]
            toward = product[left[n], j] - deeper[2 * c, j]
            opposite = product[right[n], j] - deeper[2 * c + 1, j]
            if taken == 1:
                toward, opposite = opposite, toward
            sums[f, j] += toward * worth - opposite * against[j]
        for j in range(LANES):
            product[c, j] = product[left[n], j] + product[right[n], j]
        if above[n] >= 0:
            for j in range(LANES):
                deeper[above[n], j] += product[c, j]
