"""Names, addresses and accounts of illicit actors: shared, imitated or invented."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.synthetic import disguise, people
from pipelines.synthetic.draws import Flags, Ints, unit, weighted
from pipelines.synthetic.sellers import Premises, lodge
from pipelines.synthetic.senders import (
    BUSINESS,
    PLATFORM,
    PLATFORM_IOSS,
    PRIVATE,
    SHOP,
    TEMPLATES,
    Senders,
    furnish,
    replace_cards,
)
from pipelines.synthetic.stock import stock_for
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import Scheme, World


def identities_of(
    world: World, goods: Goods, where: Premises, base: int, scheme: Ints, actor: Ints, rng: np.random.Generator
) -> Senders:
    """Create identities: furnished like honest senders first, then changed according to their scheme."""
    ids = base + np.arange(len(scheme), dtype=np.int64)
    habits = [world.schemes[number] for number in scheme]
    on_platform = rng.random(len(ids)) < np.array([habit.platform for habit in habits])
    private = np.array([habit.names == "person" for habit in habits])
    other = np.where(rng.random(len(ids)) < 0.7, SHOP, BUSINESS)
    kind = np.where(private, PRIVATE, np.where(on_platform, PLATFORM, other)).astype(np.int64)
    country = _countries(habits, actor, rng)
    plain = furnish(world, goods, ids, kind, country)
    family = 1000 + actor
    series = unit(ids, 162) < np.array([habit.share_series for habit in habits])
    templated = unit(ids, 163) < np.array([habit.template for habit in habits])
    same_words = unit(ids, 161) < np.array([habit.share_wording for habit in habits])
    plain.family[same_words | series] = family[same_words | series]
    plain.series[series] = True
    plain.template[templated] = TEMPLATES + actor[templated]
    plain.scheme[:] = scheme
    plain.actor[:] = actor
    plain.express[:] = np.array([habit.express for habit in habits])
    plain.stock[:] = _stocks(world, goods, scheme, actor, rng)
    _shared_habits(plain, habits, same_words | templated)
    lodged = np.array([habit.address == "forwarder" for habit in habits]) & (country == people.country("CN"))
    home = where.cards[rng.integers(len(where), size=int(actor.max()) + 1)[actor]]
    called = lodged & (unit(ids, 103) < world.honest.forwarder_phone_share)
    return replace_cards(plain, _dress(lodge(plain.cards, home, lodged, called, ids), ids, habits, actor, rng))


def _shared_habits(plain: Senders, habits: list[Scheme], same_words: Flags) -> None:
    """Give the identities of an actor one level of prices and, where wording is shared, one language and style."""
    leader = np.unique(plain.actor, return_index=True)[1][plain.actor]
    plain.price[:] = plain.price[leader] * np.array([habit.premium for habit in habits])
    plain.language[same_words] = plain.language[leader][same_words]
    plain.style[same_words] = plain.style[leader][same_words]


def _countries(habits: list[Scheme], actor: Ints, rng: np.random.Generator) -> Ints:
    """Return the claimed country of an identity: China, Hong Kong, or the detour of its scheme."""
    seats = [people.country(code) for code in ("CN", "HK", "TR")]
    seat = rng.choice(seats, p=[0.86, 0.1, 0.04], size=int(actor.max()) + 1)[actor]
    fixed = np.array([habit.address == "shared" for habit in habits])
    moved = ~fixed & (rng.random(len(actor)) < 0.08)
    usual = np.where(moved, people.country("HK"), seat)
    detour = np.array(
        [
            people.country(habit.via[number % len(habit.via)]) if habit.via else -1
            for habit, number in zip(habits, actor, strict=True)
        ]
    )
    taken = (detour >= 0) & (rng.random(len(actor)) < np.array([habit.route_share for habit in habits]))
    return np.where(taken, detour, usual).astype(np.int64)


def _stocks(world: World, goods: Goods, scheme: Ints, actor: Ints, rng: np.random.Generator) -> Ints:
    """Give the identities of an actor similar stock."""
    stock = np.zeros((len(actor), 6), dtype=np.int64)
    for number, habits in enumerate(world.schemes):
        rows = np.flatnonzero(scheme == number)
        if len(rows):
            owners, place = np.unique(actor[rows], return_inverse=True)
            stock[rows] = stock_for(goods, habits.goods, rng, len(owners))[place]
            differing = rng.random(stock[rows].shape) < 0.15
            stock[rows] = np.where(
                differing,
                weighted(rng, goods.appeal(habits.goods), differing.size).reshape(differing.shape),
                stock[rows],
            )
    return stock


def _dress(cards: pl.DataFrame, ids: Ints, habits: list[Scheme], actor: Ints, rng: np.random.Generator) -> pl.DataFrame:
    """Let each identity share or imitate attributes of its actor's first identity."""
    rows = cards.to_dicts()
    storefronts = people.shops(ids)["url"].to_list()
    leader: dict[int, dict[str, str | None]] = {}
    for row, habit, owner, storefront in zip(rows, habits, actor.tolist(), storefronts, strict=True):
        if owner not in leader:
            leader[owner] = {**row, "url": storefront}
        _wear(row, leader[owner], habit, rng)
    return pl.DataFrame(rows, schema=cards.schema)


def _wear(row: dict[str, str | None], leader: dict[str, str | None], habit: Scheme, rng: np.random.Generator) -> None:
    if habit.names == "variant":
        row["name"] = disguise.name_variant(str(leader["name"]), rng)
        row["name_local"] = row["name"]
    if habit.address == "shared":
        unit_number = int(rng.integers(1, 40))
        row.update({part: leader[part] for part in ("city", "city_local", "postcode", "address_local")})
        row["address"] = f"{leader['address']} #{unit_number}" if rng.random() < 0.4 else leader["address"]
    if habit.address == "invented":
        row["address"] = disguise.invented_address(str(row["address"]), rng)
        row["address_local"] = row["address"]
    if rng.random() < habit.share_phone:
        row["phone"] = leader["phone"]
    if rng.random() < habit.share_email:
        row["email"] = disguise.mailbox_variant(str(leader["email"]), rng)
    if rng.random() < habit.share_url:
        row["url"] = disguise.shop_variant(str(leader["url"]), rng)
    if row["platform"] is None and rng.random() < habit.borrowed_ioss:
        row["ioss"] = PLATFORM_IOSS[int(rng.integers(len(PLATFORM_IOSS)))]
