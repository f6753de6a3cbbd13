"""The senders of a day: actors by scheme, sellers by volume, private senders created as needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.synthetic import people
from pipelines.synthetic.actors import Roster
from pipelines.synthetic.draws import DAILY, Flags, Floats, Ints, unit, weighted
from pipelines.synthetic.senders import BUSINESS, PLATFORM, SHOP, Senders, private_senders
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import World


@dataclass(frozen=True)
class Population:
    """The whole population; only the roster changes."""

    honest: Senders
    roster: Roster
    buyers: int
    buyer_base: int
    private_base: int
    per_day: int


def sources(
    world: World, goods: Goods, population: Population, scheme: Ints, illicit: Flags, day: int, rng: np.random.Generator
) -> tuple[Senders, Ints]:
    """Return the sender of each consignment, and its place in the population."""
    sender = np.full(len(scheme), -1, dtype=np.int64)
    organised = np.array([part.rate > 0 for part in world.schemes])
    by_actor = (scheme >= 0) & organised[scheme]
    pulse = np.exp(rng.normal(0, 0.7, len(population.roster.scheme)))
    for number in np.unique(scheme[by_actor]).tolist():
        for lawful in (False, True):
            rows = np.flatnonzero(by_actor & (scheme == number) & (illicit != lawful))
            slots = weighted(rng, population.roster.pull(number, day, pulse, lawful), len(rows))
            sender[rows] = len(population.honest) + population.roster.current()[slots]
    kinds = _kinds_of_sender(world, int((~by_actor).sum()), rng)
    free = np.flatnonzero(~by_actor)
    for kind in (PLATFORM, SHOP, BUSINESS):
        rows = free[kinds == kind]
        sender[rows] = weighted(rng, _pull(population.honest, kind, day), len(rows))
    return _gathered(world, goods, population, sender, day, rng), sender


def _kinds_of_sender(world: World, count: int, rng: np.random.Generator) -> Ints:
    flow = world.flow
    rest = 1 - flow.private_share - flow.business_share - flow.shop_share
    return weighted(rng, np.array([rest, flow.shop_share, flow.business_share, flow.private_share]), count)


def _pull(honest: Senders, kind: int, day: int) -> Floats:
    """Return the volume of each honest seller on a day: shops in business, with launches and quiet days."""
    age = day - honest.opened
    active = (honest.kind == kind) & (age >= 0) & (day < honest.closed)
    pull: Floats = honest.weight * active * np.where((age >= 0) & (age < 7), honest.launch, 1.0)
    return pull * (0.4 + 1.2 * unit(honest.ids, 2 * DAILY + day))


def _gathered(
    world: World, goods: Goods, population: Population, sender: Ints, day: int, rng: np.random.Generator
) -> Senders:
    """Return one row per consignment, with private senders created as needed."""
    private = np.flatnonzero(sender < 0)
    ids = population.private_base + (day << 32) + np.arange(len(private), dtype=np.int64)
    codes = np.array([people.country(code) for code in ("CN", "HK", "TR", "GB", "US", "CH", "JP", "VN", "IN")])
    abroad = codes[weighted(rng, np.array([40.0, 4, 8, 16, 14, 6, 4, 4, 4]), len(private))]
    strangers = private_senders(world, goods, ids, abroad)
    honest = np.flatnonzero((sender >= 0) & (sender < len(population.honest)))
    known = np.flatnonzero(sender >= len(population.honest))
    stacked = population.honest.take(sender[honest]).also(strangers)
    stacked = stacked.also(population.roster.identities.take(sender[known] - len(population.honest)))
    place = np.empty(len(sender), dtype=np.int64)
    place[np.concatenate([honest, private, known])] = np.arange(len(sender))
    return stacked.take(place)
