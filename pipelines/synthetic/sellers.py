"""The population of honest sellers: opening dates, forwarders' addresses, owners of several shops."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.synthetic import disguise, people
from pipelines.synthetic.draws import Flags, Ints, pick, unit
from pipelines.synthetic.senders import Senders, furnish, replace_cards
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import World


@dataclass(frozen=True)
class Premises:
    """Forwarders' warehouses, shared by unrelated sellers."""

    cards: pl.DataFrame

    def __len__(self) -> int:
        return self.cards.height


def premises(world: World, base: int, sellers: int) -> Premises:
    """Return the forwarders that the expected number of sellers fills."""
    count = max(3, round(sellers * world.honest.forwarder_share / world.honest.sellers_per_forwarder))
    ids = base + np.arange(count, dtype=np.int64)
    where = np.full(count, people.country("CN"), dtype=np.int64)
    names = people.vocabulary()["names"]["forwarder"]
    sign = pl.Series(names).gather(pick(ids, 60, len(names))) + " " + people.digits(ids, 61, 2) + ", "
    cards = people.places(ids, where, world.places).with_columns(
        address=pl.lit(sign) + pl.col("address"), phone=people.phones(ids, where)
    )
    return Premises(cards)


def honest_sellers(world: World, goods: Goods, where: Premises, base: int, days: int, volume: int) -> Senders:
    """Create the honest sellers of a world of this length and volume."""
    count = max(400, round(world.honest.sellers_per_consignment * volume))
    ids = base + np.arange(count, dtype=np.int64)
    kind = np.searchsorted([0.82, 0.95], unit(ids, 81)).astype(np.int64)
    codes = np.array([people.country(code) for code in world.origins], dtype=np.int64)
    edges = np.cumsum(list(world.origins.values())) / sum(world.origins.values())
    country = codes[np.minimum(np.searchsorted(edges, unit(ids, 82)), len(codes) - 1)]
    sellers = furnish(world, goods, ids, kind, country)
    new = unit(ids, 83) < world.honest.new_share
    bursting = new & (unit(ids, 84) < world.honest.burst_share)
    leaving = unit(ids, 85) < 0.1
    sellers.weight[:] = np.minimum(sellers.weight, world.honest.largest_share * sellers.weight.sum())
    sellers.opened[new] = pick(ids, 86, days)[new]
    sellers.closed[leaving] = np.maximum(sellers.opened, 0)[leaving] + 5 + pick(ids, 87, days)[leaving]
    sellers.launch[bursting] = world.honest.burst_factor
    return _look_alikes(world, _successors(world, _siblings(world, _lodgers(world, sellers, where)), new))


def _lodgers(world: World, sellers: Senders, where: Premises) -> Senders:
    """Let part of the Chinese sellers give a forwarder's address, some also its telephone."""
    chinese = sellers.country == people.country("CN")
    lodged = chinese & (unit(sellers.ids, 101) < world.honest.forwarder_share)
    home = where.cards[pick(sellers.ids, 102, len(where))]
    called = lodged & (unit(sellers.ids, 103) < world.honest.forwarder_phone_share)
    return replace_cards(sellers, lodge(sellers.cards, home, lodged, called, sellers.ids))


def lodge(cards: pl.DataFrame, home: pl.DataFrame, lodged: Flags, called: Flags, ids: Ints) -> pl.DataFrame:
    """Give lodged cards the forwarder's address, with or without a customer code, and called ones its telephone."""
    flag, calling = pl.Series(lodged), pl.Series(called)
    code = (
        pl.when(pl.Series(unit(ids, 104) < 0.5))
        .then(pl.lit(" (") + people.digits(ids, 105, 3) + ")")
        .otherwise(pl.lit(""))
    )
    declared = {name: pl.col(name) for name in ("address", "address_local", "city", "city_local", "postcode")}
    moved = {name: pl.when(flag).then(home[name]).otherwise(column) for name, column in declared.items()}
    moved["address"] = pl.when(flag).then(pl.lit(home["address"]) + code).otherwise(declared["address"])
    return cards.with_columns(**moved, phone=pl.when(calling).then(home["phone"]).otherwise(pl.col("phone")))


def _siblings(world: World, sellers: Senders) -> Senders:
    """Let some owners run several honest accounts: a phone and a mailbox under several names."""
    size = world.honest.sibling_size
    head = np.arange(len(sellers)) // size * size
    related = unit(sellers.ids[head], 106) < world.honest.sibling_share
    same = related & (sellers.country == sellers.country[head])
    sellers.actor[same] = sellers.ids[head][same]
    shared = {
        name: pl.when(pl.Series(same)).then(sellers.cards[name].gather(head)).otherwise(pl.col(name))
        for name in ("phone", "email")
    }
    return replace_cards(sellers, sellers.cards.with_columns(**shared))


def _successors(world: World, sellers: Senders, new: Flags) -> Senders:
    """Let some new sellers be old ones under another name: contacts, goods and wording stay, the old account closes."""
    drawn = new & (unit(sellers.ids, 107) < world.honest.rebrand_share)
    drawn[0] = False
    drawn[1:] &= ~drawn[:-1] & (sellers.country[1:] == sellers.country[:-1])
    heirs = np.flatnonzero(drawn)
    for values in (sellers.actor, sellers.stock, sellers.family, sellers.style, sellers.language, sellers.price):
        values[heirs] = values[heirs - 1]
    sellers.closed[heirs - 1] = np.minimum(sellers.closed[heirs - 1], sellers.opened[heirs])
    former, after = pl.Series(np.maximum(np.arange(len(sellers)) - 1, 0)), pl.Series(drawn)
    kept = {
        name: pl.when(after).then(sellers.cards[name].gather(former)).otherwise(pl.col(name))
        for name in ("phone", "email")
    }
    return replace_cards(sellers, sellers.cards.with_columns(**kept))


def _look_alikes(world: World, sellers: Senders) -> Senders:
    """Let some names hold a letter of another script for good, as a keyboard or a reader of documents left it."""
    rows = np.flatnonzero(unit(sellers.ids, 108) < world.honest.lookalike_share)
    if not len(rows):
        return sellers
    names = sellers.cards["name"]
    written = [disguise.lookalike(names[row], np.random.default_rng(int(sellers.ids[row]))) for row in rows.tolist()]
    named = names.clone().scatter(rows, pl.Series(written, dtype=pl.String))
    return replace_cards(sellers, sellers.cards.with_columns(name=named))
