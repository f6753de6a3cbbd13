"""Declarations at consignment level: sender, addressee, nature, route and mass."""

from __future__ import annotations

import numpy as np
import polars as pl

from pipelines.synthetic import people
from pipelines.synthetic.declaration import blank, habit
from pipelines.synthetic.draws import DAILY, Flags, Floats, Ints, pick, sums, unit, weighted
from pipelines.synthetic.flow import Orders
from pipelines.synthetic.senders import BUSINESS, PRIVATE
from pipelines.synthetic.world_settings import World
from pipelines.synthetic.world_wording import with_slips

_TOWN = pl.col("town")
TOWN_WAYS = (  # of writing one town
    _TOWN.str.to_uppercase(),
    _TOWN + " City",
    _TOWN + " Shi",
    _TOWN.str.slice(0, 4) + " " + _TOWN.str.slice(4),
    _TOWN + " Industrial District",
    _TOWN.str.to_lowercase(),
)
_NATURES = ("sale", "gift", "documents", "sample", "returned", "other")


def declare_parties(world: World, orders: Orders, document: int, day: int, rng: np.random.Generator) -> pl.DataFrame:
    """Return one row per consignment, without identifiers and times."""
    express = rng.random(len(orders)) < orders.senders.express
    gross = _gross(orders, rng)
    dispatch = _dispatch(world, orders, day, rng)
    consignor, consignee = _consignor(world, orders, rng), _consignee(world, orders, rng)
    consignor = consignor.with_columns(_towns(world, orders, consignor["consignor_city"], day))
    frame = pl.DataFrame(
        {
            "stream": pl.Series(["postal", "express"]).gather(express.astype(np.int64)),
            "dispatch_country": pl.Series(people.countries()).gather(dispatch),
            "transit_countries": _transits(world, orders, rng),
            "destination_country": pl.repeat("FR", len(orders), eager=True),
            "nature": _natures(world, orders, document, rng),
            "ioss": _ioss(orders, rng),
            "gross_mass_kg": np.round(gross, 3),
            "packages": 1 + (rng.random(len(orders)) < 0.02) * rng.integers(1, 4, len(orders)),
            "postage": np.round(np.where(express, 9.0, 1.6) + gross * np.where(express, 6.5, 4.2), 2),
        }
    )
    shop = orders.senders.cards.select(platform="platform", seller_account="account", seller_url="url")
    return pl.concat([frame, consignor, consignee, shop], how="horizontal")


def _gross(orders: Orders, rng: np.random.Generator) -> Floats:
    net = sums(orders.of, orders.net_kg, len(orders))
    return np.asarray(net * 1.05 + 0.012 + 0.02 * rng.random(len(orders)))


def _dispatch(world: World, orders: Orders, day: int, rng: np.random.Generator) -> Ints:
    """Return the country of dispatch: the sender's; for few Chinese senders another, for more under a drift."""
    china, from_where = people.country("CN"), [people.country(code) for code in world.flow.detours]
    shift = world.flow.detour_share + (world.drift.origin_shift if 0 <= world.drift.day <= day else 0.0)
    moved = (orders.senders.country == china) & (rng.random(len(orders)) < shift)
    elsewhere = np.array(from_where)[pick(orders.senders.ids, 334, len(from_where))]
    return np.where(moved, elsewhere, orders.senders.country)


def _transits(world: World, orders: Orders, rng: np.random.Generator) -> pl.Series:
    hubs, pull = list(world.flow.transit_hubs), np.array(list(world.flow.transit_hubs.values()))
    routed = np.array([bool(scheme.via) for scheme in world.schemes])
    detour = orders.illicit & routed[orders.scheme]
    first, second = (pl.Series(hubs).gather(weighted(rng, pull, len(orders))) for _ in range(2))
    named = rng.random(len(orders)) < np.where(detour, 0.6, world.flow.transit_share)
    twice = pl.Series(rng.random(len(orders)) < np.where(detour, 0.4, 0.08))
    both = pl.DataFrame({"a": first, "b": second, "twice": twice & (first != second)})
    chain = both.select(pl.when("twice").then(pl.col("a") + ";" + pl.col("b")).otherwise("a")).to_series()
    return blank(chain, ~named)


def _natures(world: World, orders: Orders, document: int, rng: np.random.Generator) -> pl.Series:
    kind, drawn = orders.senders.kind, rng.random(len(orders))
    papers = np.zeros(len(orders), dtype=np.bool_)
    papers[orders.of[orders.goods == document]] = True
    private = np.searchsorted([0.0, 0.74, 0.76, 0.76, 0.88], drawn, side="right") - 1
    private = np.array([1, 2, 3, 4, 5])[np.clip(private, 0, 4)]
    sample = np.where(drawn < 0.7, 3, 0)
    gift = drawn < np.maximum(habit(world, orders, "gift"), world.honest.gift_error_share)
    as_gift = np.where(gift, 1, 0)
    lawful_private = (kind == PRIVATE) & (orders.scheme < 0)
    nature = np.where(lawful_private, np.where(papers, 2, private), np.where(kind == BUSINESS, sample, as_gift))
    natures = np.array([_NATURES.index(scheme.nature or "sale") for scheme in world.schemes])
    named = (drawn < habit(world, orders, "nature_share")) & orders.illicit
    return pl.Series(_NATURES).gather(np.where(named, natures[orders.scheme], nature))


