"""The one pass over a table of running totals that answers a query: compiled, and without the interpreter's lock.

Tables have one layout, in memory and in files, so that it is compiled once, when it is imported, and never in a call.
"""

from __future__ import annotations

import numpy as np
from numba import njit, types

from features.history.facts import NEVER, Integers

Whole = int | np.int64
_COLUMN = types.Array(types.int64, 1, "C", readonly=True)
_TABLE = types.Array(types.int64, 2, "C", readonly=True)
_ANSWER = types.Array(types.int64, 2, "C")


@njit(types.int64(_COLUMN, types.int64, types.int64, types.int64), cache=True, nogil=True)
def first_at_least(column: Integers, low: Whole, high: Whole, value: Whole) -> Whole:
    """Return the first place in [low, high) of an ascending run that is not below a value; `high` where none is."""
    while low < high:
        middle = (low + high) >> 1
        if column[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@njit(types.int64(_COLUMN, types.int64), cache=True, nogil=True)
def start_of(column: Integers, entity: Whole) -> Whole:
    """Return the place of an entity, or where it would stand, in an ascending column that is not empty.

    Entities are hashes, spread evenly: where one must stand is a good guess, and the search stays near it.
    """
    rows = len(column)
    first, span = np.float64(column[0]), np.float64(column[rows - 1]) - np.float64(column[0])
    share = (np.float64(entity) - first) / span if span > 0 else 0.0
    low = high = int(min(max(share, 0.0), 1.0) * (rows - 1))
    step = 1
    while low > 0 and column[low - 1] >= entity:
        low, step = max(low - step, 0), step * 2
    step = 1
    while high < rows and column[high] < entity:
        high, step = min(high + step, rows), step * 2
    return first_at_least(column, low, high, entity)


@njit(types.int64(_COLUMN, types.int64), cache=True, nogil=True)
def _row_of(ends: Integers, place: Whole) -> Whole:
    """Return the first row of the entity at a place: the same number where each row names its entity."""
    if len(ends) == 0:
        return place
    row: Whole = ends[place - 1] if place > 0 else 0
    return row


@njit(types.int64(_COLUMN, _COLUMN, types.int64, types.int64), cache=True, nogil=True)
def end_of(column: Integers, ends: Integers, place: Whole, entity: Whole) -> Whole:
    """Return the row where the run of an entity ends whose place is known; its first where there is none."""
    if place == len(column) or column[place] != entity:
        return _row_of(ends, place)
    if len(ends):
        end: Whole = ends[place]
        return end
    rows, low, high, step = len(column), place, place, 1
    while high < rows and column[high] == entity:
        low, high, step = high + 1, min(high + step, rows), step * 2
    while low < high:
        middle = (low + high) >> 1
        if column[middle] == entity:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def runs_of(column: Integers, ends: Integers, entities: Integers) -> tuple[Integers, Integers]:
    """Return the rows where the run of each entity begins and ends in a table that is not empty."""
    first, end = np.empty(len(entities), np.int64), np.empty(len(entities), np.int64)
    for asked in range(len(entities)):
        place = start_of(column, entities[asked])
        first[asked] = _row_of(ends, place)
        end[asked] = end_of(column, ends, place, entities[asked])
    return first, end


@njit(types.int64(_COLUMN, _TABLE, types.int64, types.int64), cache=True, nogil=True)
def amount_at(words: Integers, fields: Integers, fact: Whole, row: Whole) -> Whole:
    """Return the amount of a fact in a row (`PackedAmounts`), 0 in row -1: its word, without what stands beside it."""
    bits = 8 * fields[fact, 2]
    if row < 0 or bits == 0:
        return 0
    at = fields[fact, 0] + row * fields[fact, 1]
    amount: Whole = (words[at >> 3] << (64 - bits - 8 * (at & 7))) >> (64 - bits)
    return amount


@njit(types.int64(_COLUMN, _TABLE, types.int64, types.int64, types.int64, types.int64), cache=True, nogil=True)
def _first_lodged(words: Integers, fields: Integers, fact: Whole, low: Whole, high: Whole, count: Whole) -> Whole:
    """Return the first row in [low, high) up to which so many versions were lodged."""
    while low < high:
        middle = (low + high) >> 1
        if amount_at(words, fields, fact, middle) < count:
            low = middle + 1
        else:
            high = middle
    return low


@njit(types.int64(_COLUMN, types.int64, types.int64, types.int64), cache=True, nogil=True)
def _last_before(known_at: Integers, start: Whole, end: Whole, moment: Whole) -> Whole:
    """Return the last row of a run strictly before a moment, -1 where none is."""
    row = first_at_least(known_at, start, end, moment) - 1
    return row if row >= start else -1


@njit(
    types.void(
        *(_COLUMN, _COLUMN, _COLUMN, _COLUMN, _TABLE, types.int64),  # the table
        *(_COLUMN, _COLUMN, _COLUMN, _COLUMN, _TABLE, _TABLE, _TABLE),  # the query
        *(_ANSWER, _ANSWER, _ANSWER),
    ),
    cache=True,
    nogil=True,
)
def scan(
    entity: Integers,
    ends: Integers,
    known_at: Integers,
    words: Integers,
    fields: Integers,
    lodged: Whole,
    order: Integers,
    entities: Integers,
    keys: Integers,
    rows: Integers,
    moments: Integers,
    key_table: Integers,
    sum_table: Integers,
    sums: Integers,
    first: Integers,
    last: Integers,
) -> None:
    """Add what a table holds to an answer.

    entity, ends, known_at, words, fields: the table (`FactTable`, `PackedAmounts`); lodged: the place in FACTS of what
    counts versions. order: places of the entities to be asked for; those of a key together and
    ascending, so that neighbours are neighbours in memory. key_table, sum_table: `QueryPlan`.
    """
    held: Whole = 0
    start: Whole = 0
    end: Whole = -1
    for q in order:
        if end < 0 or entities[q] != held:
            held = entities[q]
            place = start_of(entity, held)
            start, end = _row_of(ends, place), end_of(entity, ends, place, held)
        if start == end:
            continue
        row, key = rows[q], keys[q]
        near = _last_before(known_at, start, end, moments[0, row])
        before: Whole = 0
        since: Whole = -1
        at: Whole = near
        edge: Whole = -1
        for s in range(key_table[key, 0], key_table[key, 1]):
            if sum_table[s, 1] != before:
                before = sum_table[s, 1]
                at = _last_before(known_at, start, end, moments[before, row])
            if sum_table[s, 2] != since:
                since = sum_table[s, 2]
                edge = _last_before(known_at, start, end, moments[since, row]) if since >= 0 else -1
            fact = sum_table[s, 0]
            sums[sum_table[s, 3], row] += amount_at(words, fields, fact, at) - amount_at(words, fields, fact, edge)
        age, count = key_table[key, 2], amount_at(words, fields, lodged, near)
        if age >= 0 and count > 0:
            earliest = known_at[_first_lodged(words, fields, lodged, start, near + 1, 1)]
            latest = known_at[_first_lodged(words, fields, lodged, start, near + 1, count)]
            if first[age, row] == NEVER or earliest < first[age, row]:
                first[age, row] = earliest
            last[age, row] = max(last[age, row], latest)
