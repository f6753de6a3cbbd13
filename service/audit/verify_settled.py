"""Verification of settled decisions: each file against its entry on the audit log, decision by decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import sqlalchemy as sa

from service.audit.verified_point import Seen
from service.audit.verify_columns import Flags, columns_compared, holding
from service.record.decision_check import DecisionCheck, decisions_with_basis
from service.record.emptying import content_left
from service.record.hash_tree import root_of
from service.record.record_kind import entries_about
from service.record.record_rows import sha256_of_body
from service.record.settled_proof import ERASURE
from service.record.settling import SEGMENT, segment_content
from service.store.database import Store
from service.store.opened_record import Places
from service.store.queries import in_lists
from service.store.record_files import RecordGone, sha256_of
from service.store.record_tables import RECORD_LIFTED
from service.store.settled_rows import LEAF, Segment, lifted_places, rows_at, segments_listed
from service.store.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS

Row = Mapping[str, Any]
OTHER_ROOT = "its decisions are not those that were settled: their hashes come to another root"
OTHER_ROWS = "it has not as many decisions as were settled"


@dataclass
class Files:
    """Files of settled decisions, compared with what the audit log vouches for.

    before: files as they were when the record was last verified; one that is the same by its hash is not read again.
    seen: all as they are now. unread: how many were not read.
    """

    store: Store
    connection: sa.Connection
    before: Mapping[str, Seen] = field(default_factory=dict)
    seen: dict[str, Seen] = field(default_factory=dict)
    unread: int = 0

    def faults(self) -> Iterator[str]:
        """Yield in words what differs."""
        listing = self.connection.execute(sa.select(CHAIN).where(CHAIN.c.kind == SEGMENT)).mappings()
        entries: dict[str, Row] = {row["subject"]: dict(row) for row in listing}
        segments = {segment.segment_id: segment for segment in segments_listed(self.connection, anew=True)}
        for subject in sorted(entries.keys() - segments.keys()):
            yield f"entry {entries[subject]['number']}: its file of settled decisions is not listed any more"
        check = DecisionCheck()
        for segment_id, segment in segments.items():
            if segment_id not in entries:
                yield f"settled decisions {segment.file}: the list names them and the audit log does not"
                continue
            for fault in self._of_file(segment, entries[segment_id], check):
                yield f"entry {entries[segment_id]['number']}: {fault}"

    def _of_file(self, segment: Segment, entry: Row, check: DecisionCheck) -> Iterator[str]:
        for name, sha256 in ((segment.file, segment.file_sha256), (segment.keys, segment.keys_sha256)):
            try:
                if sha256_of(self.store.records.folder / name) != sha256:
                    yield f"settled decisions {name}: the file was changed"
                    return
            except OSError:
                yield f"settled decisions {name}: the file is missing"
                return
        lifted = lifted_places(self.connection, segment)
        self.seen[segment.segment_id] = segment.file_sha256, segment.keys_sha256, len(lifted)
        try:
            yield from self._of_content(segment, entry, lifted, check)
        except RecordGone as fault:
            yield str(fault)

    def _of_content(self, segment: Segment, entry: Row, lifted: Places, check: DecisionCheck) -> Iterator[str]:
        promised = json.loads(entry["content"])
        if segment.root != promised["root"]:
            yield OTHER_ROOT
        elif segment.rows != promised["rows"]:
            yield OTHER_ROWS
        elif self._is_known(segment):
            self.unread += 1
            if self.before[segment.segment_id][2] != len(lifted):
                leaves = self.store.records.rows(segment.file, [LEAF]).column(LEAF).to_pylist()
                yield from _of_lifted(self.connection, segment, lifted, leaves, check)
        else:
            yield from _of_rows(self.store, self.connection, segment, entry, lifted, check)

    def _is_known(self, segment: Segment) -> bool:
        before = self.before.get(segment.segment_id)
        return before is not None and before[:2] == (segment.file_sha256, segment.keys_sha256)


def _of_rows(
    store: Store, connection: sa.Connection, segment: Segment, entry: Row, lifted: Places, check: DecisionCheck
) -> Iterator[str]:
    leaves = store.records.rows(segment.file, [LEAF]).column(LEAF).to_pylist()
    basis = connection.execute(sa.select(CALLS.c.basis).where(CALLS.c.call_id == segment.call_id)).scalar()
    if root_of(leaves) != segment.root:
        yield OTHER_ROOT
        return
    if len(leaves) != segment.rows:
        yield OTHER_ROWS
        return
    sha256 = None if basis is None else sha256_of_body(basis)
    if segment_content(segment.call_id, segment.root, segment.rows, str(sha256)) != entry["content"]:
        yield "the call of its decisions was changed or removed"
        return
    if not store.records.even(segment.file):
        yield "its decisions do not lie in groups of one size: others would be found in their place"
        return
    if not store.records.keys_fit(segment.file, segment.keys):
        yield f"settled decisions {segment.keys}: its keys are not those of the decisions"
        return
    if store.records.is_emptied(segment.file):
        yield from _of_emptied(store, connection, segment, lifted)
        yield from _of_lifted(connection, segment, lifted, leaves, check)
        return
    start = 0
    for group in store.records.frames(segment.file, columns_compared(store.records.columns(segment.file))):
        within = np.setdiff1d(np.arange(start, start + group.height), lifted) - start
        rows = group if len(within) == group.height else group[within]
        others = within[~_hold(store, connection, segment, rows, basis, check)]
        if len(others):
            yield from _of_places(connection, segment, others + start, leaves, basis, check)
        start += group.height
    yield from _of_lifted(connection, segment, lifted, leaves, check)


def _hold(
    store: Store, connection: sa.Connection, segment: Segment, group: pl.DataFrame, basis: Any, check: DecisionCheck
) -> Flags:
    """Say of each row of a group whether it holds as its columns have it."""
    if not isinstance(basis, Mapping) or not check.policy_holds(connection, basis["policy_sha256"]):
        return np.zeros(group.height, np.bool_)
    return holding(group, store.records.layout(segment.file), segment.call_id, basis, check.passed_on(connection))


def _of_places(
    connection: sa.Connection, segment: Segment, places: Any, leaves: Sequence[str], basis: Any, check: DecisionCheck
) -> Iterator[str]:
    decided = rows_at(connection, DECISIONS, DECISIONS.c.keys(), segment, places)
    declared = rows_at(connection, DECLARATIONS, ("content_sha256", "body", "office", "sender"), segment, places)
    for place, decision, of in zip(places.tolist(), decided, declared, strict=True):
        row = joined(decision, of, basis)
        if decision["salt"] is None:
            yield f"decision {decision['decision_id']}: its content was removed and no erasure is on the chain"
        elif fault := check.differs(connection, row, leaves[place], settled=True):
            yield f"decision {decision['decision_id']}: {fault}"


def _of_lifted(
    connection: sa.Connection, segment: Segment, lifted: Any, leaves: Sequence[str], check: DecisionCheck
) -> Iterator[str]:
    """Yield what differs in the rows of decisions that were lifted from a file."""
    numbers = dict(zip(_numbers(connection, segment, lifted), lifted.tolist(), strict=True))
    rows: dict[str, Row] = {}
    for batch in in_lists(list(numbers)):
        query = decisions_with_basis().where(DECISIONS.c.decision_id.in_(batch))
        rows |= {row["decision_id"]: dict(row) for row in connection.execute(query).mappings()}
    for number, place in numbers.items():
        row = rows.get(number)
        if row is None:
            yield f"decision {number}: it was lifted from its file and is not in the store"
        elif row["salt"] is None:
            yield from _of_erased(connection, row, segment)
        elif fault := check.differs(connection, row, leaves[place], settled=True):
            yield f"decision {number}: {fault}"


def _of_emptied(store: Store, connection: sa.Connection, segment: Segment, lifted: Places) -> Iterator[str]:
    """Demand of a file whose content was erased that nothing is left, and that the log says who erased it."""
    if not entries_about(connection, ERASURE, [segment.segment_id]):
        yield "its content was removed and no erasure is on the chain"
    rows = store.records.rows(segment.file, store.records.columns(segment.file))
    left = rows.take(pa.array(np.setdiff1d(np.arange(segment.rows), lifted)))
    if content_left(left):
        yield "content stands in its file, which was erased"


def _of_erased(connection: sa.Connection, row: Row, segment: Segment) -> Iterator[str]:
    still = sa.select(RECORD_LIFTED.c.blank).where(RECORD_LIFTED.c.decision_id == row["decision_id"])
    if not connection.execute(still).scalar():
        yield f"decision {row['decision_id']}: it was erased, and its content still stands in its file"
    if not entries_about(connection, ERASURE, [row["decision_id"], segment.segment_id]):
        yield f"decision {row['decision_id']}: its content was removed and no erasure is on the chain"
    if row["body"] or row["row_as_scored"] is not None:
        yield f"decision {row['decision_id']}: content stands in its row, which was erased"


def joined(decision: Row, declared: Row, basis: Any) -> dict[str, Any]:
    """Return a decision with what `DecisionCheck` compares beside it."""
    beside = {"content_sha256": declared["content_sha256"], "declared": declared["body"], "basis": basis}
    return {**decision, **beside, "owner_office": declared["office"], "owner_sender": declared["sender"]}


def _numbers(connection: sa.Connection, segment: Segment, lifted: Any) -> list[str]:
    return (
        [row["decision_id"] for row in rows_at(connection, DECISIONS, ["decision_id"], segment, lifted)]
        if len(lifted)
        else []
    )
