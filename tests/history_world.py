"""A synthetic past with every oddity that readings of history meet, and consignments that ask about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import readings_for
from features.catalogue import INPUTS
from features.consignment import TIME
from features.history.facts import FACT_SCHEMA, FACTS, KEYS, LODGED
from features.history.named_entities import MEMBERS, NETWORK
from features.history.tiles import DAY, HOUR
from features.history.windows import Reading, Since, Window
from tests.oracle.history import totals as former_totals
from tests.oracle.history import windows as former

NOW = 1_772_368_496_123_456
ENTITIES_EACH = 60  # of a key
FACTS_IN_ALL = 40_000
ROWS = 700
ALL_READINGS: tuple[Reading, ...] = (
    *(Window(key, fact, days) for key in ("shop", NETWORK) for fact in FACTS for days in (1, 7, 8, 30, 90, 365, None)),
    *(Since(key, edge) for key in ("shop", NETWORK, "pair") for edge in ("first", "last")),
)
READINGS = tuple(dict.fromkeys((*readings_for(INPUTS), *ALL_READINGS)))


@dataclass(frozen=True)
class World:
    """Facts of some entities of every key, and consignments that name them, or others, or none."""

    facts: pl.DataFrame
    asked: pl.DataFrame

    def former(self) -> pl.DataFrame:
        """What the former code reads."""
        return former_reads(self.asked, self.facts)


def former_reads(asked: pl.DataFrame, facts: pl.DataFrame) -> pl.DataFrame:
    """What the former code reads of facts."""
    return former.read_windows(as_former(READINGS), asked, former_totals.FactTable(facts))


def as_former(readings: Sequence[Reading]) -> list[former.Reading]:
    """The same readings in the classes of the former code."""
    return [
        former.Window(one.key, one.fact, one.days) if isinstance(one, Window) else former.Since(one.key, one.edge)
        for one in readings
    ]


def history_world() -> World:
    """Forty thousand facts: bursts at one moment, amendments that take back, amounts of every width, old results."""
    rng = np.random.default_rng(27)
    entities = rng.integers(-(2**63), 2**63 - 1, (len(KEYS), ENTITIES_EACH))
    entities[0, :2] = -(2**63), 2**63 - 1
    facts = pl.DataFrame(
        {"entity": entities.ravel()[(rng.random(FACTS_IN_ALL) ** 3 * entities.size).astype(np.int64)],
         "known_at": moments(rng, FACTS_IN_ALL), **amounts(rng, FACTS_IN_ALL)},
        schema={**FACT_SCHEMA, "known_at": pl.Int64},
    ).cast({"known_at": TIME})  # fmt: skip
    return World(facts, asked_of(rng, entities))


def moments(rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
    """Moments of the last four years: many of the last days, some on the edges of tiles, several at once."""
    ago = np.where(rng.random(n) < 0.5, rng.integers(0, 10 * DAY, n), rng.integers(0, 4 * 365 * DAY, n))
    ago = np.where(rng.random(n) < 0.2, ago - ago % HOUR, ago)
    at = NOW - ago
    at = np.where(rng.random(n) < 0.2, at - at % DAY, at)
    repeated = rng.random(n) < 0.3
    at[repeated] = at[rng.integers(0, 50, int(repeated.sum()))]
    return at.astype(np.int64)


def amounts(rng: np.random.Generator, n: int) -> Mapping[str, npt.NDArray[np.int64]]:
    """Amounts of facts, of one byte up to eight; what was lodged is never taken back."""
    wide = {"value": 2**33, "mass": 2**20, "pieces": 300}
    columns = {fact: rng.integers(-3, wide.get(fact, 4), n) for fact in FACTS}
    columns[LODGED] = (rng.random(n) < 0.5).astype(np.int64)
    return columns


def asked_of(rng: np.random.Generator, entities: npt.NDArray[np.int64]) -> pl.DataFrame:
    """Consignments of two days, several at once; entities known, new and absent; networks of up to four cards."""
    lodged_at = np.sort(NOW - rng.integers(0, 2 * DAY, ROWS))
    lodged_at[::7] = lodged_at[1::7][: len(lodged_at[::7])]
    columns = {}
    for key, of_key in zip(KEYS, entities, strict=True):
        values = np.where(rng.random(ROWS) < 0.1, rng.integers(-(2**63), 2**63 - 1, ROWS), rng.choice(of_key, ROWS))
        columns[key.column] = pl.Series(values, dtype=pl.Int64).set(pl.Series(rng.random(ROWS) < 0.2), None)
    cards = entities[[key.name for key in KEYS].index("card")]
    members = [rng.choice(cards, rng.integers(0, 5), replace=False).tolist() for _ in range(ROWS)]
    members_or_none = [None if rng.random() < 0.1 else of_row for of_row in members]
    frame = pl.DataFrame({**columns, MEMBERS: pl.Series(members_or_none, dtype=pl.List(pl.Int64))})
    return frame.with_columns(pl.Series("lodged_at", lodged_at).cast(TIME))


def same(one: pl.DataFrame, other: pl.DataFrame) -> bool:
    """Equal to the bit, missing cells at the same places."""
    return one.columns == other.columns and all(
        np.array_equal(one[name].is_null(), other[name].is_null())
        and np.array_equal(bits(one[name]), bits(other[name]))
        for name in one.columns
    )


def bits(column: pl.Series) -> npt.NDArray[np.int64]:
    return column.drop_nulls().to_numpy().view(np.int64)
