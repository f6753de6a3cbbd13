"""The entities that rows name under a key, as flat arrays: what history is asked of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.tables import Table
from features.history.facts import KEYS, Integers

MEMBERS = "network_members"  # a list of card entities
NETWORK = "network"  # read as all its cards together: what a card did counts from the day on which it was linked
FEW = 64  # rows whose lists go by Python
READ_KEYS = (*(key.name for key in KEYS), NETWORK)


@dataclass(frozen=True, slots=True)
class NamedEntities:
    """The entities of one key: row `rows[i]`, ascending, names `entities[i]`; a row names none, one or several."""

    entities: Integers
    rows: Integers

    @classmethod
    def of_column(cls, entities: Integers, known: npt.NDArray[np.bool_] | None = None) -> NamedEntities:
        """Return those of a column of one entity a row, without the rows where it is not known."""
        if known is None:
            return cls(entities, np.arange(len(entities)))
        rows = np.flatnonzero(known)
        return cls(entities[rows], rows)

    @classmethod
    def of_lists(cls, column: pl.Series) -> NamedEntities:
        """Return those of a column of lists of entities, null where unknown."""
        if len(column) < FEW:
            lists = [members or () for members in column.to_list()]
            each = [entity for members in lists for entity in members]
            return cls(np.array(each, np.int64), np.repeat(np.arange(len(lists)), [len(members) for members in lists]))
        arrow = column.to_arrow()
        counts = np.where(column.is_not_null().to_numpy(), np.diff(arrow.offsets.to_numpy()), 0)
        return cls(_integers(arrow.flatten().to_numpy()), np.repeat(np.arange(len(counts)), counts))

    def between(self, start: int, stop: int) -> NamedEntities:
        """Return those of the rows from `start` to before `stop`, which count from 0."""
        low, high = np.searchsorted(self.rows, (start, stop))
        return NamedEntities(self.entities[low:high], self.rows[low:high] - start)


def _integers(values: npt.NDArray[Any]) -> Integers:
    """Return entities as they are hashed, where the type of none says otherwise."""
    return values.astype(np.int64, copy=False)


def named_by(rows: Table, keys: Iterable[str]) -> dict[str, NamedEntities]:
    """Return the entities that rows name under some keys; no network where nobody has been linked."""
    named = {}
    for key in keys:
        if key != NETWORK:
            entities = rows.whole(f"{key}_entity")
            named[key] = NamedEntities.of_column(entities.values, entities.known)
        elif MEMBERS in rows:
            named[key] = NamedEntities.of_lists(rows.series(MEMBERS))
    return named


def part_of(named: Mapping[str, NamedEntities], start: int, stop: int) -> dict[str, NamedEntities]:
    """Return the entities of some rows, of each key."""
    return {key: of_key.between(start, stop) for key, of_key in named.items()}
