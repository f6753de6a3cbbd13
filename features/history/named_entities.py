"""The entities that rows name under a key, as flat arrays: what history is asked of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.tables import Lists, Table
from features.history.facts import KEYS, Integers

MEMBERS = "network_members"  # a list of card entities
NETWORK = "network"  # read as all its cards together: what a card did counts from the day on which it was linked
FEW = 64  # rows whose lists go by Python
READ_KEYS = (*(key.name for key in KEYS), NETWORK)


@dataclass(slots=True, eq=False)
class NamedEntities:
    """The entities that rows name under some keys: row `rows[i]` names `entities[i]` under the key at `keys[i]`.

    Keys ascend, and so do the rows of a key; a row names none, one or several. keys: places in a list of keys.
    """

    entities: Integers
    keys: Integers
    rows: Integers

    def between(self, start: int, stop: int) -> NamedEntities:
        """Return those of the rows from `start` to before `stop`, which count from 0."""
        within = (self.rows >= start) & (self.rows < stop)
        return NamedEntities(self.entities[within], self.keys[within], self.rows[within] - start)


def named_by(rows: Table, keys: Sequence[str]) -> NamedEntities:
    """Return the entities that rows name under some keys, the network last; none of it where nobody has been linked."""
    columns = [rows.whole(f"{key}_entity") for key in keys if key != NETWORK]
    places = np.array([place for place, key in enumerate(keys) if key != NETWORK], np.int64)
    entities = np.array([column.values for column in columns], np.int64).reshape(len(columns), len(rows))
    all_known = np.ones(len(rows), np.bool_)
    known = np.array([all_known if c.known is None else c.known for c in columns], np.bool_).reshape(entities.shape)
    at = np.flatnonzero(known)
    key, row = np.divmod(at, max(len(rows), 1))
    named = NamedEntities(entities.ravel()[at], places[key], row)
    if NETWORK not in keys or MEMBERS not in rows:
        return named
    members, of_row = _members(rows.lists(MEMBERS))
    of_network = np.full(len(members), keys.index(NETWORK))
    parts = (named.entities, members), (named.keys, of_network), (named.rows, of_row)
    return NamedEntities(*(np.concatenate(part) for part in parts))


def _members(column: Lists | pl.Series) -> tuple[Integers, Integers]:
    """Return the entities of a column of lists, one row after the other, and the row of each."""
    if isinstance(column, pl.Series) and len(column) < FEW:
        column = Lists(column.to_list(), column.dtype)
    if isinstance(column, Lists):
        lists = [members or () for members in column.rows]
        counts = np.array(list(map(len, lists)), np.int64)
        each = np.fromiter(chain.from_iterable(lists), np.int64, int(counts.sum()))
        return each, np.repeat(np.arange(len(lists)), counts)
    arrow = column.to_arrow()
    counts = np.where(column.is_not_null().to_numpy(), np.diff(arrow.offsets.to_numpy()), 0)
    return _integers(arrow.flatten().to_numpy()), np.repeat(np.arange(len(counts)), counts)


def _integers(values: npt.NDArray[Any]) -> Integers:
    """Return entities as they are hashed, where the type of none says otherwise."""
    return values.astype(np.int64, copy=False)
