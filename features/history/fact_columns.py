"""Facts as columns: what versions of consignments state and what is new about their senders, for one and for a day.

It computes what `facts.py` computes over frames; the record posts it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import numpy.typing as npt
import polars as pl

from features.consignment import TIME, VERSION_KEY, Consignments
from features.history.fact_list import facts_from
from features.history.facts import (
    DECLARATION_FACTS,
    ENTITIES,
    FACT_SCHEMA,
    FACTS,
    LODGED,
    NEVER,
    NOVELTY_FACTS,
    FirstSeen,
    Integers,
    never_seen,
    with_entities,
)

Flags = npt.NDArray[np.bool_]
PLACE = {fact: place for place, fact in enumerate(FACTS)}
STATED_PLACES = [PLACE[fact] for fact in DECLARATION_FACTS]
SENDER = ENTITIES.index("consignor_entity")
SIGHTS = [(PLACE[fact], ENTITIES.index(f"{key}_entity")) for fact, key in NOVELTY_FACTS.items()]
AMOUNTS = [fact.amount.cast(pl.Int64).alias(fact.name) for fact in facts_from("declaration")]
NEEDED = tuple(dict.fromkeys(name for fact in facts_from("declaration") for name in fact.needs))


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
        amounts = np.array(pl.DataFrame([table.series(name) for name in NEEDED]).select(AMOUNTS).rows(), np.int64)
        amounts = amounts.reshape(len(table), len(AMOUNTS)).T
        withdrawn = table.text("purpose").is_one_of("cancellation")
        if withdrawn.any():
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


def _numbers(frame: pl.DataFrame, names: Sequence[str]) -> Integers:
    columns = [frame[name].fill_null(0).to_numpy().astype(np.int64) for name in names]
    return np.array(columns, np.int64).reshape(len(names), frame.height)


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """What is to be added to history: `entity`, `known_at` (microseconds since 1970), and a row of amounts of FACTS."""

    entity: Integers
    known_at: Integers
    amounts: Integers

    @classmethod
    def of_frame(cls, facts: pl.DataFrame) -> Facts:
        """Return those of a frame (FACT_SCHEMA)."""
        known_at = facts["known_at"].cast(TIME).to_physical().to_numpy()
        return cls(facts["entity"].to_numpy(), known_at, np.ascontiguousarray(_numbers(facts, FACTS).T))

    @classmethod
    def end_to_end(cls, parts: Sequence[Facts]) -> Facts:
        """Return several as one; of none, none."""
        held = [part for part in parts if len(part)]
        if len(held) <= 1:
            return held[0] if held else NO_FACTS
        return cls(*(np.concatenate([getattr(part, name) for part in held]) for name in cls.__slots__))

    def __len__(self) -> int:
        return len(self.entity)

    def frame(self) -> pl.DataFrame:
        """Return them as a frame (FACT_SCHEMA)."""
        amounts = {fact: np.ascontiguousarray(self.amounts[:, place]) for fact, place in PLACE.items()}
        keys = {"entity": self.entity, "known_at": self.known_at}
        return pl.DataFrame({**keys, **amounts}).cast(FACT_SCHEMA)


NO_FACTS = Facts(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, len(FACTS)), np.int64))


def facts_stated(versions: Versions) -> Facts:
    """Return what declarations state; an amendment takes back, when it is lodged, what the version before it stated.

    versions: all that are known of each consignment. A version that comes after a higher one states nothing, for it is
    out of date; it was lodged all the same.
    """
    rows = np.zeros((len(versions), len(FACTS)), np.int64)
    rows[:, PLACE[LODGED]] = 1
    if (versions.version == 1).all():
        rows[:, STATED_PLACES] = versions.amounts.T
        return _for_each_key(versions, np.arange(len(versions)), versions.lodged_at, rows)
    in_force, taken_back, taken_at = _in_force(versions)
    stated = np.zeros((len(in_force) + len(taken_back), len(FACTS)), np.int64)
    places = np.concatenate([in_force, taken_back])
    signs = np.repeat((1, -1), (len(in_force), len(taken_back)))
    stated[:, STATED_PLACES] = (versions.amounts[:, places] * signs).T
    known_at = np.concatenate([versions.lodged_at[in_force], taken_at])
    lodged = _for_each_key(versions, np.arange(len(versions)), versions.lodged_at, rows)
    return Facts.end_to_end([lodged, _for_each_key(versions, places, known_at, stated)])


def _in_force(versions: Versions) -> tuple[Integers, Integers, Integers]:
    """Find the versions that came to be in force, those of them that were amended, and when they were."""
    columns = (versions.consignment_id, versions.lodged_at.tolist(), versions.version.tolist(), versions.message_id)
    order = sorted(range(len(versions)), key=list(zip(*columns, strict=True)).__getitem__)
    number = versions.version.tolist()
    in_force: list[int] = []
    taken_back: list[tuple[int, int]] = []
    for _, places in groupby(order, key=versions.consignment_id.__getitem__):
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


def _for_each_key(versions: Versions, places: Integers, known_at: Integers, rows: Integers) -> Facts:
    """Return amounts of versions at some places as facts of each of their entities."""
    entities, known = versions.entities[:, places], versions.known[:, places]
    key, row = np.nonzero(known)
    return Facts(entities[key, row], known_at[row], rows[row])


def facts_sighted(versions: Versions, first_seen: FirstSeen = never_seen) -> Facts:
    """Return what a sender has of new: one fact at the moment when the two were first seen together.

    Where the past has seen them later than these versions do, its fact moves to the earlier moment.
    """
    sights, sender, both, known_at = _sights(versions)
    seen = first_seen(both)
    fresh, earlier = seen == NEVER, known_at < seen
    come, moved = np.flatnonzero(fresh | earlier), np.flatnonzero(earlier & ~fresh)
    places = np.concatenate([come, moved])
    rows = np.zeros((len(places), len(FACTS)), np.int64)
    rows[np.arange(len(places)), sights[places]] = np.repeat((1, -1), (len(come), len(moved)))
    return Facts(sender[places], np.concatenate([known_at[come], seen[moved]]), rows)


def _sights(versions: Versions) -> tuple[Integers, Integers, Integers, Integers]:
    """Find when a sender and each other were first named together: place of the fact, sender, both, moment."""
    fact, keys = np.array(SIGHTS, np.intp).T
    key, row = np.nonzero(versions.known[keys] & versions.known[SENDER])
    both = versions.entities[keys][key, row]
    order = np.lexsort((both, key))  # those of one pair stay in the order of their rows
    key, row, both = key[order], row[order], both[order]
    starts = np.flatnonzero(np.append(True, (both[1:] != both[:-1]) | (key[1:] != key[:-1]))[: len(both)])
    moments = versions.lodged_at[row]
    first = np.minimum.reduceat(moments, starts) if len(starts) else moments
    return fact[key[starts]], versions.entities[SENDER][row[starts]], both[starts], first


def fact_delta(facts: Facts, others: Facts) -> Facts:
    """Return what is to be added to the others so that they come to the facts."""
    both = Facts.end_to_end([facts, Facts(others.entity, others.known_at, -others.amounts)])
    order = np.lexsort((both.known_at, both.entity))
    entity, known_at = both.entity[order], both.known_at[order]
    changes = (entity[1:] != entity[:-1]) | (known_at[1:] != known_at[:-1])
    starts = np.flatnonzero(np.append(True, changes)[: len(order)])
    sums = np.add.reduceat(both.amounts[order], starts, axis=0) if len(starts) else both.amounts
    kept = sums.any(axis=1)
    return Facts(entity[starts][kept], known_at[starts][kept], sums[kept])
