"""Verification of settled decisions: each file against its entry on the audit log, decision by decision."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from service.record.decision_check import DecisionCheck, decisions_with_basis
from service.record.hash_tree import root_of
from service.record.record_rows import sha256_of_body
from service.record.settling import SEGMENT, segment_content
from service.store.database import Store
from service.store.queries import in_lists
from service.store.record_files import GROUP, RecordGone, sha256_of
from service.store.record_tables import RECORD_LIFTED
from service.store.settled_rows import LEAF, Segment, lifted_places, rows_at, segments_listed
from service.store.tables import CALLS, CHAIN, DECISIONS, DECLARATIONS

Row = Mapping[str, Any]


def faults_of_files(store: Store, connection: sa.Connection) -> Iterator[str]:
    """Yield in words what differs in settled decisions from what the audit log vouches for."""
    listing = connection.execute(sa.select(CHAIN).where(CHAIN.c.kind == SEGMENT)).mappings()
    entries: dict[str, Row] = {row["subject"]: dict(row) for row in listing}
    segments = {segment.segment_id: segment for segment in segments_listed(connection, anew=True)}
    for subject in sorted(entries.keys() - segments.keys()):
        yield f"entry {entries[subject]['number']}: its file of settled decisions is not listed any more"
    check = DecisionCheck()
    for segment_id, segment in segments.items():
        if segment_id not in entries:
            yield f"settled decisions {segment.file}: the list names them and the audit log does not"
            continue
        number = entries[segment_id]["number"]
        for fault in _of_file(store, connection, segment, entries[segment_id], check):
            yield f"entry {number}: {fault}"


def _of_file(
    store: Store, connection: sa.Connection, segment: Segment, entry: Row, check: DecisionCheck
) -> Iterator[str]:
    for name, sha256 in ((segment.file, segment.file_sha256), (segment.keys, segment.keys_sha256)):
        try:
            if sha256_of(store.records.folder / name) != sha256:
                yield f"settled decisions {name}: the file was changed"
                return
        except OSError:
            yield f"settled decisions {name}: the file is missing"
            return
    try:
        yield from _of_rows(store, connection, segment, entry, check)
    except RecordGone as fault:
        yield str(fault)


def _of_rows(
    store: Store, connection: sa.Connection, segment: Segment, entry: Row, check: DecisionCheck
) -> Iterator[str]:
    leaves = store.records.rows(segment.file, [LEAF]).column(LEAF).to_pylist()
    basis = connection.execute(sa.select(CALLS.c.basis).where(CALLS.c.call_id == segment.call_id)).scalar()
    promised = json.loads(entry["content"])
    if root_of(leaves) != promised["root"] or segment.root != promised["root"]:
        yield "its decisions are not those that were settled: their hashes come to another root"
        return
    if len(leaves) != promised["rows"] or segment.rows != promised["rows"]:
        yield "it has not as many decisions as were settled"
        return
    sha256 = None if basis is None else sha256_of_body(basis)
    if segment_content(segment.call_id, segment.root, segment.rows, str(sha256)) != entry["content"]:
        yield "the call of its decisions was changed or removed"
        return
    lifted = lifted_places(connection, segment)
    for start in range(0, segment.rows, GROUP):
        places = np.setdiff1d(np.arange(start, min(start + GROUP, segment.rows)), lifted)
        if len(places):
            yield from _of_places(connection, segment, places, leaves, basis, check)
    yield from _of_lifted(connection, segment, lifted, leaves, check)


def _of_places(
    connection: sa.Connection, segment: Segment, places: Any, leaves: Sequence[str], basis: Any, check: DecisionCheck
) -> Iterator[str]:
    decided = rows_at(connection, DECISIONS, DECISIONS.c.keys(), segment, places)
    declared = rows_at(connection, DECLARATIONS, ("content_sha256", "body", "office", "sender"), segment, places)
    for place, decision, of in zip(places.tolist(), decided, declared, strict=True):
        row = joined(decision, of, basis)
        if fault := check.differs(connection, row, leaves[place], settled=True):
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
            yield from _of_erased(connection, row)
        elif fault := check.differs(connection, row, leaves[place], settled=True):
            yield f"decision {number}: {fault}"


def _of_erased(connection: sa.Connection, row: Row) -> Iterator[str]:
    still = sa.select(RECORD_LIFTED.c.blank).where(RECORD_LIFTED.c.decision_id == row["decision_id"])
    if not connection.execute(still).scalar():
        yield f"decision {row['decision_id']}: it was erased, and its content still stands in its file"
    erased = sa.select(sa.func.count()).select_from(CHAIN)
    noted = erased.where(CHAIN.c.kind == "erasure", CHAIN.c.subject == row["decision_id"])
    if connection.execute(noted).scalar_one() == 0:
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
