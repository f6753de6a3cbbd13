"""Invented persons, firms and places of many countries, composed from the vocabulary by entity id."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl

from pipelines.synthetic.draws import Flags, Ints, mix, pick, unit
from pipelines.synthetic.world_settings import Places

MAIN_STREETS, MAIN_NUMBERS, ROOMS = 3, 40, 400
TOWER = 1 << 45  # large buildings number from here, clear of all who live in them


@cache
def vocabulary() -> dict[str, Any]:
    """Read the shipped file `vocabulary.toml`."""
    return tomllib.loads(files(__package__).joinpath("vocabulary.toml").read_text("utf-8"))


@cache
def countries() -> list[str]:
    """Return countries with names and addresses, in the order of the vocabulary; their index is used everywhere."""
    return list(vocabulary()["locale"])


def country(code: str) -> int:
    """Return the index of a country."""
    return countries().index(code)


@dataclass(frozen=True)
class Pool:
    """Words of one sort for each country, laid end to end."""

    words: pl.Series
    first: Ints
    count: Ints

    def draw(self, ids: Ints, where: Ints, salt: int, few: Flags | None = None) -> pl.Series:
        """Return the word of each entity in its country; for the flagged ones, of the first three alone."""
        among = self.count[where] if few is None else np.where(few, MAIN_STREETS, self.count[where])
        return self.words.gather(self.first[where] + pick(ids, salt, among))


def pool(lists: list[list[str]]) -> Pool:
    """Build a pool from a list of words per country."""
    counts = np.array([len(words) for words in lists], dtype=np.int64)
    first = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
    return Pool(pl.Series([word for words in lists for word in words], dtype=pl.String), first, counts)


@cache
def _sort(name: str, instead: str = "") -> Pool:
    return pool([locale.get(name) or locale[instead or name] for locale in vocabulary()["locale"].values()])


@cache
def _city(part: int) -> Pool:
    """Return part 0, the name, 1, the postcode stem, or 2, the name in the local script."""
    rows = [[city.split("|") for city in locale["cities"]] for locale in vocabulary()["locale"].values()]
    return pool([[city[part] if part < len(city) else city[0] for city in cities] for cities in rows])


@cache
def _each(name: str) -> pl.Series:
    return pl.Series([str(locale[name]) for locale in vocabulary()["locale"].values()])


def digits(ids: Ints, salt: int, count: int) -> pl.Series:
    """Return a number of `count` digits for each entity, with leading zeros."""
    drawn = (mix(ids, salt) >> np.uint64(11)) % np.uint64(10**count)
    return pl.Series(drawn.astype(np.int64)).cast(pl.String).str.zfill(count)


def fill(stems: pl.Series, ids: Ints, salt: int) -> pl.Series:
    """Replace each '#' of a stem by a digit of the entity."""
    frame = pl.DataFrame({"stem": stems})
    longest = int(stems.str.count_matches("#", literal=True).max() or 0)  # type: ignore[arg-type]
    for place in range(longest):
        digit = digits(ids, salt + 101 * place, 1)
        frame = frame.select(pl.col("stem").str.replace("#", pl.lit(digit), literal=True))
    return frame["stem"]


def places(ids: Ints, where: Ints, habits: Places) -> pl.DataFrame:
    """Return address, city and postcode; `*_local` are the same in the script of the country."""
    tower = unit(ids, 19) < habits.tower_share
    room = np.where(tower, 1 + pick(ids, 17, ROOMS), np.where(pick(ids, 16, 16) == 0, 1 + pick(ids, 17, 40), 0))
    ids = np.where(tower, TOWER + pick(ids, 20, habits.towers), ids)
    lead, glue, suffix = (_each(name).gather(where) for name in ("lead", "glue", "suffix"))
    number_first = (_each("number_first") == "True").gather(where)
    # Estates with four-figure numbers and addresses with a unit exist: an odd number alone proves nothing.
    estate, main = unit(ids, 15) < habits.estate_share, unit(ids, 18) < habits.main_street_share
    usual = np.where(main, pick(ids, 12, MAIN_NUMBERS), pick(ids, 12, 188))
    number = pl.Series(1 + np.where(estate, 200 + pick(ids, 12, 9000), usual)).cast(pl.String)
    street = pl.DataFrame({"a": _sort("streets").draw(ids, where, 11, main), "b": suffix})
    chinese = pl.Series(where == country("CN"))
    frame = pl.DataFrame(
        {
            "lead": lead,
            "glue": glue,
            "number": number,
            "street": street.select(pl.col("a") + pl.col("b")).to_series(),
            "street_local": _sort("streets_zh", "streets").draw(ids, where, 11, main),
            "city": _city(0).draw(ids, where, 13),
            "city_local": _city(2).draw(ids, where, 13),
            "postcode": fill(_city(1).draw(ids, where, 13), ids, 14),
            "number_first": number_first,
            "room": pl.Series(room),
            "chinese": chinese,
        }
    )
    numbered = pl.col("lead") + pl.col("number")
    address = (
        pl.when("number_first")
        .then(numbered + pl.col("glue") + pl.col("street"))
        .when("chinese")
        .then(numbered + pl.col("glue") + pl.col("street"))
        .otherwise(pl.col("street") + pl.col("glue") + numbered)
    )
    local = pl.col("city_local") + pl.col("street_local") + pl.col("number") + "号"
    return frame.select(
        address=address + pl.when(pl.col("room") > 0).then(pl.format(" #{}", "room")).otherwise(pl.lit("")),
        address_local=pl.when("chinese").then(local).otherwise(address),
        city="city",
        city_local="city_local",
        postcode=pl.when(pl.col("postcode") != "").then("postcode"),
    )


def persons(ids: Ints, where: Ints, names: Ints | None = None) -> pl.DataFrame:
    """Return name (and in local script), phone and mailbox of private persons.

    names: whose name each bears, where it is not its own.
    """
    names = ids if names is None else names
    frame = pl.DataFrame(
        {
            "given": _sort("given").draw(names, where, 21),
            "surname": _sort("surnames").draw(names, where, 22),
            "given_local": _sort("given_zh", "given").draw(names, where, 21),
            "surname_local": _sort("surnames_zh", "surnames").draw(names, where, 22),
            "chinese": where == country("CN"),
            "family_first": (where == country("CN")) | (pick(ids, 23, 12) == 0),
            "short": digits(ids, 24, 3),
            "tag": pick(ids, 26, 80) == 0,
            "domain": pl.Series(vocabulary()["names"]["mailboxes"]).gather(pick(ids, 25, 6)),
        }
    )
    plain = pl.col("given") + " " + pl.col("surname")
    turned = pl.col("surname") + " " + pl.col("given")
    name = pl.when("family_first").then(turned).otherwise(plain)
    local = pl.when("chinese").then(pl.col("surname_local") + pl.col("given_local")).otherwise(name)
    tag = pl.when("tag").then(pl.lit("+shop")).otherwise(pl.lit(""))
    mailbox = mail_stem(pl.col("given") + "." + pl.col("surname")) + pl.col("short") + tag + "@" + pl.col("domain")
    return frame.select(name=name, name_local=local, email=mailbox).with_columns(phone=phones(ids, where))


def phones(ids: Ints, where: Ints) -> pl.Series:
    """Return a number in the plan of each country."""
    prefix, tail = (_each("phone").gather(where).str.split("|").list.get(part) for part in (0, 1))
    frame = pl.DataFrame({"prefix": prefix, "length": tail.str.len_chars(), "number": digits(ids, 31, 10)})
    return frame.select(pl.col("prefix") + pl.col("number").str.slice(0, pl.col("length"))).to_series()


def firms(ids: Ints, where: Ints) -> pl.DataFrame:
    """Return names (and in local script) of trading firms."""
    names = vocabulary()["names"]
    stem, trade = pick(ids, 41, len(names["firm"])), pick(ids, 42, len(names["trade"]))
    frame = pl.DataFrame(
        {
            "city": _city(0).draw(ids, where, 13),
            "city_local": _city(2).draw(ids, where, 13),
            "surname": _sort("surnames").draw(ids, where, 22),
            "partner": _sort("surnames").draw(ids, where, 45),
            "stem": pl.Series(names["firm"]).gather(stem),
            "stem_local": pl.Series(names["firm_zh"]).gather(stem),
            "trade": pl.Series(names["trade"]).gather(trade),
            "trade_local": pl.Series(names["trade_zh"]).gather(trade),
            "second": pl.Series(names["firm"]).gather(pick(ids, 43, len(names["firm"]))).str.to_lowercase(),
            "twofold": pick(ids, 44, 3) > 0,
            "chinese": where == country("CN"),
        }
    )
    doubled = pl.when("twofold").then(pl.col("stem") + pl.col("second")).otherwise("stem")
    chinese = pl.col("city") + " " + doubled + " " + pl.col("trade") + " Co., Ltd"
    abroad = pl.col("surname") + " " + pl.col("partner") + " " + pl.col("trade") + " Ltd"
    name = pl.when("chinese").then(chinese).otherwise(abroad)
    local = pl.col("city_local") + pl.col("stem_local") + pl.col("trade_local") + "有限公司"
    return frame.select(name=name, name_local=pl.when("chinese").then(local).otherwise(name))


def shops(ids: Ints) -> pl.DataFrame:
    """Return shop sign, account on a platform, and domain of a storefront."""
    names = vocabulary()["names"]
    first, second, third = (
        pl.Series(names[key]).gather(pick(ids, salt, len(names[key])))
        for key, salt in (("shop_first", 51), ("shop_second", 52), ("shop_third", 53))
    )
    frame = pl.DataFrame({"first": first, "second": second, "third": third, "number": digits(ids, 54, 4)})
    stem = (pl.col("first") + pl.col("second")).str.to_lowercase()
    tail = pl.Series(["", "", "", "", "", "", "-fr", "-shop"]).gather(pick(ids, 55, 8))
    return frame.select(
        sign=pl.col("first") + " " + pl.col("second") + " " + pl.col("third"),
        account=stem + pl.lit("_") + pl.col("number"),
        url=pl.lit("https://") + stem + pl.col("number").str.slice(0, 3) + tail + pl.lit(".example"),
    )


def mail_stem(name: pl.Expr) -> pl.Expr:
    """Return a name in the form of a mailbox: plain lower-case letters."""
    plain = name.str.normalize("NFKD").str.replace_all(r"[\u0300-\u036f]", "").str.replace_all("ı", "i")
    return plain.str.to_lowercase().str.replace_all(r"[^a-z.]", "")
