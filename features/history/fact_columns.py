"""Facts as columns: what versions of consignments state and what is new about their senders, for one and for a day."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.tables import Table, Wholes, anywhere
from features.consignment import TIME, VERSION_KEY, Consignments
from features.history.entities import with_entities
from features.history.fact_list import DECLARATION_FACTS, FACT_SCHEMA, FACTS, LODGED, NOVELTY_FACTS, SIGHTS, facts_from
from features.history.keys import ENTITIES

Integers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
FirstSeen = Callable[[Integers], Integers]
"""Finds the moment (microseconds) at which each entity was first seen, NEVER where it never was."""

NEVER = int(np.iinfo(np.int64).min)
MOST_WHOLE = float(2**63 - 1024)  # the largest number that an integer holds
DECLARED: list[tuple[Any, Sequence[str]]] = [(fact.amount, fact.needs) for fact in facts_from("declaration")]
SIGHTED, OF_WHOM = (
    [ENTITIES.index(f"{sight[place]}_entity") for sight in SIGHTS] for place in (1, 2)
)  # of each of SIGHTS: the key of which a new entity counts, which names one of the key of whom it counts
FACT_OF_SIGHT = np.array([NOVELTY_FACTS.index(fact) for fact, _, _ in SIGHTS], np.int64)


def never_seen(entities: Integers) -> Integers:
    """Answer for a past that holds nothing."""
    return np.full(len(entities), NEVER, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Versions:
    """Consignment versions and what their facts are made of.

    message_id, consignment_id, version, lodged_at (microseconds since 1970): by version. entities, known: of each of
    ENTITIES a row, by version; a number that is not known is nothing. amounts: of each of DECLARATION_FACTS a row.
    """

    message_id: Sequence[str]
    consignment_id: Sequence[str]
    version: Integers
    lodged_at: Integers
    entities: Integers
    known: Flags
    amounts: Integers

    @classmethod
    def of(cls, consignments: Consignments) -> Versions:
        """Return what consignments state; a cancellation states nothing: it only takes back."""
        table = consignments.declared
        if not all(name in table for name in ENTITIES):
            table = with_entities(consignments).declared
        columns = [table.whole(name) for name in ENTITIES]
        entities = np.array([column.values for column in columns], np.int64).reshape(len(ENTITIES), len(table))
        known = np.array([np.full(len(c), True) if c.known is None else c.known for c in columns], np.bool_)
        amounts = _amounts(table)
        withdrawn = table.text("purpose").is_one_of("cancellation")
        if anywhere(withdrawn):
            amounts = np.where(withdrawn, 0, amounts)
        message_id, consignment_id = (table.values(name) for name in VERSION_KEY[:2])
        lodged_at = table.moments("lodged_at")
        return cls(
            message_id,
            consignment_id,
            table.whole("version").values,
            lodged_at,
            entities,
            known.reshape(entities.shape),
            amounts,
        )

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> Versions:
        """Return those of a frame, as `facts.stated` gives it."""
        message_id, consignment_id = (frame[name].to_list() for name in VERSION_KEY[:2])
        entities = _numbers(frame, ENTITIES)
        known = np.array([frame[name].is_not_null().to_numpy() for name in ENTITIES], np.bool_).reshape(entities.shape)
        lodged_at = frame["lodged_at"].cast(TIME).to_physical().to_numpy()
        version = frame["version"].to_numpy().astype(np.int64)
        return cls(message_id, consignment_id, version, lodged_at, entities, known, _numbers(frame, DECLARATION_FACTS))

    @classmethod
    def end_to_end(cls, parts: Sequence[Versions]) -> Versions:
        """Return several as one."""
        return cls(
            [name for part in parts for name in part.message_id],
            [name for part in parts for name in part.consignment_id],
            np.concatenate([part.version for part in parts]),
            np.concatenate([part.lodged_at for part in parts]),
            np.concatenate([part.entities for part in parts], axis=1),
            np.concatenate([part.known for part in parts], axis=1),
            np.concatenate([part.amounts for part in parts], axis=1),
        )

    def frame(self) -> pl.DataFrame:
        """Return them as a frame: VERSION_KEY, `lodged_at`, ENTITIES, null where not known, and DECLARATION_FACTS."""
        keys = dict(zip(VERSION_KEY, (self.message_id, self.consignment_id, self.version), strict=True))
        entities = {
            name: Wholes(of_key, known).series(name, pl.Int64())
            for name, of_key, known in zip(ENTITIES, self.entities, self.known, strict=True)
        }
        amounts = dict(zip(DECLARATION_FACTS, self.amounts, strict=True))
        kinds = {"message_id": pl.String(), "consignment_id": pl.String(), "lodged_at": TIME}
        frame = pl.DataFrame(
            {**keys, "lodged_at": self.lodged_at, **entities, **amounts}, schema_overrides={"lodged_at": pl.Int64()}
        )
        return frame.with_columns(pl.col(name).cast(kind) for name, kind in kinds.items())

    def __len__(self) -> int:
        return len(self.version)

    def keys(self) -> list[tuple[str, str, int]]:
        """Return the key of each."""
        return list(zip(self.message_id, self.consignment_id, self.version.tolist(), strict=True))

    def where(self, places: Sequence[int]) -> Versions:
        """Return those at some places, in their order."""
        if len(places) == len(self) and all(place == at for at, place in enumerate(places)):
            return self
        at = np.array(places, np.intp)
        message_id, consignment_id = ([of[p] for p in places] for of in (self.message_id, self.consignment_id))
        below = (self.entities[:, at], self.known[:, at], self.amounts[:, at])
        return Versions(message_id, consignment_id, self.version[at], self.lodged_at[at], *below)

    def between(self, start: int, stop: int) -> Versions:
        """Return those from one place to before another."""
        return self.where(range(start, min(stop, len(self))))


def _amounts(table: Table) -> Integers:
    """Return what each version states of the facts of a declaration: whole numbers, facts × versions.

    Unknown is nothing.
    """
    numbers = np.zeros((len(DECLARED), len(table)))
    for of_fact, (amount, needs) in zip(numbers, DECLARED, strict=True):
        of_fact += amount(*[table.number(name) for name in needs])
    rounded = np.rint(numbers)
    whole: Integers = np.clip(np.where(np.isnan(rounded), 0.0, rounded), -MOST_WHOLE, MOST_WHOLE).astype(np.int64)
    return whole


def _numbers(frame: pl.DataFrame, names: Sequence[str]) -> Integers:
    columns = [frame[name].fill_null(0).to_numpy().astype(np.int64) for name in names]
    return np.array(columns, np.int64).reshape(len(names), frame.height)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is to be added to history: `entity`, `known_at` (microseconds since 1970), and amounts by fact.

    amounts: of some of FACTS; of the others there is nothing.
    """

    entity: Integers
    known_at: Integers
    amounts: Mapping[str, Integers]

    @classmethod
    def of_frame(cls, facts: pl.DataFrame) -> Facts:
        """Return those of a frame (FACT_SCHEMA)."""
        known_at = facts["known_at"].cast(TIME).to_physical().to_numpy()
        amounts = {fact: facts[fact].fill_null(0).to_numpy().astype(np.int64) for fact in FACTS}
        return cls(facts["entity"].to_numpy(), known_at, {fact: of for fact, of in amounts.items() if of.any()})

    @classmethod
    def end_to_end(cls, parts: Sequence[Facts]) -> Facts:
        """Return several as one; of none, none."""
        held = [part for part in parts if len(part)]
        if len(held) <= 1:
            return held[0] if held else NO_FACTS
        names = [fact for fact in FACTS if any(fact in part.amounts for part in held)]
        nothing = [np.zeros(len(part), np.int64) for part in held]
        return cls(
            np.concatenate([part.entity for part in held]),
            np.concatenate([part.known_at for part in held]),
            {
                fact: np.concatenate([part.amounts.get(fact, none) for part, none in zip(held, nothing, strict=True)])
                for fact in names
            },
        )

    def __len__(self) -> int:
        return len(self.entity)

    def rows(self) -> Iterator[tuple[int, ...]]:
        """Yield entity, moment and the amount of each of FACTS."""
        nothing = [0] * len(self)
        columns = (self.amounts[fact].tolist() if fact in self.amounts else nothing for fact in FACTS)
        return zip(self.entity.tolist(), self.known_at.tolist(), *columns, strict=True)

    def frame(self) -> pl.DataFrame:
        """Return them as a frame (FACT_SCHEMA)."""
        frame = pl.DataFrame({"entity": self.entity, "known_at": self.known_at, **self.amounts})
        nothing = (pl.lit(0, pl.Int64).alias(fact) for fact in FACTS if fact not in self.amounts)
        return frame.with_columns(pl.col("known_at").cast(TIME), *nothing).select(FACT_SCHEMA.names())


