"""What vouches for a decision that went to a file: the entry of the file, and its way through the tree over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.record.hash_tree import Step, way_of
from service.record.record_kind import entries_about
from service.record.settling import SEGMENT
from service.store.record_files import DECISION
from service.store.settled_rows import LEAF, located
from service.store.store_key import records_in

Row = dict[str, Any]
ERASURE = "erasure"  # the kind of the entry that says who erased something


@dataclass(frozen=True, slots=True)
class Proof:
    """The place of a decision in a file, and what stands on the audit log of that.

    entry: of the file. leaf: the salted hash of the decision. way: the siblings on the way from it to the root.
    """

    decision_id: str
    entry: Row
    place: int
    leaf: str
    way: Sequence[Step]

    def as_json(self) -> Row:
        """Write it for a dossier: the entry, with the way to it."""
        way = [{"side": side, "hash": sibling} for side, sibling in self.way]
        return {**self.entry, "leaf": self.leaf, "place": self.place, "way": way}

    def as_entry(self) -> Row:
        """Write it as the entry that the decision would have, were it alone."""
        return {**self.entry, "kind": "decision", "subject": self.decision_id, "content": self.leaf}


def erasures_of_files(connection: sa.Connection, decision_ids: Sequence[str]) -> list[Row]:
    """Return the entries that say who erased some decisions with all of their file, as if each had its own.

    decision_ids: of decisions that were erased.
    """
    by_itself = {entry["subject"] for entry in entries_about(connection, ERASURE, decision_ids)}
    apart = [number for number in decision_ids if number not in by_itself]
    return [
        {**entry, "subject": number}
        for segment, _, numbers in located(connection, apart, DECISION)
        for entry in entries_about(connection, ERASURE, [segment.segment_id])
        for number in numbers
    ]


def proofs_of(connection: sa.Connection, decision_ids: Sequence[str]) -> list[Proof]:
    """Return the proofs of those of some decisions that went to files, wherever they stand now."""
    found: list[Proof] = []
    for segment, places, numbers in located(connection, decision_ids, DECISION):
        leaves = records_in(connection).rows(segment.file, [LEAF]).column(LEAF).to_pylist()
        (entry,) = entries_about(connection, SEGMENT, [segment.segment_id])
        found += [
            Proof(number, dict(entry), place, leaves[place], way_of(leaves, place))
            for place, number in zip(places.tolist(), numbers, strict=True)
        ]
    return found
