"""Headings that words suggest: under which heading of the tariff goods so worded are declared in one's own flow.

Every language is learned alike: 手表, montre and watch are one thing because all three are declared under 9102. What is
fitted are letter sequences of descriptions by heading, on the lines of the 90 days before a date, without any control
result; it serves rows lodged from that date on until the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Moments, Numbers, Pattern, Text, log, lower
from features.algebra.text import distinct_pairs
from features.consignment import TIME
from features.hs_codes import hs_plain_text

BUCKETS = 16_384
MULTIPLIERS = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
SEPARATORS = Pattern(r"[^\p{L}\p{M}]+")
DENSE = 0x2E80  # from here on writing has words of two characters: Chinese, Japanese, Korean
SHORTEST = 3  # letters of a word of other writing; shorter ones belong to article codes and say nothing
ODDS, SUGGESTED = "line_heading_odds", "line_heading_suggested"
MEMORY = timedelta(days=90)
DIGITS = 4
PRIOR = 2.0  # pseudo-occurrences: a sequence seen once under a heading says little
FEWEST = 200  # wordings below which nothing is suggested
UNIT = 10_000  # weights are whole ten-thousandths, so that their sum does not depend on the order of adding
SCHEMA = pl.Schema(
    [
        ("known_from", TIME),
        ("heading", pl.String()),
        ("otherwise", pl.Int32()),
        ("bucket", pl.List(pl.Int32())),
        ("weight", pl.List(pl.Int32())),
    ]
)
Integers = npt.NDArray[np.int64]


def sequences(text: str) -> Integers:
    """Return the sequences of a wording, each once, by bucket: three letters of a word, two characters of Chinese."""
    found: set[int] = set()
    for word in SEPARATORS.replaced(lower(text), " ").split(" "):
        letters = [ord(letter) for letter in word]
        if letters and letters[0] >= DENSE:
            parts = zip(letters, letters[1:] or [0], strict=False)
            found.update(_bucket(first, second, 0) for first, second in parts)
        elif len(letters) >= SHORTEST:
            found.update(map(_bucket, [0x20, *letters], letters, [*letters[1:], 0x20]))
    return np.array(sorted(found), np.int64)


def _bucket(first: int, second: int, third: int) -> int:
    mixed = first * MULTIPLIERS[0] + second * MULTIPLIERS[1] + third * MULTIPLIERS[2]
    return (mixed ^ (mixed >> 15)) % BUCKETS


@dataclass(frozen=True, slots=True)
class Sheet:
    """The weights of one date, arranged by sequence.

    headings: by place. otherwise: of each heading, the weight of a sequence that was never seen under it. start: of
    each bucket, where its entries begin; place, excess: of an entry, the heading and its weight beyond `otherwise`.
    """

    headings: tuple[str, ...]
    places: dict[str, int]
    otherwise: Integers
    start: Integers
    place: Integers
    excess: Integers

    @classmethod
    def of(cls, rows: pl.DataFrame) -> Sheet:
        """Arrange the rows of a date."""
        otherwise = rows["otherwise"].to_numpy().astype(np.int64)
        entries = rows.select("bucket", "weight").with_row_index("place").explode("bucket", "weight")
        entries = entries.sort("bucket", "place")
        place = entries["place"].to_numpy().astype(np.int64)
        start = np.searchsorted(entries["bucket"].to_numpy(), np.arange(BUCKETS + 1)).astype(np.int64)
        excess = entries["weight"].to_numpy().astype(np.int64) - otherwise[place]
        headings = tuple(rows["heading"].to_list())
        return cls(headings, {name: at for at, name in enumerate(headings)}, otherwise, start, place, excess)

    def judge(self, text: str, declared: str | None) -> tuple[float, str | None]:
        """Return how much better a wording fits the best heading than the declared one, and the best one.

        In natural logarithms, on average over its sequences; a heading that was never declared fits as any text does.
        Unknown where no sequence was ever seen, or no heading is declared.
        """
        bucket = sequences(text)
        first, count = self.start[bucket], self.start[bucket + 1] - self.start[bucket]
        seen = int(count.sum())
        if not seen:
            return np.nan, None
        entry = np.arange(seen) + np.repeat(first - np.cumsum(count) + count, count)
        sums = np.bincount(self.place[entry], self.excess[entry], minlength=len(self.headings))
        fits = sums + self.otherwise * np.count_nonzero(count)  # whole numbers: exact in any order
        best = int(np.argmax(fits))
        if declared is None:
            return np.nan, self.headings[best]
        at = self.places.get(declared)
        of_declared = 0.0 if at is None else float(fits[at])
        return max(float(fits[best]) - of_declared, 0.0) / np.count_nonzero(count) / UNIT, self.headings[best]


@dataclass(frozen=True, slots=True)
class Headings:
    """Fitted weights; table: SCHEMA, one row for each date and heading."""

    table: pl.DataFrame
    _dates: Integers = field(init=False, repr=False, compare=False)  # ascending
    _sheets: tuple[Sheet, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Arrange the weights once: every call looks into them."""
        dates = self.table["known_from"].unique().sort()
        sheets = tuple(Sheet.of(self.table.filter(pl.col("known_from") == date)) for date in dates)
        object.__setattr__(self, "_dates", dates.dt.epoch("us").to_numpy())
        object.__setattr__(self, "_sheets", sheets)

    def attach(self, hs6: Text, description: Text, lodged_at: Moments) -> tuple[Numbers, Text]:
        """Return ODDS and SUGGESTED of each goods line; unknown before the first date."""
        date = np.searchsorted(self._dates, lodged_at, side="right") - 1
        heading = hs6.each(lambda code: code[:DIGITS])
        pairs, of_pair = distinct_pairs(description.codes, heading.codes, len(heading.words) + 1)
        asked, rows = distinct_pairs(of_pair, date + 1, len(self._dates) + 1)
        judged = []
        for pair, at in asked:
            text, declared = pairs[pair]
            judged.append(self._judge(description.words[text], heading.words[declared], at - 1))
        odds = np.array([one for one, _ in judged], np.float64)
        suggested = Text.of([one for _, one in judged])
        return odds[rows], suggested.take(rows)

    def _judge(self, text: str | None, declared: str | None, date: int) -> tuple[float, str | None]:
        return (np.nan, None) if date < 0 or not text else self._sheets[date].judge(text, declared)