NO_FACTS = Facts(np.empty(0, np.int64), np.empty(0, np.int64), {})


def facts_stated(versions: Versions) -> Facts:
    """Return what declarations state; an amendment takes back, when it is lodged, what the version before it stated.

    versions: all that are known of each consignment. A version that comes after a higher one states nothing, for it is
    out of date; it was lodged all the same.
    """
    every, once = np.arange(len(versions)), {LODGED: np.ones(len(versions), np.int64)}
    stated = dict(zip(DECLARATION_FACTS, versions.amounts, strict=True))
    if (versions.version == 1).all():
        return _for_each_key(versions, every, versions.lodged_at, once | stated)
    in_force, taken_back, taken_at = _in_force(versions)
    places = np.concatenate([in_force, taken_back])
    signs = np.repeat((1, -1), (len(in_force), len(taken_back)))
    known_at = np.concatenate([versions.lodged_at[in_force], taken_at])
    signed = {fact: amounts[places] * signs for fact, amounts in stated.items()}
    lodged = _for_each_key(versions, every, versions.lodged_at, once)
    return Facts.end_to_end([lodged, _for_each_key(versions, places, known_at, signed)])


def _in_force(versions: Versions) -> tuple[Integers, Integers, Integers]:
    """Find the versions that came to be in force, those of them that were amended, and when they were."""
    columns = (versions.consignment_id, versions.lodged_at.tolist(), versions.version.tolist(), versions.message_id)
    order = sorted(range(len(versions)), key=list(zip(*columns, strict=True)).__getitem__)
    number = versions.version.tolist()
    in_force: list[int] = []
    taken_back: list[tuple[int, int]] = []
    for _, places in itertools.groupby(order, key=versions.consignment_id.__getitem__):
        highest: int | None = None
        for place in places:
            if highest is not None and number[place] < number[highest]:
                continue
            if highest is not None and number[place] > number[highest]:
                taken_back.append((highest, place))
            in_force.append(place)
            highest = place
    former = np.array([place for place, _ in taken_back], np.int64)
    later = np.array([place for _, place in taken_back], np.int64)
    return np.array(in_force, np.int64), former, versions.lodged_at[later]


