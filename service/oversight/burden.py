"""Whom the checks burden: by group, the share looked at, what was found, and the share of compliant ones held up.

The burden on the compliant of a group is the share of its compliant consignments that were looked at. Of what was
looked at the results say which were compliant; of the rest, how many are is estimated from the random arm of the
group, to which so many draws of the whole are added that a small group says nothing foolish. What awaits its result
counts with the hit rate of the group.

Intervals hold together: all of one report are right 95 times in a hundred (Bonferroni). A group is said to differ from
the others only where that stands after all comparisons of the report are counted (Holm).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import polars as pl

from features.intervals import wilson, wilson_of
from service.oversight.gap_parts import parts_of

ORIGINS = ("goods_origin_country", "dispatch_country", "stream", "platform", "ioss", "office")
SEEN = pl.Schema(
    {
        "consignment_id": pl.String(),
        **dict.fromkeys(ORIGINS, pl.String()),
        "looked_at": pl.Boolean(),
        "by": pl.String(),  # what it was looked at for, see looked_at.py; null for the rest
        "rules": pl.List(pl.String()),  # that asked for it
        "hit": pl.Boolean(),  # null where no result says
    }
)
NOT_STATED = "not stated"
REST = "others"  # groups too small to be shown alone
LEAST_SHOWN, MOST_SHOWN = 50, 25  # consignments of a group, groups of a table
ERROR = 0.05
LENT = 50.0  # draws of the whole that are added to the random arm of a group
NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Share:
    """A share with its interval; value is None where nothing was tried."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Group:
    """One group of a table.

    drawn, drawn_hits: of its random arm, with a result. burden: on its compliant consignments. ratio: of its burden to
    that of all others of the table, with an interval of its own; differs: whether that stands after all comparisons.
    hit_ratio: of its hit rate to theirs. parts: what each chooser and rule adds to the gap, in shares of all
    consignments that were looked at without a finding.
    """

    name: str
    consignments: int
    looked_at: int
    found: int
    awaited: int
    drawn: int
    drawn_hits: int
    hit_rate: Share
    prevalence: Share
    burden: Share
    ratio: Share
    hit_ratio: Share
    chance: float
    differs: bool
    parts: Mapping[str, float]

    @property
    def verdict(self) -> str:
        """Return what the figures show: `none`, `less`, or, of what is burdened more, whether more is found there."""
        if not self.differs or self.ratio.value is None:
            return "none"
        if self.ratio.value < 1.0:
            return "less"
        if self.hit_ratio.low > 1.0:
            return "more_finds_more"
        return "more_finds_less" if self.hit_ratio.high < 1.0 else "more_not_shown"


@dataclass(frozen=True, slots=True)
class Counts:
    """What was counted of some consignments."""

    consignments: int
    looked_at: int
    hits: int
    clean: int
    drawn: int
    drawn_hits: int

    @property
    def awaited(self) -> int:
        """How many were looked at and have no result that says anything."""
        return self.looked_at - self.hits - self.clean

    def __sub__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) - getattr(other, name) for name in COUNTED))

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, name) + getattr(other, name) for name in COUNTED))


COUNTED = tuple(Counts.__dataclass_fields__)
COUNTS = (
    pl.len().alias("consignments"),
    pl.col("looked_at").sum(),
    (pl.col("looked_at") & pl.col("hit").fill_null(False)).sum().alias("hits"),
    (pl.col("looked_at") & ~pl.col("hit").fill_null(True)).sum().alias("clean"),
    ((pl.col("by") == "random") & pl.col("hit").is_not_null()).sum().alias("drawn"),
    ((pl.col("by") == "random") & pl.col("hit").fill_null(False)).sum().alias("drawn_hits"),
)


def burden_of(seen: pl.DataFrame) -> dict[str, list[Group]]:
    """Return the groups of each of ORIGINS, the largest first, from consignments as SEEN has them."""
    whole, named = _counted(seen)[0][1], {origin: _named(seen, origin) for origin in ORIGINS}
    counted = {origin: _counted(frame, origin) for origin, frame in named.items()}
    z = NORMAL.inv_cdf(1.0 - ERROR / 2 / max(1, sum(map(len, counted.values()))))
    tables = {
        origin: [_group(named[origin], origin, name, counts, whole, z) for name, counts in counted[origin]]
        for origin in ORIGINS
    }
    every = [(origin, place) for origin, groups in tables.items() for place in range(len(groups))]
    chances = [tables[origin][place].chance for origin, place in every]
    for (origin, place), stands in zip(every, standing_after_all(chances, ERROR), strict=True):
        tables[origin][place] = _with(tables[origin][place], stands)
    return tables


def standing_after_all(chances: Sequence[float], error: float) -> list[bool]:
    """Say which of several comparisons stand, so that none is wrong but `error` times (Holm's step-down)."""
    order = sorted(range(len(chances)), key=chances.__getitem__)
    stands = [False] * len(chances)
    for rank, place in enumerate(order):
        if chances[place] > error / (len(chances) - rank):
            break
        stands[place] = True
    return stands


