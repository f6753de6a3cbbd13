"""Values that many unlike senders share: what was found with one of them says nothing of another.

A forwarder's telephone is stated by senders who never met. How many consignments bear it, and for how long, anybody may
know, and it stays readable; for what a control found with one of its users, no other answers. Where controls have found
two of them, who have nothing else in common, it is the warehouse or the telephone that has a record, and it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from features.algebra.tables import Lists, Table
from features.history.facts import OUTCOME_FACTS, Integers
from features.history.queries import HistoryQuery, KeyQuery, QueryPlan, Sum
from features.history.totals import TotalsReader
from features.history.windows import Floats, Reading, Window

SHARED_KEYS = "shared_keys"  # a column of linking: the keys whose value in this row many unlike senders share
SHARERS = "sharers"  # another: of each other sender that states such a value, place in OF_SEVERAL, card and name
OF_SEVERAL = ("phone", "mailbox", "account", "shop", "address")  # keys that have a record of their own
SEVERAL = 2  # other names found: one may be anybody
FEW_SHARERS = 64  # cards; of values that more state nobody is asked
FOUND = "hits"
HITS_OF_CARDS = QueryPlan.of(KeyQuery((Sum(FOUND),)))


def without_strangers_results(
    readings: Sequence[Reading],
    columns: Mapping[str, Floats],
    rows: Table,
    lodged_at: Integers,
    history: TotalsReader,
) -> Mapping[str, Floats]:
    """Return readings of history with the control results under a shared key unknown, in the rows that share it.

    columns: one number a row for each reading; rows: those rows, with SHARED_KEYS and SHARERS where they were linked,
    lodged at these microseconds. Results go on being counted, for a value may turn out to be one party's.
    """
    sharing = _rows_by_key(rows)
    if sharing and SHARERS in rows:
        sharing = _without_records(sharing, columns, rows, lodged_at, history)
    of_shared = [
        reading
        for reading in readings
        if reading.key in sharing and isinstance(reading, Window) and reading.fact in OUTCOME_FACTS
    ]
    return {**columns, **{reading.name: _unread(columns[reading.name], sharing[reading.key]) for reading in of_shared}}


def _unread(column: Floats, rows: Integers) -> Floats:
    unread = column.copy()
    unread[rows] = np.nan
    return unread


def _rows_by_key(linked: Table) -> dict[str, Integers]:
    """Return for each shared key the rows that share it."""
    if SHARED_KEYS not in linked:
        return {}
    rows: dict[str, list[int]] = {}
    for row, keys in enumerate(linked.values(SHARED_KEYS)):
        for key in keys or ():
            rows.setdefault(key, []).append(row)
    return {key: np.array(of_key, np.int64) for key, of_key in rows.items()}


def _without_records(
    sharing: Mapping[str, Integers],
    columns: Mapping[str, Floats],
    rows: Table,
    lodged_at: Integers,
    history: TotalsReader,
) -> dict[str, Integers]:
    """Return the rows that share each key, without those whose value has a record: SEVERAL other names were found."""
    row, key, card, name = _sharers(sharing, columns, rows)
    if not len(row):
        return dict(sharing)
    places = np.arange(len(row))
    asked = HistoryQuery(HITS_OF_CARDS, card, np.zeros(len(row), np.int64), places, lodged_at[row][np.newaxis])
    found = history.totals_before(asked).sums[0] > 0
    each = np.unique(np.stack([key[found], row[found], name[found]]), axis=1)
    recorded, names = np.unique(each[:2], axis=1, return_counts=True)
    key, row = recorded[:, names >= SEVERAL]
    return {
        of: np.setdiff1d(sharers, row[key == OF_SEVERAL.index(of)]) if of in OF_SEVERAL else sharers
        for of, sharers in sharing.items()
    }


def _sharers(
    sharing: Mapping[str, Integers], columns: Mapping[str, Floats], rows: Table
) -> tuple[Integers, Integers, Integers, Integers]:
    """Return row, key, card and name of every sharer that is worth asking for: of keys with so many findings."""
    worth = np.zeros((len(OF_SEVERAL), len(rows)), np.bool_)
    for place, of in enumerate(OF_SEVERAL):
        if of in sharing:
            worth[place, sharing[of]] = True
            findings = columns.get(f"{of}_{FOUND}_ever")
            if findings is not None:
                worth[place] &= findings >= SEVERAL
    asked = np.flatnonzero(worth.any(axis=0))
    lists = _lists_of(rows.lists(SHARERS), asked) if len(asked) else []
    stated = np.array([number for of_row in lists for number in of_row], np.int64).reshape(-1, 3)
    row = np.repeat(asked, [len(of_row) // 3 for of_row in lists])
    chosen = worth[stated[:, 0], row] if len(row) else np.zeros(0, np.bool_)
    key, card, name = np.ascontiguousarray(stated[chosen].T)
    return row[chosen], key, card, name


def _lists_of(column: Lists | pl.Series, rows: Integers) -> Sequence[Any]:
    return column.taken(rows).rows if isinstance(column, Lists) else column.gather(rows).to_list()