def _for_each_key(versions: Versions, places: Integers, known_at: Integers, amounts: Mapping[str, Integers]) -> Facts:
    """Return amounts of versions at some places as facts of each of their entities."""
    entities, known = versions.entities[:, places], versions.known[:, places]
    key, row = np.nonzero(known)
    return Facts(entities[key, row], known_at[row], {fact: of[row] for fact, of in amounts.items()})


def facts_sighted(versions: Versions, first_seen: FirstSeen = never_seen) -> Facts:
    """Return what a sender or a home has of new: one fact at the moment when the two were first seen together.

    Where the past has seen them later than these versions do, its fact moves to the earlier moment.
    """
    sights, whose, both, known_at = _sights(versions)
    seen = first_seen(both)
    fresh, earlier = seen == NEVER, known_at < seen
    come, moved = np.flatnonzero(fresh | earlier), np.flatnonzero(earlier & ~fresh)
    places, signs = np.concatenate([come, moved]), np.repeat((1, -1), (len(come), len(moved)))
    of_fact = FACT_OF_SIGHT[sights[places]]
    amounts = {fact: signs * (of_fact == place) for place, fact in enumerate(NOVELTY_FACTS)}
    return Facts(whose[places], np.concatenate([known_at[come], seen[moved]]), amounts)


def _sights(versions: Versions) -> tuple[Integers, Integers, Integers, Integers]:
    """Find when two were first named together: place in SIGHTS, of whom it is counted, both, moment."""
    key, row = np.nonzero(versions.known[SIGHTED] & versions.known[OF_WHOM])
    both = versions.entities[SIGHTED][key, row]
    order = np.lexsort((both, key))  # those of one pair stay in the order of their rows
    key, row, both = key[order], row[order], both[order]
    starts = _starts(key, both)
    moments = versions.lodged_at[row]
    first = np.minimum.reduceat(moments, starts) if len(starts) else moments
    return key[starts], versions.entities[OF_WHOM][key[starts], row[starts]], both[starts], first


def fact_delta(facts: Facts, others: Facts) -> Facts:
    """Return what is to be added to the others so that they come to the facts."""
    less = Facts(others.entity, others.known_at, {fact: -amounts for fact, amounts in others.amounts.items()})
    both = Facts.end_to_end([facts, less])
    order = np.lexsort((both.known_at, both.entity))
    entity, known_at = both.entity[order], both.known_at[order]
    starts = _starts(entity, known_at)
    if not len(starts) or not both.amounts:
        return NO_FACTS
    sums = {fact: np.add.reduceat(amounts[order], starts) for fact, amounts in both.amounts.items()}
    kept = np.logical_or.reduce([of_fact != 0 for of_fact in sums.values()])
    at = starts[kept]
    return Facts(entity[at], known_at[at], {fact: of_fact[kept] for fact, of_fact in sums.items()})


def _starts(one: Integers, other: Integers) -> Integers:
    """Find where a pair of two sorted columns begins."""
    changes = (one[1:] != one[:-1]) | (other[1:] != other[:-1])
    return np.flatnonzero(np.append(True, changes)[: len(one)])
