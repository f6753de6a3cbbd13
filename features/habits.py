"""Habits of senders by country: how firms are named there and how high numbers of addresses go, learned on one's flow.

No list says what is usual where: counted are the distinct names and addresses of the 90 days before a date, without any
result. It serves rows lodged from that date on until the next. Where the flow shows no habit, nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import UNKNOWN, Moments, Numbers, Text
from features.algebra.text import distinct_pairs
from features.consignment import TIME
from features.intervals import wilson
from features.plausibility.addresses import numbers_in
from features.plausibility.firms import bears_a_form, words_of_trade

FORM, NUMBER = "form_habit", "number_habit"
MEMORY = timedelta(days=90)
ALL_OF_THEM = 0.95  # of the names with a word bear a form, at least and with 95 % confidence: from 73 names on
FEWEST_ADDRESSES = 200  # by which the upper tenth of their numbers is known
UPPER, STEPS, LEAST_STEP = 0.9, 3, 2.0  # beyond the ninth tenth by three times the way from the middle to it
SCHEMA = pl.Schema(
    [("known_from", TIME), *((name, pl.String()) for name in ("country", "kind", "word")), ("limit", pl.Float64())]
)
Of = Callable[[str, "Known"], float]
Known = dict[tuple[str, str], float]  # kind, word → limit, of a country and date


@dataclass(frozen=True, slots=True)
class Habits:
    """Fitted habits; table: SCHEMA, one row for each date, country, and word of a name or kind of number.

    limit: of a word, the share of names with it that bear a form at least; of a kind of number, the highest that is
    still like the others.
    """

    table: pl.DataFrame
    _dates: npt.NDArray[np.int64] = field(init=False, repr=False, compare=False)  # ascending
    _known: dict[tuple[int, str], Known] = field(init=False, repr=False, compare=False)  # by place of date, country

    def __post_init__(self) -> None:
        """Arrange the habits once: every call looks into them."""
        dates = self.table["known_from"].unique().sort().dt.epoch("us").to_numpy()
        known: dict[tuple[int, str], Known] = {}
        at = np.searchsorted(dates, self.table["known_from"].dt.epoch("us").to_numpy())
        for place, (country, kind, word, limit) in zip(
            at.tolist(), self.table.select("country", "kind", "word", "limit").iter_rows(), strict=True
        ):
            known.setdefault((place, country), {})[kind, word] = limit
        object.__setattr__(self, "_dates", dates)
        object.__setattr__(self, "_known", known)

    def attach(self, name: Text, address: Text, country: Text, lodged_at: Moments) -> dict[str, Numbers]:
        """Return FORM and NUMBER of each consignment; unknown before the first date, and where there is no habit."""
        date = np.searchsorted(self._dates, lodged_at, side="right") - 1
        return {FORM: self._of(lacks_form, name, country, date), NUMBER: self._of(beyond, address, country, date)}

    def _of(self, judge: Of, text: Text, country: Text, date: npt.NDArray[np.intp]) -> Numbers:
        pairs, of_pair = distinct_pairs(text.codes, country.codes, len(country.words) + 1)
        asked, rows = distinct_pairs(of_pair, date + 1, len(self._dates) + 1)
        judged = [self._judged(judge, text.words[pairs[p][0]], country.words[pairs[p][1]], at - 1) for p, at in asked]
        return np.array(judged, np.float64)[rows]

    def _judged(self, judge: Of, text: str | None, country: str | None, date: int) -> float:
        known = self._known.get((date, country.upper())) if country else None
        return judge(text, known) if known and text else UNKNOWN


def no_habits() -> Habits:
    """Return what knows no habit: of a model that was made before, and where nothing was archived."""
    return Habits(SCHEMA.to_frame())


def lacks_form(name: str, known: Known) -> float:
    """Return 1 for a name without a form that has a word with which all bear one, 0 with a form; else unknown."""
    if not any((FORM, word) in known for word in words_of_trade(name)):
        return UNKNOWN
    return float(not bears_a_form(name))


def beyond(address: str, known: Known) -> float:
    """Return 1 where a number of an address is beyond what is like the others of its kind, 0 where none is."""
    limits = [(number, known[NUMBER, kind]) for kind, number in numbers_in(address) if (NUMBER, kind) in known]
    return float(any(number > limit for number, limit in limits)) if limits else UNKNOWN


def fit_habits(senders: pl.DataFrame, dates: Sequence[datetime]) -> Habits:
    """Fit habits for each date on the senders (consignor_name, _address, _country, lodged_at) of the 90 days before it.

    Each name and each address of a country counts once, so that no sender makes a habit by the number of its parcels.
    """
    stated = senders.select(
        pl.col("consignor_country").str.to_uppercase().alias("country"),
        pl.col("consignor_name").alias("name"),
        pl.col("consignor_address").alias("address"),
        "lodged_at",
    ).drop_nulls("country")
    fitted = [SCHEMA.to_frame()]
    for date in sorted(dates):
        recent = stated.filter(pl.col("lodged_at").is_between(date - MEMORY, date, closed="left"))
        rows = [*_forms(recent), *_numbers(recent)]
        known = pl.DataFrame(rows, schema=["country", "kind", "word", "limit"], orient="row") if rows else None
        if known is not None:
            fitted.append(known.with_columns(pl.lit(date).cast(TIME).alias("known_from")).match_to_schema(SCHEMA))
    return Habits(pl.concat(fitted))


Row = tuple[str, str, str, float]


def _forms(recent: pl.DataFrame) -> list[Row]:
    """Return the words with which the names of a country bear a form, nearly all of them."""
    counts: dict[tuple[str, str], list[int]] = {}
    for country, name in recent.select("country", "name").drop_nulls().unique().sort("country", "name").iter_rows():
        with_form = bears_a_form(name)
        for word in words_of_trade(name):
            count = counts.setdefault((country, word), [0, 0])
            count[0] += with_form
            count[1] += 1
    least = {key: wilson(bearing, names)[0] for key, (bearing, names) in counts.items()}
    return [(country, FORM, word, share) for (country, word), share in sorted(least.items()) if share >= ALL_OF_THEM]


def _numbers(recent: pl.DataFrame) -> list[Row]:
    """Return how high the numbers of a country's addresses go, of each kind of which there are enough."""
    stated: dict[tuple[str, str], list[float]] = {}
    addresses = recent.select("country", "address").drop_nulls().unique().sort("country", "address")
    for country, address in addresses.iter_rows():
        for kind, number in numbers_in(address):
            stated.setdefault((country, kind), []).append(number)
    return [
        (country, NUMBER, kind, _limit(numbers))
        for (country, kind), numbers in sorted(stated.items())
        if len(numbers) >= FEWEST_ADDRESSES
    ]


def _limit(numbers: list[float]) -> float:
    """Return the highest number that is like the others: in proportions, as house numbers differ by factors.

    What a tenth of them state cannot move it.
    """
    middle, upper = np.quantile(np.maximum(numbers, 1.0), [0.5, UPPER], method="higher")
    return float(upper * max(upper / middle, LEAST_STEP) ** STEPS)
