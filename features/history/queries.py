"""What is asked of history: sums of facts of the entities that a row names, between moments of that row.

All keys and facts are asked in one query, so that each table of facts is read in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from features.history.facts import FACTS, NEVER, Integers

Flags = npt.NDArray[np.bool_]
NONE = -1  # of a number: no moment, no ages
ORDERED_FROM = 256  # entities; fewer are searched as they come


@dataclass(frozen=True, slots=True)
class Sum:
    """The total of a fact strictly before one moment of a row, less its total strictly before another.

    before, since: numbers of moments of the query; without `since` everything known before counts.
    """

    fact: str
    before: int = 0
    since: int | None = None


@dataclass(frozen=True, slots=True)
class KeyQuery:
    """What is asked of the entities of one key: sums, and with `ages` when they were lodged first and last."""

    sums: tuple[Sum, ...]
    ages: bool = False


@dataclass(frozen=True, eq=False)
class QueryPlan:
    """What is asked of the entities of each key, and the same in numbers; made once for many queries.

    keys: keys × (its first sum, the end of its sums, its row of ages or NONE).
    sums: sums × (place of the fact in FACTS, the moment before which and the one since which it counts or NONE, row of
        the answer); those of the same moments stand together.
    """

    of_keys: tuple[KeyQuery, ...]
    keys: Integers
    sums: Integers

    @classmethod
    def of(cls, *of_keys: KeyQuery) -> QueryPlan:
        """Number what is asked."""
        keys: list[tuple[int, ...]] = []
        sums: list[tuple[int, ...]] = []
        ages = 0
        for of_key in of_keys:
            begin = len(sums)
            numbered = (
                (FACTS.index(one.fact), one.before, NONE if one.since is None else one.since, begin + place)
                for place, one in enumerate(of_key.sums)
            )
            sums += sorted(numbered, key=lambda one: one[1:3])
            keys.append((begin, len(sums), ages if of_key.ages else NONE))
            ages += of_key.ages
        return cls(of_keys, np.array(keys, np.int64).reshape(-1, 3), np.array(sums, np.int64).reshape(-1, 4))

    @cached_property
    def ages(self) -> Integers:
        """Whether the ages of each key are asked."""
        return np.array([of_key.ages for of_key in self.of_keys], np.bool_)

    @cached_property
    def moments(self) -> tuple[Integers, Integers, Integers]:
        """How many moments each key is looked up at, their numbers one key after the other, and where each begins."""
        each = [
            sorted(
                {0, *(one.before for one in of_key.sums), *(one.since for one in of_key.sums if one.since is not None)}
            )
            for of_key in self.of_keys
        ]
        counts = np.array([len(moments) for moments in each], np.int64)
        return counts, np.array([moment for of_key in each for moment in of_key], np.int64), np.cumsum(counts) - counts


@lru_cache(64)
def _plan_of_each(moments: int, facts: tuple[str, ...]) -> QueryPlan:
    """Ask of one key the totals of facts before each of so many moments, and the ages."""
    return QueryPlan.of(KeyQuery(tuple(Sum(fact, m) for m in range(moments) for fact in facts), ages=True))


@dataclass(frozen=True)
class HistoryQuery:
    """Entities, each named by a row under a key, and the moments of the rows.

    entities, keys, rows: one element for each entity that a row names; `keys`, ascending, are places in the plan. A row
        that names several entities under one key is told of them all together, as if they were one.
    moments: moments × rows, microseconds UTC; ages are those at the first of them.
    """

    plan: QueryPlan
    entities: Integers
    keys: Integers
    rows: Integers
    moments: Integers

    @classmethod
    def of_each(cls, entities: Integers, moments: Integers, facts: Sequence[str] = FACTS) -> HistoryQuery:
        """Ask the totals of facts strictly before each moment (moments × entities), an entity a row, and the ages.

        The sums come by moment, and for each moment by fact.
        """
        n = len(entities)
        return cls(
            _plan_of_each(len(moments), tuple(facts)),
            entities,
            np.zeros(n, np.int64),
            np.arange(n, dtype=np.int64),
            moments,
        )

    def equals(self, other: HistoryQuery) -> bool:
        """Return true if the other asks the same."""
        arrays = ("entities", "keys", "rows", "moments")
        return self.plan.of_keys == other.plan.of_keys and all(
            np.array_equal(getattr(self, name), getattr(other, name)) for name in arrays
        )

    def where(self, which: Flags) -> HistoryQuery:
        """Return the part of the query that asks for some of its entities; the answer has the same shape."""
        return HistoryQuery(self.plan, self.entities[which], self.keys[which], self.rows[which], self.moments)

    @cached_property
    def order(self) -> Integers:
        """The order in which tables are searched: of many, those of a key ascend, as they lie in the table."""
        places = np.arange(len(self.entities))
        if len(places) >= ORDERED_FROM:
            for begin, end in pairwise(np.searchsorted(self.keys, np.arange(len(self.plan.of_keys) + 1)).tolist()):
                places[begin:end] = begin + np.argsort(self.entities[begin:end])
        return places

    def lookup_count(self) -> int:
        """Return how many totals are looked up, equal ones counted each time."""
        return int(self.plan.moments[0][self.keys].sum())

    def lookups(self) -> tuple[Integers, Integers]:
        """Return the places of the entities and the numbers of the moments at which totals are looked up."""
        counts, moments, begins = self.plan.moments
        each = counts[self.keys]
        place = np.repeat(np.arange(len(each), dtype=np.int64), each)
        within = np.arange(len(place), dtype=np.int64) - np.repeat(np.cumsum(each) - each, each)
        return place, moments[begins[self.keys[place]] + within]


@dataclass(frozen=True, slots=True)
class Totals:
    """The answer to a query.

    sums: sums × rows: those of the first key, then those of the next; 0 where a row names no entity.
    first, last: keys with ages × rows: microseconds of when a version that names the entity was lodged first and last
        before the first moment, NEVER where none was.
    """

    sums: Integers
    first: Integers
    last: Integers

    def add(self, other: Totals) -> None:
        """Add what another table knows: sums add up, the earliest and the latest moment count."""
        np.add(self.sums, other.sums, out=self.sums)
        earlier = (other.first != NEVER) & ((self.first == NEVER) | (other.first < self.first))
        np.copyto(self.first, other.first, where=earlier)
        np.maximum(self.last, other.last, out=self.last)


def nothing_known(query: HistoryQuery) -> Totals:
    """Return the answer of a history that holds nothing."""
    rows = query.moments.shape[1]
    ages = int(query.plan.ages.sum()), rows
    return Totals(np.zeros((len(query.plan.sums), rows), np.int64), np.full(ages, NEVER), np.full(ages, NEVER))
