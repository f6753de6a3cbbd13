"""Declarations of true consignments, line by line, by honest senders and by those with a reason to lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.synthetic import people
from pipelines.synthetic.draws import Flags, Floats, Ints, mix, sums, weighted
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.stock import home_kind
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import World
from pipelines.synthetic.world_wording import Writer, describe, with_slips

SERIES_NAMED = 0.8  # of the descriptions of those who number articles of their own: they name the number


@dataclass(frozen=True)
class DeclaredLines:
    """The goods lines as declared, with the inputs of the inspectors' rules of thumb."""

    frame: pl.DataFrame
    kind: Ints
    euro: Floats
    vague: Flags
    coded: Flags


def habit(world: World, orders: Orders, name: str, lawful: float = 0.0) -> Floats:
    """Return a scheme's parameter for each illicit consignment, another value for lawful ones."""
    values = np.array([float(getattr(scheme, name)) for scheme in world.schemes])
    return np.where(orders.illicit, values[orders.scheme], lawful)


def declare_lines(world: World, goods: Goods, orders: Orders, day: int, rng: np.random.Generator) -> DeclaredLines:
    """Declare every goods line of a day."""
    of, senders = orders.of, orders.senders
    kind = _declared_kind(world, goods, orders, rng)
    vague = _vague(world, orders, rng)
    euro = declared_euro(world, orders, day, rng)
    coded = rng.random(len(of)) >= _missing(orders, world.missing.hs_code)
    language = np.where(rng.random(len(of)) < 0.8, senders.language[of], 0)
    dear = senders.price[of] > 2.5
    branded = np.where(orders.illicit[of], 0.03, np.where(dear, 0.3, 0.01))
    writer = Writer(
        senders.ids[of], senders.style[of], senders.family[of], senders.series[of], senders.template[of],
        np.where(senders.series[of], SERIES_NAMED, world.honest.code_share),
    )  # fmt: skip
    words = describe(goods, kind, language, writer, vague, branded, rng)
    origin = _goods_origin(world, orders, rng)
    frame = pl.DataFrame(
        {
            "of": of,
            "line_no": orders.line_no,
            "description": with_slips(words, world.honest.typo_share, rng),
            "hs_code": blank(_hs(world, goods, kind, rng), ~coded),
            "quantity": orders.quantity,
            "net_mass_kg": blank(_declared_mass(orders, rng), rng.random(len(of)) < world.missing.net_mass_kg),
            "value": _in_currency(world, orders, euro),
            "currency": pl.Series(list(world.money.euro)).gather(senders.currency[of]),
            "goods_origin_country": blank(origin, rng.random(len(of)) < world.missing.goods_origin_country),
            "product_code": _product_codes(world, orders, kind, dear, rng),
        }
    )
    return DeclaredLines(frame, kind, euro, vague, coded)


def blank(values: pl.Series, where: Flags) -> pl.Series:
    """Leave some of the values empty."""
    return pl.select(pl.when(pl.Series(~where)).then(values)).to_series()


def _missing(orders: Orders, share: float) -> Floats:
    careless = orders.senders.careless[orders.of]
    return np.minimum(np.where(careless, 3.0, 1.0) * share, 0.95)


def _declared_kind(world: World, goods: Goods, orders: Orders, rng: np.random.Generator) -> Ints:
    """Replace misdeclared goods by harmless ones."""
    hidden = (rng.random(len(orders)) < habit(world, orders, "misdeclared"))[orders.of]
    harmless = goods.share * (1 - goods.ipr) ** 2 * (1 - goods.danger) ** 2
    return np.where(hidden, weighted(rng, harmless, len(orders.of)), orders.goods)


def _vague(world: World, orders: Orders, rng: np.random.Generator) -> Flags:
    usual = np.where(orders.senders.careless, 2.0, 0.86) * world.honest.vague_share
    chance = np.maximum(habit(world, orders, "vague"), np.where(orders.illicit, 0.6, 1.0) * usual)
    return np.asarray((rng.random(len(orders)) < chance)[orders.of])


def declared_euro(world: World, orders: Orders, day: int, rng: np.random.Generator) -> Floats:
    """Return the declared value of each line, in EUR."""
    of = orders.of
    true: Floats = orders.quantity * orders.unit_eur
    factor = habit(world, orders, "value_factor", 1.0)
    spread = np.where(orders.illicit, 0.25, 0.06)
    declared: Floats = true * (factor * np.exp(spread * rng.standard_normal(len(orders))))[of]
    declared = declared * _under_caps(world, orders, sums(of, declared, len(orders)), rng)[of]
    return declared * (world.drift.value_factor if 0 <= world.drift.day <= day else 1.0)


