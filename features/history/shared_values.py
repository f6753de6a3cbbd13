"""Values that many unlike senders share: what was found with one of them says nothing of another.

A forwarder's telephone is stated by senders who never met. How many consignments bear it, and for how long, anybody may
know, and it stays readable; for what a control found with one of its users, no other answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from features.algebra.tables import Table
from features.history.facts import OUTCOME_FACTS, Integers
from features.history.windows import Floats, Reading, Window

SHARED_KEYS = "shared_keys"  # a column of linking: the keys whose value in this row many unlike senders share


def without_strangers_results(
    readings: Sequence[Reading], columns: Mapping[str, Floats], rows: Table
) -> Mapping[str, Floats]:
    """Return readings of history with the control results under a shared key unknown, in the rows that share it.

    columns: one number a row for each reading; rows: those rows, with SHARED_KEYS where they were linked. Results go
    on being counted, for a value may turn out to be one party's.
    """
    sharing = _rows_by_key(rows)
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
