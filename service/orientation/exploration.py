"""Exploration: a small share of the checks, drawn by weight, so that the model learns about what it has not seen.

The weight of a consignment is the product of four factors, each of which never falls when its cause grows:

- newness: time since its sender and the oldest of its identifiers were first seen: never seen counts 1, a week half;
- pace: consignments of a young identity within a week: busy newcomers before others;
- company: names that send with the same telephone, mailbox, account or shop: newcomers that look alike;
- doubt: the rank of its score among those of an ordinary day: near misses before clear ones.

Consignments that a rule or the model sends to a physical check anyway do not compete.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from features.algebra import log, power
from features.messages.read_message import Competing
from service.orientation.columns import Floats, Ints, Known, powers
from service.orientation.periods import Periods

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
FIRST_DAY = date(1970, 1, 1)
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

    def share_on_days(self, days: Ints) -> Floats:
        """Return the share in force on each day, counted from 1970."""
        if self.start is None or self.half_life_days is None:
            return np.full(len(days), self.share)
        age = np.maximum(days - (self.start - FIRST_DAY).days, 0)
        return np.maximum(self.least, self.share * powers(0.5, age / self.half_life_days))

    def chance(
        self, competing: Competing, weight: Floats, days: Ints, periods: Periods, aside: Ints | None = None
    ) -> Floats:
        """Return the probability to be drawn, from weights (0: does not compete) and the capacity.

        aside: of each row the checks of its period that are set aside for others, in a message.
        """
        if competing == "message":
            checks, total = periods.left["physical"], periods.sum(np.where(np.isnan(weight), 0.0, weight))
            checks = checks if aside is None else np.maximum(checks - aside, 0)
        else:
            checks, total = periods.able["physical"], self.mean_weight * periods.able["expected"].astype(np.float64)
        competes = (weight > 0) & (total > 0)
        chance = self.share_on_days(days) * checks * np.where(competes, weight, 0.0) / np.where(competes, total, 1.0)
        return np.minimum(np.maximum(chance, 0.0), 1.0)


def weights(known: Known) -> Floats:
    """Return the weight of each consignment from WEIGHED and `share_below`; above zero, unknown without a score."""
    young = [_youth(known.number_if_any(age), known.number_if_any(week)) for age, week in AGES.values()]
    return newness(young) * pace(known, young) * company(known) * doubt(known)


def newness(young: Sequence[Floats]) -> Floats:
    """Return LEAST_NEW to 1 more: the mean youth of the sender as named and of its oldest identifier."""
    stated = sum((~np.isnan(youth)).astype(np.float64) for youth in young)
    return LEAST_NEW + sum(map(_or_zero, young)) / np.maximum(stated, 1.0)


def pace(known: Known, young: Sequence[Floats]) -> Floats:
    """Return 1 or more: doublings of the week's consignments, for the young identity that sent most."""
    weeks = [_or_zero(known.number_if_any(week)) for _, week in AGES.values()]
    hurried = [_or_zero(youth) * doublings(week + 1.0) for youth, week in zip(young, weeks, strict=True)]
    return 1.0 + np.maximum(*hurried)


def company(known: Known) -> Floats:
    """Return LEAST_COMPANY or more: doublings of the names that share its most shared contact."""
    return LEAST_COMPANY + doublings(np.fmax(known.number_if_any(COMPANY), 1.0))


def doubt(known: Known) -> Floats:
    """Return LEAST_DOUBT to 1 more: the share of an ordinary day that scores lower, steeply; the same for any model."""
    return LEAST_DOUBT + power(known.number("share_below"), STEEPNESS)


def doublings(values: Floats) -> Floats:
    """Return how often 1 must be doubled to reach each value."""
    return log(values) / math.log(2.0)


def _youth(age: Floats, week: Floats) -> Floats:
    """Return 1 for never seen before, one half after a week, ever less; unknown where no such identity is declared."""
    return np.where(np.isnan(week), np.nan, YOUNG_DAYS / (YOUNG_DAYS + _or_zero(age)))


def _or_zero(values: Floats) -> Floats:
    return np.where(np.isnan(values), 0.0, values)
