"""Small worlds of the family, and what is measured in them: one figure for each parameter."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from functools import cached_property

import numpy as np
import polars as pl

from pipelines.synthetic import Simulation, held_back_of, load_family, world_of
from pipelines.synthetic.draws import sums
from pipelines.synthetic.family import Drawn
from pipelines.synthetic.flow import THRESHOLDS
from pipelines.synthetic.inspection import _by_rule
from pipelines.synthetic.people import vocabulary
from pipelines.synthetic.senders import PLATFORM_IOSS
from pipelines.synthetic.world_settings import World

START, DAYS, PER_DAY = date(2026, 1, 1), 6, 500
FAMILY = load_family()
BY_NAME = {parameter.name: parameter for parameter in FAMILY.parameters}
QUIET = {"decoys": 0.0, "fault": 0.0, "absent_schemes": 0.0, "foreign_schemes": 0.0, "unequal_schemes": 0.0}
MANY = {"illicit_prevalence": 0.3}
OPENED = {"inspected": 0.6, "random_sample": 0.6, "campaigns": 0.0, "known_senders": 0.0}


class Seen:
    """A small world with parameters as given and all others in the middle of their ranges."""

    def __init__(self, values: Drawn, days: int = DAYS, per_day: int = PER_DAY, seed: int = 5) -> None:
        middle = {name: parameter.middle() for name, parameter in BY_NAME.items()}
        self.world: World = world_of(seed, {**middle, **QUIET, **values})
        self.days = days
        self.simulation = Simulation(self.world, days, per_day, seed, START)
        self.sellers = self.simulation.population.honest
        self.roster = self.simulation.population.roster

    @cached_property
    def lodged(self) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
        """Manifest, truth and results of all days."""
        days = [self.simulation.lodge() for _ in range(self.days)]
        parts = ([day.manifest for day in days], [day.truth for day in days], [day.outcomes for day in days])
        return pl.concat(parts[0]), pl.concat(parts[1]), pl.concat(parts[2])

    @property
    def manifest(self) -> pl.DataFrame:
        return self.lodged[0].filter(pl.col("version") == 1).join(self.lodged[1], on="consignment_id")

    @property
    def parcels(self) -> pl.DataFrame:
        return self.manifest.filter(pl.col("line_no") == 1)

    @property
    def truth(self) -> pl.DataFrame:
        return self.lodged[1]

    @property
    def outcomes(self) -> pl.DataFrame:
        return self.lodged[2].join(self.truth, on="consignment_id")


def mean(frame: pl.DataFrame, chosen: pl.Expr) -> float:
    return float(frame.select(chosen.fill_null(False).mean()).item())


def shared_phones(seen: Seen) -> float:
    """Identities whose telephone another identity of their actor states."""
    cards = seen.roster.identities.cards.with_columns(actor=pl.Series(seen.roster.identities.actor))
    return float(cards.select((pl.len().over("actor", "phone") > 1).mean()).item())


def changes(seen: Seen) -> float:
    rng = np.random.default_rng(1)
    for day in range(30):
        seen.roster.turn_over(day, rng)
    return float(seen.roster.generation.sum() / len(seen.roster.generation))


def given_up(seen: Seen) -> float:
    share = seen.world.inspection.abandon_share
    seen.roster.abandon(seen.roster.current(), share, 1, np.random.default_rng(1))
    return float((seen.roster.generation > 0).mean())


def first_week(seen: Seen) -> float:
    """How much more a young identity of the shop scheme sends than an old one."""
    number = [scheme.name for scheme in seen.world.schemes].index("counterfeit_shop")
    roster, ones = seen.roster, np.ones(len(seen.roster.scheme))
    roster.born[:], roster.ready[:] = 0, 0
    young, old = (roster.pull(number, day, ones, lawful=False).sum() for day in (1, 20))
    return float(young / old)


def vague(seen: Seen, illicit: bool) -> float:
    words = {word.lower() for listed in vocabulary()["wording"]["vague"] for word in listed}
    chosen = seen.manifest.filter(pl.col("illicit") == illicit)
    return mean(chosen, pl.col("description").str.to_lowercase().is_in(words))


def late(seen: Seen) -> pl.DataFrame:
    days = pl.col("lodged_at").dt.date() - START
    of_day = seen.manifest.with_columns(day=days.dt.total_days())
    return of_day.filter(pl.col("scheme") == held_back_of(seen.world))


def first_day(seen: Seen) -> int:
    """The day on which what is held back begins."""
    return int(late(seen)["day"].to_numpy().min())


def late_share(seen: Seen) -> float:
    since = first_day(seen)
    days = (pl.col("lodged_at").dt.date() - START).dt.total_days()
    illicit = seen.manifest.filter("illicit", days >= since)
    return mean(illicit, pl.col("scheme") == held_back_of(seen.world))


def at_forwarder(seen: Seen) -> pl.DataFrame:
    words = "|".join(map(re.escape, vocabulary()["names"]["forwarder"]))
    return seen.sellers.cards.with_columns(
        lodged=pl.col("address").str.contains(f"^({words})"),
        warehouse=pl.col("address").str.replace(r" \(\d+\)$", ""),
    )


def shared_by_owner(seen: Seen) -> float:
    cards = seen.sellers.cards.with_columns(actor=pl.Series(seen.sellers.actor), own=pl.Series(seen.sellers.ids))
    siblings = cards.filter(pl.len().over("actor") == 3)  # rebrands are two
    return siblings.height / cards.height


def rebranded(seen: Seen) -> float:
    """Sellers that open when the one before them, with the same owner and telephone, closes."""
    sellers, phones = seen.sellers, seen.sellers.cards["phone"].to_numpy()
    after = (sellers.actor[1:] == sellers.actor[:-1]) & (sellers.closed[:-1] <= sellers.opened[1:])
    return float((after & (phones[1:] == phones[:-1])).mean())


def tower_mates(seen: Seen) -> float:
    """Sellers whose house is stated by ten or more, and who have a room there."""
    cards = seen.sellers.cards.filter(pl.col("address").str.contains(r" #\d+$"))
    house = cards.with_columns(house=pl.col("address").str.replace(r" #\d+$", ""))
    return float(house.select((pl.len().over("house", "city") >= 10).sum()).item() / len(seen.sellers))


def known_towns() -> set[str]:
    rows = [city.split("|") for locale in vocabulary()["locale"].values() for city in locale["cities"]]
    return {name for row in rows for name in (row[0], row[-1])}


def misspelt(seen: Seen) -> float:
    """Names of an account beyond the one in each script."""
    names = seen.parcels.filter(pl.col("seller_account").is_not_null(), ~pl.col("illicit"))
    folded = names.with_columns(name=pl.col("consignor_name").str.to_lowercase())
    usual = folded.with_columns(times=pl.len().over("seller_account", "name"), of=pl.len().over("seller_account"))
    return mean(usual.filter(pl.col("of") > 8), pl.col("times") == 1)


def misfiled(seen: Seen) -> float:
    assert seen.lodged
    presented = seen.simulation.presented
    assert presented is not None
    lines = presented.lines
    coded = lines.frame.with_columns(home=presented.goods.hs6.gather(lines.kind)).drop_nulls("hs_code")
    return mean(coded, pl.col("hs_code").str.slice(0, 6) != pl.col("home"))


def under_thresholds(seen: Seen) -> float:
    assert seen.lodged
    presented = seen.simulation.presented
    assert presented is not None
    true = presented.orders
    total = sums(true.of, true.quantity * true.unit_eur, len(true))
    return float(np.isclose(total[:, None], 0.93 * np.array(THRESHOLDS)).any(axis=1).mean())


def same_buyers(seen: Seen) -> float:
    """Of the pairs of an honest seller's parcels of one day: those to one person's address."""
    day = pl.col("lodged_at").dt.date().alias("day")
    honest = seen.parcels.filter(pl.col("actor_id").str.starts_with("H"))
    sizes = honest.group_by("actor_id", day).agg(pl.len(), buyers=pl.col("consignee_address").n_unique())
    many = sizes.filter(pl.col("len") > 1)
    return 1 - float(many["buyers"].sum()) / float(many["len"].sum())


def regulars(seen: Seen) -> float:
    """Honest parcels to an address that the same seller served on another day."""
    honest = seen.parcels.filter(pl.col("actor_id").str.starts_with("H"))
    days = pl.col("lodged_at").dt.date().n_unique().over("actor_id", "consignee_address")
    return mean(honest, days > 1)


def detoured(seen: Seen) -> float:
    chinese = seen.parcels.filter(pl.col("consignor_country") == "CN", ~pl.col("illicit"))
    return mean(chinese, pl.col("dispatch_country") != "CN")


def gifts(seen: Seen) -> float:
    return mean(seen.parcels.filter(pl.col("platform").is_not_null(), ~pl.col("illicit")), pl.col("nature") == "gift")


def by_rule(seen: Seen) -> float:
    return float(_by_rule(seen.world.inspection, np.ones(1000)).sum() / (1000 * seen.world.inspection.inspected_share))


def preference(seen: Seen) -> float:
    chances = seen.outcomes.filter(pl.col("selection") == "risk")["selection_probability"]
    return float(np.log(chances.to_numpy()).std())


def passed(seen: Seen) -> float:
    opened = seen.outcomes.filter("illicit", pl.col("result").is_in(["compliant", "non_compliant"]))
    return mean(opened, pl.col("result") == "compliant")


def accused(seen: Seen) -> float:
    return mean(seen.outcomes.filter(pl.col("result") == "non_compliant"), ~pl.col("illicit"))


def longest(seen: Seen) -> float:
    both = seen.outcomes.join(seen.parcels.select("consignment_id", "lodged_at"), on="consignment_id")
    return float((both["known_at"] - both["lodged_at"]).max().total_seconds())  # type: ignore[union-attr]


def borrowed(seen: Seen) -> float:
    return mean(seen.sellers.cards, pl.col("platform").is_null() & pl.col("ioss").is_in(PLATFORM_IOSS))


def lawful_cover(seen: Seen) -> float:
    return mean(seen.truth, (pl.col("scheme") != "honest") & ~pl.col("illicit"))


HOUSE = pl.col("address").str.extract(r"(\d{3,})").cast(pl.Int64)
CODED = pl.col("description").str.contains(r"(?i)\b[a-z]{2}\d{4}$")
MAIN = pl.col("address").str.contains("Bantian|Xinhe|Huaqiang North")
MEASURES: dict[str, tuple[Callable[[Seen], float], Drawn]] = {
    "illicit_prevalence": (lambda seen: mean(seen.truth, pl.col("illicit")), {}),
    "contact_sharing": (shared_phones, MANY),
    "wording_sharing": (lambda seen: float((seen.roster.identities.family >= 1000).mean()), MANY),
    "rotation": (lambda seen: -changes(seen), MANY),
    "abandoning": (given_up, MANY),
    "cover": (lawful_cover, {"illicit_prevalence": 0.1}),
    "surge": (first_week, MANY),
    "disguise_of_goods": (lambda seen: vague(seen, illicit=True), MANY),
    "tail": (lambda seen: -float(np.sort(seen.sellers.weight)[-10:].sum() / seen.sellers.weight.sum()), {}),
    "new_sellers": (lambda seen: float((seen.sellers.opened >= 0).mean()), {}),
    "honest_bursts": (lambda seen: float((seen.sellers.launch > 1).mean()), {}),
    "burst_factor": (lambda seen: float(seen.sellers.launch.max()), {}),
    "forwarders": (lambda seen: mean(at_forwarder(seen), pl.col("lodged")), {}),
    "forwarder_size": (
        lambda seen: float(at_forwarder(seen).filter("lodged").group_by("warehouse").len()["len"].mean()), {}  # type: ignore[arg-type]
    ),
    "forwarder_phones": (
        lambda seen: mean(at_forwarder(seen).filter("lodged"), pl.len().over("phone") > 4), {"forwarders": 0.6}
    ),
    "siblings": (shared_by_owner, {"rebrands": 0.0}),
    "rebrands": (rebranded, {"siblings": 0.0}),
    "common_names": (lambda seen: 1 - seen.sellers.cards["name"].n_unique() / len(seen.sellers), {}),
    "name_slips": (misspelt, {}),
    "look_alike_letters": (lambda seen: mean(seen.sellers.cards, pl.col("name").str.contains(r"\p{Cyrillic}")), {}),
    "estates": (lambda seen: mean(seen.sellers.cards, HOUSE > 200), {"towers": 0.0}),
    "main_streets": (lambda seen: mean(seen.sellers.cards, MAIN), {"towers": 0.0, "forwarders": 0.0}),
    "towers": (tower_mates, {}),
    "town_spellings": (lambda seen: mean(seen.parcels, ~pl.col("consignor_city").is_in(known_towns())), {}),
    "missing_fields": (lambda seen: mean(seen.parcels, pl.col("consignor_email").is_null()), {}),
    "careless": (lambda seen: float(seen.sellers.careless.mean()), {}),
    "vague_words": (lambda seen: vague(seen, illicit=False), {}),
    "misfiled": (misfiled, {}),
    "gift_errors": (gifts, {}),
    "cheap_goods": (lambda seen: float((seen.sellers.price < 0.3).mean()), {}),
    "dear_goods": (lambda seen: float((seen.sellers.price > 1.8).mean()), {}),
    "below_thresholds": (under_thresholds, {}),
    "same_day": (same_buyers, {}),
    "repeat_buyers": (regulars, {}),
    "detours": (detoured, {}),
    "borrowed_numbers": (borrowed, {}),
    "templates": (lambda seen: float((seen.sellers.template >= 0).mean()), {}),
    "series": (lambda seen: float(seen.sellers.series.mean()), {}),
    "factories": (lambda seen: float(len(np.unique(seen.sellers.family))), {}),
    "article_codes": (lambda seen: mean(seen.manifest, CODED), {}),
    "inspected": (lambda seen: seen.outcomes.height / seen.truth.height, {}),
    "random_sample": (lambda seen: mean(seen.outcomes, pl.col("selection") == "random"), {}),
    "campaigns": (lambda seen: mean(seen.outcomes, pl.col("selection") == "campaign"), {}),
    "sharpness": (preference, {}),
    "rules": (lambda seen: float(sum(weight > 0 for weight in seen.world.inspection.rules.values())), {}),
    "known_senders": (by_rule, {}),
    "missed": (passed, MANY | OPENED),
    "wrong_accusations": (accused, MANY | OPENED),
    "delay": (longest, OPENED),
}  # fmt: skip
