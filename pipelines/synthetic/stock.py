"""The stock of senders: a few kinds of goods each, most wanted first."""

from __future__ import annotations

import numpy as np

from pipelines.synthetic.draws import Floats, Ints, unit, weighted
from pipelines.synthetic.world_goods import Goods

STOCK = 6


def stock_of(goods: Goods, ids: Ints) -> Ints:
    """Return stock of mostly one family of goods; a third of the sellers sell anything."""
    everything = np.cumsum(goods.share) / goods.share.sum()
    home = goods.family[np.searchsorted(everything, unit(ids, 120))]
    general = unit(ids, 121) < 0.33
    stock = np.empty((len(ids), STOCK), dtype=np.int64)
    for place in range(STOCK):
        at_home = home_kind(goods, home, unit(ids, 130 + place))
        anywhere = np.searchsorted(everything, unit(ids, 140 + place))
        stock[:, place] = np.where(general | (unit(ids, 150 + place) < 0.1), anywhere, at_home)
    return stock


def home_kind(goods: Goods, family: Ints, turn: Floats) -> Ints:
    """Return a kind of each given family, by share; `turn` in [0, 1) decides."""
    order = np.argsort(goods.family, kind="stable")
    ends = np.cumsum(goods.share[order])
    last = np.searchsorted(goods.family[order], np.arange(len(goods.families)), side="right") - 1
    upper = ends[last]
    lower = np.concatenate([[0.0], upper[:-1]])
    places = np.searchsorted(ends, lower[family] + turn * (upper - lower)[family], side="right")
    return np.asarray(order[np.minimum(places, last[family])], dtype=np.int64)


def stock_for(goods: Goods, aim: str, rng: np.random.Generator, count: int) -> Ints:
    """Return the stock of actors by their aim: mostly one family, weighted by its appeal."""
    appeal = goods.appeal(aim)
    first = weighted(rng, appeal, count)
    stock = np.tile(first[:, None], (1, STOCK))
    for row, kind in enumerate(first):
        near = appeal * np.where(goods.family == goods.family[kind], 1.0, 0.03)
        stock[row, 1:] = weighted(rng, near, STOCK - 1)
    return stock