def no_headings() -> Headings:
    """Return what suggests nothing: of a model that was made before, and where nothing was archived."""
    return Headings(SCHEMA.to_frame())


def fit_headings(goods: pl.DataFrame, dates: Sequence[datetime]) -> Headings:
    """Fit weights for each date on the lines (description, hs_code, lodged_at) of the 90 days before it.

    A wording under a heading counts once a day, so that no sender teaches it by the number of its parcels.
    """
    heading = Text.of(goods["hs_code"].to_list()).each(_heading)
    lines = goods.select("description", "lodged_at", pl.Series("heading", heading.rows(), pl.String))
    once = lines.drop_nulls().group_by("description", "heading", pl.col("lodged_at").dt.date().alias("day"))
    wordings = once.agg(pl.col("lodged_at").min())
    texts = wordings["description"].unique().sort()
    found = [sequences(text) for text in texts]
    of_text = pl.DataFrame({"description": texts, "bucket": pl.Series(found, dtype=pl.List(pl.Int64))})
    fitted = [_fit(wordings, of_text.explode("bucket").drop_nulls(), date) for date in sorted(dates)]
    return Headings(pl.concat([SCHEMA.to_frame(), *fitted]))


def _heading(hs_code: str) -> str | None:
    digits = hs_plain_text(hs_code)
    return digits[:DIGITS] if len(digits) >= DIGITS else None


def _fit(wordings: pl.DataFrame, of_text: pl.DataFrame, date: datetime) -> pl.DataFrame:
    known = wordings.filter(pl.col("lodged_at").is_between(date - MEMORY, date, closed="left"))
    if known.height < FEWEST:
        return SCHEMA.to_frame()
    counted = known.group_by("description", "heading").len("times").join(of_text, on="description")
    pairs = counted.group_by("heading", "bucket").agg(pl.col("times").sum().alias("count")).sort("heading", "bucket")
    of_all = [pl.col("count").sum().over(name).alias(name) for name in ("bucket", "heading")]
    count, of_bucket, of_heading = pairs.select("count", *of_all).to_numpy().T
    share = of_bucket / count.sum()
    weight = log((count + PRIOR * share) / (of_heading + PRIOR) / share)
    otherwise = log(PRIOR / (of_heading + PRIOR))
    rows = pairs.select("heading", pl.col("bucket").cast(pl.Int32), pl.Series("weight", _whole(weight)),
                        pl.Series("otherwise", _whole(otherwise)))  # fmt: skip
    by_heading = rows.group_by("heading", maintain_order=True).agg(pl.col("otherwise").first(), "bucket", "weight")
    return by_heading.with_columns(pl.lit(date).cast(TIME).alias("known_from")).match_to_schema(SCHEMA)


def _whole(weights: Numbers) -> npt.NDArray[np.int32]:
    return np.round(weights * UNIT).astype(np.int32)
