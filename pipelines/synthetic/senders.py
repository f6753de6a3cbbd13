"""Senders: honest sellers with their accounts, stock and habits, including forwarders and sibling shops."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import polars as pl

from pipelines.synthetic import people
from pipelines.synthetic.draws import Flags, Floats, Ints, bell, pick, unit
from pipelines.synthetic.stock import stock_of
from pipelines.synthetic.world_goods import Goods
from pipelines.synthetic.world_settings import World

PLATFORM, SHOP, BUSINESS, PRIVATE = 0, 1, 2, 3
FOREVER = 1 << 30
TEMPLATES = 24  # of the listing tools that honest senders use
COMMON = 1 << 46  # common names number from here, clear of all who bear them
PLATFORMS = ("Bazarille", "Temoro", "Wishlane", "KirinBuy", "Allmarche", "Zeebay")
# the one number under which each marketplace accounts for VAT
PLATFORM_IOSS = tuple(f"IM3720{(number + 1) * 137911 % 1_000_000:06d}" for number in range(len(PLATFORMS)))
_PLATFORM_SHARE = np.array([0.34, 0.28, 0.14, 0.11, 0.08, 0.05])


@dataclass(frozen=True)
class Senders:
    """One row per declared identity. `cards` holds its declared attributes, the arrays its behaviour."""

    cards: pl.DataFrame
    ids: Ints
    actor: Ints  # honest sellers: their owner's id; illicit actors: numbered from zero; both only for the truth
    scheme: Ints  # -1 is honest
    kind: Ints
    country: Ints
    weight: Floats
    opened: Ints
    closed: Ints
    launch: Floats  # factor on the volume of the first week
    price: Floats
    express: Floats
    language: Ints
    style: Ints  # 0 as written, 1 lower case, 2 upper case
    careless: Flags
    family: Ints  # whose article codes it uses
    series: Flags  # numbers articles of its own within the series of that family
    template: Ints  # which template its wording follows; -1 is none
    currency: Ints
    stock: Ints  # kinds of goods it sells, most wanted first

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Ints) -> Senders:
        """Return rows, repeated and reordered as given."""
        picked = {field.name: getattr(self, field.name)[rows] for field in fields(self)}
        return Senders(**picked)

    def also(self, other: Senders) -> Senders:
        """Append the rows of another population."""
        arrays = {
            field.name: np.concatenate([getattr(self, field.name), getattr(other, field.name)])
            for field in fields(self)
            if field.name != "cards"
        }
        return Senders(cards=pl.concat([self.cards, other.cards]), **arrays)


def furnish(world: World, goods: Goods, ids: Ints, kind: Ints, country: Ints) -> Senders:
    """Create senders of given kinds and countries, all else drawn by id: the same for honest and illicit ones."""
    chinese = (country == people.country("CN")) | (country == people.country("HK"))
    dear, cheap = unit(ids, 71) < world.honest.dear_share, unit(ids, 72) < world.honest.cheap_share
    price = np.exp(0.35 * bell(ids, 73)) * np.where(dear, 3.5, np.where(cheap, 0.35, 1.0)) * world.honest.price_level
    return Senders(
        cards=_cards(world, ids, kind, country),
        ids=ids,
        actor=ids.copy(),
        scheme=np.full(len(ids), -1, dtype=np.int64),
        kind=kind,
        country=country,
        weight=(1.0 - unit(ids, 74)) ** (-1.0 / world.honest.tail),
        opened=-pick(ids, 75, 400),
        closed=np.full(len(ids), FOREVER, dtype=np.int64),
        launch=np.ones(len(ids)),
        price=price,
        express=_express(world, ids, kind),
        language=_language(ids, chinese),
        style=np.searchsorted([0.55, 0.8], unit(ids, 76)).astype(np.int64),
        careless=unit(ids, 77) < world.missing.careless_share,
        family=pick(ids, 78, world.honest.article_families),
        series=unit(ids, 80) < world.honest.series_share,
        template=np.where(unit(ids, 79) < world.honest.template_share, pick(ids, 88, TEMPLATES), -1),
        currency=_currency(world, ids, country, chinese),
        stock=stock_of(goods, ids),
    )


def private_senders(world: World, goods: Goods, ids: Ints, country: Ints) -> Senders:
    """Create one-off senders: families, friends, people who return a purchase."""
    return furnish(world, goods, ids, np.full(len(ids), PRIVATE, dtype=np.int64), country)


def _cards(world: World, ids: Ints, kind: Ints, country: Ints) -> pl.DataFrame:
    common = unit(ids, 89) < world.honest.common_name_share
    names = np.where(common, COMMON + pick(ids, 90, world.honest.common_names), ids)
    person, firm, shop = people.persons(ids, country, names), people.firms(names, country), people.shops(ids)
    market = np.searchsorted(np.cumsum(_PLATFORM_SHARE)[:-1], unit(ids, 94))
    borrowed = pl.Series((kind == SHOP) & (unit(ids, 98) < world.honest.borrowed_ioss))
    as_person = (kind == PRIVATE) | ((kind == PLATFORM) & (unit(ids, 91) < 0.4))
    frame = pl.DataFrame(
        {
            "person": pl.Series(as_person),
            "on_platform": pl.Series(kind == PLATFORM),
            "on_shop": pl.Series((kind == SHOP) | ((kind == PLATFORM) & (unit(ids, 92) < 0.06))),
            "registered": pl.Series((kind == BUSINESS) | ((kind != PRIVATE) & (unit(ids, 93) < 0.25))),
            "market": pl.Series(PLATFORMS).gather(market),
            "number": people.digits(ids, 95, 9),
            "ioss": pl.Series((kind == SHOP) & (unit(ids, 96) < 0.4)),
            "country": pl.Series(people.countries()).gather(country),
            "firm_name": firm["name"],
            "firm_local": firm["name_local"],
        }
    ).hstack(shop)
    named = frame.hstack(person).with_columns(people.places(ids, country, world.places))
    is_person = pl.col("person")
    return named.select(
        name=pl.when(is_person).then("name").otherwise("firm_name"),
        name_local=pl.when(is_person).then("name_local").otherwise("firm_local"),
        address="address",
        address_local="address_local",
        city="city",
        city_local="city_local",
        postcode="postcode",
        country="country",
        phone="phone",
        email=pl.when(is_person)
        .then("email")
        .otherwise(pl.col("account") + "@" + pl.col("email").str.split("@").list.get(1)),
        id=pl.when("registered").then(pl.col("country") + pl.col("number")),
        platform=pl.when("on_platform").then("market"),
        account=pl.when("on_platform").then("account"),
        url=pl.when("on_shop").then("url"),
        ioss=pl.when("on_platform")
        .then(pl.Series(PLATFORM_IOSS).gather(market))
        .when(borrowed)
        .then(pl.Series(PLATFORM_IOSS).gather(pick(ids, 97, len(PLATFORMS))))
        .when("ioss")
        .then("IM250" + pl.col("number").str.slice(0, 7)),
    )


def replace_cards(senders: Senders, cards: pl.DataFrame) -> Senders:
    """Return the same senders with other cards."""
    return Senders(**{**{field.name: getattr(senders, field.name) for field in fields(senders)}, "cards": cards})


def _express(world: World, ids: Ints, kind: Ints) -> Floats:
    usual = np.where(unit(ids, 111) < world.flow.express_share, 0.8, 0.06)
    level = 0.80 * world.flow.express_share + 0.06 * (1 - world.flow.express_share)
    scaled = np.minimum(usual * world.flow.express_share / max(level, 1e-9), 1.0)
    return np.where(kind == BUSINESS, 0.7, np.where(kind == PRIVATE, 0.12, scaled))


def _language(ids: Ints, chinese: Flags) -> Ints:
    drawn = unit(ids, 112)
    eastern = np.searchsorted([0.64, 0.70, 0.80], drawn)
    western = np.searchsorted([0.80], drawn)
    return np.where(chinese, eastern, western).astype(np.int64)


def _currency(world: World, ids: Ints, country: Ints, chinese: Flags) -> Ints:
    known = list(world.money.euro)
    home = np.array([known.index(world.money.home_currency.get(code, "EUR")) for code in people.countries()])
    usual = np.array([known.index(code) for code in world.money.platform_currency])
    edges = np.cumsum(list(world.money.platform_currency.values()))[:-1]
    return np.where(chinese, usual[np.searchsorted(edges, unit(ids, 113))], home[country]).astype(np.int64)
