"""Who the senders of one day are: actors on their schemes, sellers by volume, strangers made up on the spot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic import people
from pipelines.synthetic.actors import Roster
from pipelines.synthetic.draws import DAILY, Flags, Floats, Ints, unit, weighted
from pipelines.synthetic.goods import Goods
from pipelines.synthetic.senders import BUSINESS, PLATFORM, SHOP, Senders, private_senders
from pipelines.synthetic.settings import World


@dataclass(frozen=True)
class Population:
    """Everybody there is; only the roster changes."""

    honest: Senders
    roster: Roster
    buyers: int
    buyer_base: int
    private_base: int


def sources(
    world: World, goods: Goods, everybody: Population, scheme: Ints, illicit: Flags, day: int, rng: np.random.Generator
) -> tuple[Senders, Ints]:
    """The sender of each consignment, and its place in the population."""
    sender = np.full(len(scheme), -1, dtype=np.int64)
    own = np.array([part.rate > 0 for part in world.schemes])
    by_actor = (scheme >= 0) & own[scheme]
    pulse = np.exp(rng.normal(0, 0.7, len(everybody.roster.scheme)))
    for number in np.unique(scheme[by_actor]).tolist():
        for lawful in (False, True):
            rows = np.flatnonzero(by_actor & (scheme == number) & (illicit != lawful))
            slots = weighted(rng, everybody.roster.pull(number, day, pulse, lawful), len(rows))
            sender[rows] = len(everybody.honest) + everybody.roster.current()[slots]
    kinds = _kinds_of_sender(world, int((~by_actor).sum()), rng)
    free = np.flatnonzero(~by_actor)
    for kind in (PLATFORM, SHOP, BUSINESS):
        rows = free[kinds == kind]
        sender[rows] = weighted(rng, _pull(everybody.honest, kind, day), len(rows))
    return _gathered(world, goods, everybody, sender, day, rng), sender


def _kinds_of_sender(world: World, count: int, rng: np.random.Generator) -> Ints:
    flow = world.flow
    rest = 1 - flow.private_share - flow.business_share - flow.shop_share
    return weighted(rng, np.array([rest, flow.shop_share, flow.business_share, flow.private_share]), count)


def _pull(honest: Senders, kind: int, day: int) -> Floats:
    """Volume of each honest seller on a day: shops in business, with their launches and quiet days."""
    age = day - honest.opened
    active = (honest.kind == kind) & (age >= 0) & (day < honest.closed)
    pull: Floats = honest.weight * active * np.where((age >= 0) & (age < 7), honest.launch, 1.0)
    return pull * (0.4 + 1.2 * unit(honest.ids, 2 * DAILY + day))


def _gathered(
    world: World, goods: Goods, everybody: Population, sender: Ints, day: int, rng: np.random.Generator
) -> Senders:
    """One row a consignment, private senders made up on the spot."""
    private = np.flatnonzero(sender < 0)
    ids = everybody.private_base + (day << 32) + np.arange(len(private), dtype=np.int64)
    codes = np.array([people.country(code) for code in ("CN", "HK", "TR", "GB", "US", "CH", "JP", "VN", "IN")])
    abroad = codes[weighted(rng, np.array([40.0, 4, 8, 16, 14, 6, 4, 4, 4]), len(private))]
    strangers = private_senders(world, goods, ids, abroad)
    honest = np.flatnonzero((sender >= 0) & (sender < len(everybody.honest)))
    known = np.flatnonzero(sender >= len(everybody.honest))
    stacked = everybody.honest.take(sender[honest]).also(strangers)
    stacked = stacked.also(everybody.roster.identities.take(sender[known] - len(everybody.honest)))
    place = np.empty(len(sender), dtype=np.int64)
    place[np.concatenate([honest, private, known])] = np.arange(len(sender))
    return stacked.take(place)