def _under_caps(world: World, orders: Orders, total: Floats, rng: np.random.Generator) -> Floats:
    """Return the factor of a consignment's values that keeps the total just under the targeted threshold."""
    scale = np.ones(len(orders))
    aims = rng.random(len(orders)) < habit(world, orders, "cap_share")
    under = 1.0 - 0.14 * rng.random(len(orders)) ** 2 - 0.004
    for number, scheme in enumerate(world.schemes):
        rows = np.flatnonzero(aims & (orders.scheme == number))
        if scheme.caps and len(rows):
            caps = np.array(scheme.caps)
            step = orders.probe[rows] if scheme.probe else rng.integers(0, len(caps), len(rows))
            target = caps[step % len(caps)] * under[rows]
            over = (total[rows] > target) | scheme.probe
            scale[rows] = np.where(over, target / np.maximum(total[rows], 0.01), 1.0)
    return scale


def _in_currency(world: World, orders: Orders, euro: Floats) -> pl.Series:
    """Convert amounts to the sender's currency; higher prices often end in .99."""
    rates = np.array(list(world.money.euro.values()))[orders.senders.currency[orders.of]]
    amount = np.maximum(euro / rates, 0.1)
    shelf = (amount > 8) & ((mix(orders.senders.ids[orders.of], 311) & np.uint64(3)) == 0)
    return pl.Series(np.round(np.where(shelf, np.floor(amount) + 0.99, amount), 2))


def _hs(world: World, goods: Goods, kind: Ints, rng: np.random.Generator) -> pl.Series:
    misfiled = rng.random(len(kind)) < world.honest.misfiled_share
    filed = np.where(misfiled, home_kind(goods, goods.family[kind], rng.random(len(kind))), kind)
    tail = pl.Series(["", "00", "0000"]).gather(weighted(rng, np.array([0.72, 0.14, 0.14]), len(kind)))
    return (goods.hs6.gather(filed) + tail).rename("hs_code")


def _declared_mass(orders: Orders, rng: np.random.Generator) -> pl.Series:
    """Return the mass, weighed or carelessly rounded to a hundred grams."""
    weighed = orders.net_kg * np.exp(rng.normal(0, 0.03, len(orders.of)))
    guessed = np.maximum(np.round(weighed, 1), 0.1)
    return pl.Series(np.round(np.where(orders.senders.careless[orders.of], guessed, np.maximum(weighed, 0.001)), 3))


def _goods_origin(world: World, orders: Orders, rng: np.random.Generator) -> pl.Series:
    """Return the origin: China or home; a detour claims its transit country."""
    home, china = orders.senders.country[orders.of], people.country("CN")
    routed = np.array([bool(scheme.via) for scheme in world.schemes])
    detour = (orders.illicit & routed[orders.scheme])[orders.of]
    abroad = np.where(detour, 0.15, np.where(home == people.country("HK"), 0.85, 0.35))
    places = np.where(rng.random(len(home)) < abroad, china, home)
    return pl.Series(people.countries()).gather(places)


def _product_codes(world: World, orders: Orders, kind: Ints, dear: Flags, rng: np.random.Generator) -> pl.Series:
    """Return GTINs: honest sellers' articles have their own, a copier repeats the genuine code of its model."""
    of = orders.of
    present = rng.random(len(of)) < np.where(dear, 3.0, 1.0) * (1 - world.missing.product_code)
    article_codes = mix(orders.senders.family[of] * 1000 + kind, 321)
    copied = mix(orders.senders.actor[of] * 0 + kind + 7, 322)
    stem = np.where(orders.illicit[of], copied, article_codes) >> np.uint64(11)
    return blank(gtin(stem.astype(np.int64) % 10**9 + 690 * 10**9), ~present)


def gtin(stem: Ints) -> pl.Series:
    """Return twelve digits and their check digit."""
    places = np.stack([stem // 10**power % 10 for power in range(11, -1, -1)])
    total = (places * np.array([1, 3] * 6)[:, None]).sum(axis=0)
    return pl.Series(stem * 10 + (-total) % 10).cast(pl.String)
