"""Random draws by entity rather than by moment: the same id gives the same value on every day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAILY = 1 << 20  # salts of draws made anew every day start at its multiples, clear of those of single draws
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def mix(ids: Ints, salt: int) -> NDArray[np.uint64]:
    """Return SplitMix64 of each id under a salt: a population of any size needs no table."""
    with np.errstate(over="ignore"):
        mixed = ids.astype(np.uint64) + _GOLDEN * np.uint64(salt * 2 + 1)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _FIRST
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _SECOND
    return mixed ^ (mixed >> np.uint64(31))


def unit(ids: Ints, salt: int) -> Floats:
    """Return a number in [0, 1) for each id."""
    return (mix(ids, salt) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def pick(ids: Ints, salt: int, among: int | Ints) -> Ints:
    """Return an index below `among` for each id."""
    return (unit(ids, salt) * among).astype(np.int64)


def weighted(rng: np.random.Generator, weights: Floats, size: int) -> Ints:
    """Draw indices with replacement in proportion to `weights`."""
    edges = np.cumsum(weights)
    if not len(edges) or edges[-1] <= 0:
        raise ValueError("nothing to draw from: all weights are zero")
    drawn = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(drawn, len(edges) - 1), dtype=np.int64)


def bell(ids: Ints, salt: int) -> Floats:
    """Return a standard normal number for each id (Box-Muller)."""
    radius = np.sqrt(-2.0 * np.log1p(-unit(ids, salt)))
    return np.asarray(radius * np.cos(2.0 * np.pi * unit(ids, salt + 7919)))


def sums(of: Ints, amounts: Floats | Ints, size: int) -> Floats:
    """Sum the lines of each consignment."""
    return np.asarray(np.bincount(of, amounts, size), dtype=np.float64)


def generator(seed: np.random.SeedSequence, *key: int) -> np.random.Generator:
    """Return the generator of a purpose (and day), independent of any others drawn before."""
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=(*seed.spawn_key, *key)))
