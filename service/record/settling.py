"""Decisions of a large message that customs does nothing about, written to a file before the transaction that lists it.

Of a day, most decisions are looked at by nobody: they ask for no check and no document, wait for nothing, and are of
consignments that nothing is on record of yet. Where the declarant is asked for information or an amendment, a short row
of RECORD_WORK says so. Their file is complete on disk before the write lock is taken; the transaction looks once more
whether all of them are still new, and lists the file with one entry of the audit log over them all. Where they are not,
the file is deleted and everything goes into rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.consignment import Consignments
from features.history.fact_columns import Versions
from features.model_rows import Rows
from service.canonical import canonical
from service.orientation.decisions import Decisions
from service.orientation.lanes import Check, Lane, PostClearance, PreArrival, Track
from service.record.audit_log import Entry, append, tail
from service.record.hash_tree import root_of
from service.record.record_rows import PART
from service.record.settled_columns import settled_table
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store
from service.store.driver import Prepared, among
from service.store.queries import in_lists
from service.store.record_files import Written
from service.store.record_tables import RECORD_SEGMENTS, RECORD_WORK
from service.store.settled_rows import LEAF, Segment, is_settled, note_files_changed, segments_listed
from service.store.tables import DECLARATIONS, EARLY_RESULTS, OUTCOMES

SEGMENT = "segment"  # the kind of the entry that vouches for a file
OF_OTHERS = (PreArrival.request_information.name, PreArrival.request_amendment.name)  # the declarant is asked
ASKED = (PreArrival.no_risk.name, *OF_OTHERS)
NOTHING = {
    "clearance": Lane.green.name,
    "check": Check.none.name,
    "post_clearance": PostClearance.none.name,
    "track": Track.none.name,
}
ON_RECORD = tuple(
    Prepared(sa.select(table.c.consignment_id).where(among(table.c.consignment_id)))
    for table in (DECLARATIONS, OUTCOMES, EARLY_RESULTS)
)
Flags = npt.NDArray[np.bool_]
SHOWN_AS_WORK = [column.name for column in RECORD_WORK.c if column.name != "networked"]
Row = dict[str, Any]


class Stale(Exception):
    """Something of these decisions came on record meanwhile: they go into rows."""


@dataclass(slots=True)
class Settled:
    """Decisions of a message in a file that no list names yet.

    places: of the message, ascending. given: the decisions of the message that go into rows, by place. names: their
    consignments. after: the last entry of the audit log when it was looked what is on record. leaves, root: of the tree
    over them. days: of lodging. work: rows of RECORD_WORK.
    """

    call_id: str
    after: int
    written: Written | None = None
    places: list[int] = field(default_factory=list)
    given: dict[int, Row] = field(default_factory=dict)
    names: list[str] = field(default_factory=list)
    leaves: list[str] = field(default_factory=list)
    root: str = ""
    days: list[int] = field(default_factory=list)
    work: list[Row] = field(default_factory=list)


def settle_quiet(
    store: Store, decisions: Decisions, rows: Rows, consignments: Consignments, stated: Versions, call_id: str
) -> Settled | None:
    """Write the quiet decisions of a large message to a file; None where it is not large, or none is quiet."""
    if not store.records.usable or len(consignments) < store.records.at_least:
        return None
    with store.reading() as connection:
        settled = Settled(call_id, tail(connection)[0])
        fresh = _fresh(connection, consignments)
    parts = _parts(store, settled, decisions, rows, consignments, stated, fresh)
    first = next(parts, None)
    if first is None:
        return None
    settled.written = store.records.write(chain([first], parts))
    settled.root = root_of(settled.leaves)
    return settled


def list_segment(connection: sa.Connection, settled: Settled, decided_at: int, basis: str) -> None:
    """List a file in the caller's transaction, with its entry on the audit log. basis: hash of the circumstances."""
    written = settled.written
    if written is None:
        raise ValueError("nothing was written that could be listed")
    segment_id = written.file.partition(".")[0]
    insert_many(connection, RECORD_SEGMENTS, [{
        "segment_id": segment_id, "call_id": settled.call_id, "rows": written.rows, "root": settled.root,
        "first_day": min(settled.days), "last_day": max(settled.days), "decided_at": decided_at,
        "file": written.file, "file_sha256": written.file_sha256,
        "keys": written.keys, "keys_sha256": written.keys_sha256, "archived": False,
    }])  # fmt: skip
    insert_many(connection, RECORD_WORK, settled.work)
    note_files_changed(connection)
    content = segment_content(settled.call_id, settled.root, written.rows, basis)
    append(connection, [Entry(SEGMENT, segment_id, content)], decided_at)


