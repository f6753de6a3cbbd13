"""Exploration: a small share of the checks, drawn by weight, so that the model learns about what it has not seen.

The weight of a consignment is the product of four factors, each of which never falls when its cause grows:

- newness: time since its sender and the oldest of its identifiers were first seen: never seen counts 1, a week half;
- pace: consignments of a young identity within a week: busy newcomers before others;
- company: names that send with the same telephone, mailbox, account or shop: newcomers that look alike;
- doubt: the rank of its score among those of an ordinary day: near misses before clear ones.

Consignments that a rule or the model sends to a physical check anyway do not compete.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from features.messages.read_message import Competing

AGES = {  # kind of identity: the input with its age in days, and the one with its consignments of a week
    "consignor": ("consignor_days_since_first", "consignor_consignments_7d"),
    "identifiers": ("identifiers_age", "identifiers_consignments_7d"),
}
COMPANY = "identifiers_shared"
WEIGHED = (*(name for pair in AGES.values() for name in pair), COMPANY)  # inputs; null for a model without them
YOUNG_DAYS = 7.0  # the age at which newness has fallen to one half
LEAST_NEW = 0.05  # of identities known for long
LEAST_COMPANY = 0.5  # of a name that shares no contact
STEEPNESS = 30.0  # of doubt: half the weight of the best is left at the best 2.3 % of a day
LEAST_DOUBT = 0.001  # of the lowest score: everything has a chance
MEAN_WEIGHT = 0.04  # of an ordinary day of the synthetic world


@dataclass(frozen=True, slots=True)
class Exploration:
    """How much of the capacity is explored with.

    share: of the physical checks of each office and day, in expectation.
    start, half_life_days, least: from `start` on the share halves every `half_life_days`, but not below `least`; for a
        model that begins with few results, which gains most from exploration. Without a half-life it is constant.
    mean_weight: of an ordinary day's consignments; a call sees only its own consignments and uses this instead.
    """

    share: float = 0.0
    start: date | None = None
    half_life_days: float | None = None
    least: float = 0.0
    mean_weight: float = MEAN_WEIGHT

    def share_on_day(self) -> pl.Expr:
        """Return the share in force on `day`."""
        if self.start is None or self.half_life_days is None:
            return pl.lit(self.share)
        age = (pl.col("day") - pl.lit(self.start)).dt.total_days().clip(0)
        return pl.max_horizontal(pl.lit(self.least), self.share * pl.lit(0.5).pow(age / self.half_life_days))

    def chance(self, competing: Competing) -> pl.Expr:
        """Return the probability to be drawn, from `weight` (0: does not compete) and the capacity."""
        if competing == "message":
            checks, total = pl.col("physical_left"), pl.col("weight").sum().over("office", "begins")
        else:
            checks, total = pl.col("physical"), self.mean_weight * pl.col("expected")
        chance = self.share_on_day() * checks * pl.col("weight") / total
        return pl.when((pl.col("weight") > 0) & (total > 0)).then(chance.clip(0.0, 1.0)).otherwise(0.0)


def weight() -> pl.Expr:
    """Return the weight of a consignment from WEIGHED and `share_below`; above zero."""
    return newness() * pace() * company() * doubt()


def newness() -> pl.Expr:
    """Return LEAST_NEW to 1 more: the mean youth of the sender as named and of its oldest identifier."""
    return LEAST_NEW + pl.mean_horizontal(_youth(*inputs) for inputs in AGES.values()).fill_null(0.0)


def pace() -> pl.Expr:
    """Return 1 or more: doublings of the week's consignments, for the young identity that sent most."""
    hurried = [
        _youth(age, week).fill_null(0.0) * (pl.col(week).fill_null(0.0) + 1.0).log(2.0) for age, week in AGES.values()
    ]
    return 1.0 + pl.max_horizontal(hurried)


def company() -> pl.Expr:
    """Return LEAST_COMPANY or more: doublings of the names that share its most shared contact."""
    return LEAST_COMPANY + pl.col(COMPANY).fill_null(1.0).clip(1.0).log(2.0)


def doubt() -> pl.Expr:
    """Return LEAST_DOUBT to 1 more: the share of an ordinary day that scores lower, steeply; the same for any model."""
    return LEAST_DOUBT + pl.col("share_below").pow(STEEPNESS)


def _youth(age: str, week: str) -> pl.Expr:
    """Return 1 for never seen before, one half after a week, ever less; null where no such identity is declared."""
    return pl.when(pl.col(week).is_not_null()).then(YOUNG_DAYS / (YOUNG_DAYS + pl.col(age).fill_null(0.0)))
