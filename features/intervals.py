"""Intervals of shares: what some trials say of the rate behind them."""

from __future__ import annotations

import math


def wilson(hits: int, tried: int, z: float = 1.96) -> tuple[float, float]:
    """Compute Wilson's score interval of a share, 95 % unless another z is given; the whole range without trials."""
    return wilson_of(hits / tried, tried, z) if tried else (0.0, 1.0)


def wilson_of(share: float, tries: float, z: float) -> tuple[float, float]:
    """Compute Wilson's interval of a share that rests on a number of tries which need not be whole."""
    spread = z * z / tries
    centre = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / tries + spread / (4 * tries)) / (1 + spread)
    return max(0.0, centre - half), min(1.0, centre + half)