def segment_content(call_id: str, root: str, rows: int, basis: str) -> str:
    """Return what the audit log holds of a file."""
    return canonical({"root": root, "rows": rows, "call": call_id, "basis": basis}).decode()


def require_fresh(connection: sa.Connection, settled: Settled) -> None:
    """Raise Stale where any of these decisions came on record since it was looked."""
    if tail(connection)[0] != settled.after and _known(connection, settled.names):
        raise Stale


def mark_archived(segment: Segment, connection: sa.Connection) -> None:
    """Note that the archive has what a file declares."""
    update_rows(connection, RECORD_SEGMENTS, {"archived": True}, RECORD_SEGMENTS.c.segment_id == segment.segment_id)
    note_files_changed(connection)


def drop_unlisted(store: Store, settled: Settled) -> None:
    """Delete a file, unless the database lists it."""
    if settled.written is None:
        return
    with store.reading() as connection:
        listed = {segment.file for segment in segments_listed(connection, anew=True)}
    if settled.written.file not in listed:
        store.records.delete([settled.written.file, settled.written.keys])


def _fresh(connection: sa.Connection, consignments: Consignments) -> Flags:
    """Say of each consignment whether nothing of it is on record, and it is in the message once.

    The first of each message stays out: whose a message is, is looked up by it.
    """
    declared = consignments.declared
    names, messages = declared.values("consignment_id"), declared.values("message_id")
    times, known = Counter(names), _known(connection, names)
    first: dict[str, str] = {}
    for name, message in zip(names, messages, strict=True):
        first[message] = min(first.get(message, name), name)
    heads = set(first.values())
    fresh = [times[name] == 1 and name not in known and name not in heads for name in names]
    return np.array(fresh, np.bool_)


def _known(connection: sa.Connection, names: Sequence[str]) -> set[str]:
    """Return the consignments of which anything is on record."""
    found = is_settled(connection, names)
    for batch in in_lists(names):
        for statement in ON_RECORD:
            found.update(name for (name,) in statement.rows(connection, among=batch))
    return found


def _parts(
    store: Store,
    settled: Settled,
    decisions: Decisions,
    rows: Rows,
    consignments: Consignments,
    stated: Versions,
    fresh: Flags,
) -> Iterator[pa.Table]:
    """Yield the quiet decisions in parts, as files have them; notes those that are not."""
    if decisions.taken is None:
        raise ValueError("decisions without what they take cannot be recorded")
    for start in range(0, len(consignments), PART):
        end = min(start + PART, len(consignments))
        decided = decisions.texts(start, end)
        quiet = fresh[start:end] & _are_quiet(decided) & ~decisions.taken.held[start:end]
        settled.given.update({start + at: decisions.rows[start + at] for at in np.flatnonzero(~quiet).tolist()})
        if not quiet.any():
            continue
        at = np.flatnonzero(quiet)
        places = (at + start).tolist()
        yield _noted(settled, settled_table(
            decided[at], decisions.taken.where(places), rows.at(places), consignments.between(start, end).at(at),
            stated.where(places), store.pseudonyms, settled.call_id, places,
        ))  # fmt: skip


def _are_quiet(decided: pl.DataFrame) -> Flags:
    """Select decisions by which customs is asked to do nothing, and that wait for nothing of its own."""
    asks_nothing = [
        pl.col("pre_arrival").is_in(ASKED),
        *(pl.col(of) == nothing for of, nothing in NOTHING.items()),
    ]
    quiet: Flags = (
        decided.select(pl.all_horizontal(*asks_nothing, pl.col("degraded_reasons") == "[]")).to_series().to_numpy()
    )
    return quiet


def _noted(settled: Settled, table: pa.Table) -> pa.Table:
    """Note what is to be known of a part of a file."""
    settled.places += table.column("place").to_pylist()
    settled.names += table.column("consignment_id").to_pylist()
    settled.leaves += table.column(LEAF).to_pylist()
    settled.days += table.column("day").to_pylist()
    asks = table.filter(pc.not_equal(table.column("pre_arrival"), PreArrival.no_risk.name))
    networks = asks.column("network").is_valid()
    settled.work += asks.select(SHOWN_AS_WORK).append_column("networked", networks).to_pylist()
    return table