def burden_share(counts: Counts, whole: Counts, z: float) -> Share:
    """Estimate the share of compliant consignments that were looked at, with its interval of z standard errors."""
    if not counts.consignments:
        return Share(None, 0.0, 1.0)
    offences, awaited = prevalence_share(counts, whole, z), counts.awaited
    rate, low, high = _lent(counts.hits, counts.hits + counts.clean, whole.hits, whole.hits + whole.clean, z)
    compliant = counts.consignments * (1.0 - (offences.value or 0.0))
    most, least = counts.consignments * (1.0 - offences.low), max(counts.consignments * (1.0 - offences.high), 1.0)
    held = [counts.clean + awaited * (1.0 - one) for one in (rate, high, low)]
    below = wilson_of(min(1.0, held[1] / most), most, z)[0]
    above = wilson_of(min(1.0, held[2] / least), least, z)[1]
    return Share(min(1.0, held[0] / max(compliant, 1.0)), below if held[1] else 0.0, above)


def prevalence_share(counts: Counts, whole: Counts, z: float) -> Share:
    """Estimate the share of offences from the random arm of a group, lent draws of the whole."""
    value, low, high = _lent(counts.drawn_hits, counts.drawn, whole.drawn_hits, whole.drawn, z)
    return Share(value if counts.drawn else None, low, high)


def _lent(hits: int, tried: int, all_hits: int, all_tried: int, z: float) -> tuple[float, float, float]:
    """Return a share and its interval, drawn towards that of the whole by LENT tries; 0 to 1 where nobody tried."""
    if not all_tried:
        return 0.0, 0.0, 1.0
    lent = min(LENT, float(all_tried))
    tries = tried + lent
    share = (hits + lent * all_hits / all_tried) / tries
    return share, *wilson_of(share, tries, z)


def _counted(seen: pl.DataFrame, by: str | None = None) -> list[tuple[str, Counts]]:
    if by is None:
        return [("", Counts(*map(int, seen.select(COUNTS).row(0))))]
    rows = seen.group_by(by).agg(COUNTS).sort("consignments", by, descending=[True, False])
    return [(row[0], Counts(*map(int, row[1:]))) for row in rows.iter_rows()]


def _named(seen: pl.DataFrame, origin: str) -> pl.DataFrame:
    """Give every consignment a group: what states nothing one of its own, and what is small the rest."""
    named = seen.with_columns(pl.col(origin).fill_null(NOT_STATED))
    counted = _counted(named, origin)
    shown = sorted(name for name, counts in counted[:MOST_SHOWN] if counts.consignments >= LEAST_SHOWN)
    if len(shown) == len(counted):
        return named
    alone = pl.col(origin).is_in(shown)
    return named.with_columns(pl.when(alone).then(origin).otherwise(pl.lit(REST)).alias(origin))


def _group(seen: pl.DataFrame, origin: str, name: str, counts: Counts, whole: Counts, z: float) -> Group:
    others = whole - counts
    ratio, chance = _against(
        counts.clean + counts.awaited, counts.consignments - counts.hits,
        others.clean + others.awaited, others.consignments - others.hits, z,
    )  # fmt: skip
    tried = counts.hits + counts.clean
    hit_ratio, _ = _against(counts.hits, tried, others.hits, others.hits + others.clean, NORMAL.inv_cdf(1 - ERROR / 2))
    hit_rate = Share(counts.hits / tried if tried else None, *wilson(counts.hits, tried, z))
    return Group(
        name, counts.consignments, counts.looked_at, counts.hits, counts.awaited, counts.drawn, counts.drawn_hits,
        hit_rate, prevalence_share(counts, whole, z), burden_share(counts, whole, z), ratio, hit_ratio, chance,
        False, parts_of(seen, pl.col(origin) == name),
    )  # fmt: skip


def _against(hits: int, tried: int, other_hits: int, other_tried: int, z: float) -> tuple[Share, float]:
    """Return the ratio of two shares with its interval, and how often chance alone makes one as far from 1.

    Half a case is added to each, so that none is infinite.
    """
    if not tried or not other_tried:
        return Share(None, 0.0, math.inf), 1.0
    log = math.log((hits + 0.5) / (tried + 0.5) / ((other_hits + 0.5) / (other_tried + 0.5)))
    variance = 1 / (hits + 0.5) - 1 / (tried + 0.5) + 1 / (other_hits + 0.5) - 1 / (other_tried + 0.5)
    error = math.sqrt(max(variance, 1e-12))
    chance = 2.0 * NORMAL.cdf(-abs(log) / error)
    return Share(math.exp(log), math.exp(log - z * error), math.exp(log + z * error)), chance


def _with(group: Group, differs: bool) -> Group:
    values = {name: getattr(group, name) for name in Group.__dataclass_fields__}
    return Group(**(values | {"differs": differs}))