def _ioss(orders: Orders, rng: np.random.Generator) -> pl.Series:
    """Return the IOSS number of the account, sometimes missing."""
    account_number = orders.senders.cards["ioss"]
    absent = rng.random(len(orders)) < 0.06
    return blank(account_number, absent)


def _consignor(world: World, orders: Orders, rng: np.random.Generator) -> pl.DataFrame:
    senders, cards, missing = orders.senders, orders.senders.cards, world.missing
    local, shout = pl.Series(rng.random(len(orders)) < 0.12), pl.Series(rng.random(len(orders)) < 0.1)
    name = pl.when(local).then("name_local").when(shout).then(pl.col("name").str.to_uppercase()).otherwise("name")
    gaps = np.where(senders.careless, 3.0, 1.0)
    # A sender's habit of leaving a field empty is its own: three draws in four follow the sender, not the day.
    habitual = {
        name: 0.75 * unit(senders.ids, salt) for name, salt in (("phone", 331), ("email", 332), ("postcode", 333))
    }
    empty = {
        part: habitual[part] + 0.25 * rng.random(len(orders)) < getattr(missing, f"consignor_{part}") * gaps
        for part in habitual
    }
    written = cards.select(
        consignor_name=name,
        consignor_address=pl.when(local).then("address_local").otherwise("address"),
        consignor_city=pl.when(local).then("city_local").otherwise("city"),
        consignor_country="country",
        consignor_id="id",
    )
    return written.with_columns(
        with_slips(written["consignor_name"], world.honest.name_slip_share, rng),
        blank(cards["postcode"], empty["postcode"]).alias("consignor_postcode"),
        blank(_dialled(cards["phone"], rng), empty["phone"]).alias("consignor_phone"),
        blank(cards["email"], empty["email"]).alias("consignor_email"),
    )


def _consignee(world: World, orders: Orders, rng: np.random.Generator) -> pl.DataFrame:
    """Return domestic buyers; sometimes another household member, which closed circles imitate with invented ones."""
    france = np.full(len(orders), people.country("FR"), dtype=np.int64)
    to, split = orders.to, np.array([scheme.split > 1 for scheme in world.schemes])
    other = rng.random(len(orders)) < np.where(orders.illicit & split[orders.scheme], 0.45, 0.04)
    apart = to.name == to.home  # nobody else of the household was drawn
    person = to.name + np.where(other & apart, rng.integers(1, 4, len(orders)) << 40, 0)
    trader = (orders.senders.kind == BUSINESS) & (unit(to.home, 341) < 0.9) & (to.actor < 0)
    names, place = people.persons(person, france), people.places(to.home, france, world.places)
    phone = people.phones(np.where(to.phone == to.name, person, to.phone), france)
    company = "SARL " + names["name"].str.split(" ").list.get(-1)
    number = "FR" + people.digits(to.home, 342, 9) + "00017"
    return pl.DataFrame(
        {
            "consignee_name": _either(trader, company, names["name"]),
            "consignee_address": place["address"],
            "consignee_city": place["city"],
            "consignee_postcode": place["postcode"],
            "consignee_country": pl.repeat("FR", len(orders), eager=True),
            "consignee_phone": blank(phone, rng.random(len(orders)) < world.missing.consignee_phone),
            "consignee_email": blank(names["email"], rng.random(len(orders)) < world.missing.consignee_email),
            "consignee_id": blank(number, ~trader),
        }
    )


def _either(flag: Flags, yes: pl.Series, no: pl.Series) -> pl.Series:
    return pl.select(pl.when(pl.Series(flag)).then(yes).otherwise(no)).to_series()


def _dialled(phones: pl.Series, rng: np.random.Generator) -> pl.Series:
    """Write numbers as people do: with +, with 00, or without either."""
    way = pl.Series(rng.random(len(phones)))
    bare = phones.str.slice(1)
    return pl.select(pl.when(way < 0.75).then(phones).when(way < 0.9).then("00" + bare).otherwise(bare)).to_series()


def _towns(world: World, orders: Orders, towns: pl.Series, day: int) -> pl.Series:
    """Write part of the towns in another way, drawn for each consignment: capitals, a suffix, two words, a province."""
    lot = orders.senders.ids * 4096 + np.arange(len(orders))
    varied = unit(lot, 3 * DAILY + day) < world.places.town_variant_share
    turn = pl.Series(np.where(varied, pick(lot, 335, len(TOWN_WAYS)), -1))
    town = _TOWN
    for way, written in enumerate(TOWN_WAYS):
        town = pl.when(turn == way).then(written).otherwise(town)
    return pl.DataFrame({"town": towns}).select(town.alias("consignor_city")).to_series()
