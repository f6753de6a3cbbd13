"""Likeness of a description to those of goods found non-compliant, by its letter sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Moments, Numbers, Pattern, Text, log, lower
from features.algebra.text import distinct_pairs
from features.consignment import TIME

LIKENESS = "line_wording_likeness"
BUCKETS = 4096
PRIOR = 4.0  # pseudo-documents: a sequence seen in few inspections carries little weight
UNIT = 1_000_000  # weights are whole millionths, so that their sum does not depend on the order of adding
MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint64)
SPACES = Pattern(r"[\s\x00]+")
Integers = npt.NDArray[np.int64]
SCHEMA = pl.Schema({"known_from": TIME, "weights": pl.List(pl.Int64)})


@dataclass(frozen=True, slots=True)
class Sequences:
    """Three-letter sequences of texts: the bucket of each, and the text it occurs in."""

    bucket: Integers
    text: Integers


def sequences(texts: Sequence[str | None]) -> Sequences:
    """Return all three-letter sequences of each text, lower case, spaces joined, a space before and after."""
    joined = "\x00".join(f" {SPACES.replaced(lower(text or ''), ' ').strip(' ')} " for text in texts)
    letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(letters) < 3:
        return Sequences(np.empty(0, np.int64), np.empty(0, np.int64))
    first, second, third = letters[:-2], letters[1:-1], letters[2:]
    mixed = first * MULTIPLIERS[0] + second * MULTIPLIERS[1] + third * MULTIPLIERS[2]
    bucket = ((mixed ^ (mixed >> np.uint64(15))) % np.uint64(BUCKETS)).astype(np.int64)
    if len(texts) == 1:
        return Sequences(bucket, np.zeros(len(bucket), np.int64))
    is_letter = letters != 0
    text = np.cumsum(~is_letter)[: len(first)]
    within = is_letter[:-2] & is_letter[1:-1] & is_letter[2:]
    return Sequences(bucket[within], text[within])


@dataclass(frozen=True, slots=True)
class Wording:
    """Fitted weights of letter sequences; table: SCHEMA, one row for each date they are known from."""

    table: pl.DataFrame
    _dates: Integers = field(init=False, repr=False, compare=False)
    _weights: Integers = field(init=False, repr=False, compare=False)  # dates + 1 × BUCKETS, the last of no date

    def __post_init__(self) -> None:
        """Unpack the weights once: every call looks into them."""
        none = np.zeros(BUCKETS, np.int64)
        weights = np.array([*self.table["weights"].to_list(), none], np.int64)
        object.__setattr__(self, "_dates", self.table["known_from"].dt.epoch("us").to_numpy())
        object.__setattr__(self, "_weights", weights)

    def attach(self, description: Text, lodged_at: Moments) -> Numbers:
        """Return `line_wording_likeness` of each goods line; unknown before the first date."""
        date = np.searchsorted(self._dates, lodged_at, side="right")  # 0 before the first
        pairs, rows = distinct_pairs(description.codes, date, len(self._dates) + 1)
        triples = sequences([description.words[code] for code, _ in pairs])
        of_text = np.array([at for _, at in pairs], np.int64) - 1
        counts = np.bincount(triples.text, minlength=len(pairs))
        weights = (
            self._weights[of_text[triples.text], triples.bucket] if len(self._dates) else np.zeros(len(triples.text))
        )
        sums = np.bincount(triples.text, weights, minlength=len(pairs))  # whole millionths: exact in any order
        likeness = np.where((of_text >= 0) & (counts > 0), sums / np.maximum(counts, 1) / UNIT, np.nan)
        return likeness[rows]


def fit_wording(inspected: pl.DataFrame, dates: Sequence[datetime]) -> Wording:
    """Fit weights for each date on the inspected lines (description, hit, known_at) with a result known before it.

    A weight is the logarithm of how much likelier the sequence is among non-compliant than among compliant goods.
    """
    ordered = inspected.sort("known_at", "description", "hit")
    triples = sequences(ordered["description"].to_list())
    pairs = np.unique(triples.text * BUCKETS + triples.bucket)  # once in each text
    text, bucket = pairs // BUCKETS, pairs % BUCKETS
    hit = ordered["hit"].to_numpy().astype(bool)
    known_at = ordered["known_at"].dt.epoch("us").to_numpy()
    rows = []
    for date in sorted(dates):
        known = known_at < np.int64(date.timestamp() * 1_000_000)
        if hit[known].any() and not hit[known].all():
            rows.append((date, _weights(bucket, hit[text], known[text], hit[known]).tolist()))
    return Wording(pl.DataFrame(rows, schema=SCHEMA, orient="row"))


def _weights(
    bucket: Integers, of_hit: npt.NDArray[np.bool_], known: npt.NDArray[np.bool_], hits: npt.NDArray[np.bool_]
) -> Integers:
    among_hits = np.bincount(bucket[known & of_hit], minlength=BUCKETS)
    among_clean = np.bincount(bucket[known & ~of_hit], minlength=BUCKETS)
    seen = among_hits + among_clean > 0
    share = (among_hits + among_clean + ~seen) / len(hits)
    odds = (
        (among_hits + PRIOR * share) / (hits.sum() + PRIOR) / ((among_clean + PRIOR * share) / ((~hits).sum() + PRIOR))
    )
    weights = np.where(seen, log(odds), 0.0)
    return np.round(weights * UNIT).astype(np.int64)
