"""Likeness of a description to those of goods found non-compliant, by its letter sequences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import TIME
from features.history.facts import Integers

BUCKETS = 4096
PRIOR = 4.0  # pseudo-documents: a sequence seen in few inspections carries little weight
UNIT = 1_000_000  # weights are whole millionths, so that their sum does not depend on the order of adding
MULTIPLIERS = np.array([0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D], dtype=np.uint64)
SCHEMA = pl.Schema({"known_from": TIME, "weights": pl.List(pl.Int64)})


@dataclass(frozen=True, slots=True)
class Sequences:
    """Three-letter sequences of texts: the bucket of each, and the text it occurs in."""

    bucket: Integers
    text: Integers


def sequences(texts: pl.Series) -> Sequences:
    """Return all three-letter sequences of each text, lower case, spaces joined, a space before and after."""
    clean = texts.fill_null("").str.to_lowercase().str.replace_all(r"[\s\x00]+", " ").str.strip_chars()
    joined = "\x00".join(f" {text} " for text in clean)
    letters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    if len(letters) < 3:
        return Sequences(np.empty(0, np.int64), np.empty(0, np.int64))
    three = np.lib.stride_tricks.sliding_window_view(letters, 3)
    mixed = (three * MULTIPLIERS).sum(axis=1, dtype=np.uint64)
    bucket = ((mixed ^ (mixed >> np.uint64(15))) % np.uint64(BUCKETS)).astype(np.int64)
    text = np.cumsum(letters == 0)[: len(three)].astype(np.int64)
    within = (three != 0).all(axis=1)
    return Sequences(bucket[within], text[within])


@dataclass(frozen=True, slots=True)
class Wording:
    """Fitted weights of letter sequences; table: SCHEMA, one row for each date they are known from."""

    table: pl.DataFrame
    _dates: Integers = field(init=False, repr=False, compare=False)
    _weights: Integers = field(init=False, repr=False, compare=False)  # dates × BUCKETS

    def __post_init__(self) -> None:
        """Unpack the weights once: every call looks into them."""
        weights = np.array(self.table["weights"].to_list(), dtype=np.int64).reshape(-1, BUCKETS)
        object.__setattr__(self, "_dates", self.table["known_from"].dt.epoch("us").to_numpy())
        object.__setattr__(self, "_weights", weights)

    def attach(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Add `line_wording_likeness` to `lines` (description, lodged_at), null before the first date."""
        triples = sequences(lines["description"])
        of_line = np.searchsorted(self._dates, lines["lodged_at"].dt.epoch("us").to_numpy(), side="right") - 1
        counts = np.bincount(triples.text, minlength=lines.height)
        sums = np.zeros(lines.height, np.int64)
        if len(self._dates):
            np.add.at(sums, triples.text, self._weights[np.maximum(of_line[triples.text], 0), triples.bucket])
        known = (of_line >= 0) & (counts > 0)
        likeness = np.where(known, sums / np.maximum(counts, 1) / UNIT, np.nan)
        return lines.with_columns(pl.Series("line_wording_likeness", likeness).fill_nan(None))


def fit_wording(inspected: pl.DataFrame, dates: Sequence[datetime]) -> Wording:
    """Fit weights for each date on the inspected lines (description, hit, known_at) with a result known before it.

    A weight is the logarithm of how much likelier the sequence is among non-compliant than among compliant goods.
    """
    ordered = inspected.sort("known_at", "description", "hit")
    triples = sequences(ordered["description"])
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
    weights = np.where(seen, np.log(odds), 0.0)
    return np.round(weights * UNIT).astype(np.int64)
