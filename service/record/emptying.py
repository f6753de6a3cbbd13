"""A file of which everything is to be erased is emptied whole: none of its decisions is lifted into rows before.

What an erasure leaves in rows stays in a file that takes its place: numbers, lanes, days, the leaf of each. It is found
and counted as those rows would be, its entry on the audit log still vouches for it, and one entry says who erased it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from service.orientation.lanes import PreArrival
from service.record.blanking import GRACE, STAYS, replace_file
from service.store.bulk_rows import delete_keys, update_rows
from service.store.database import Store
from service.store.opened_record import Places
from service.store.record_files import Written
from service.store.record_tables import RECORD_LIFTED, RECORD_SEGMENTS, RECORD_WORK
from service.store.settled_layout import EMPTIED
from service.store.settled_rows import (
    CONTENT_SHA256,
    DECLARED,
    Segment,
    column_in_file,
    lifted_places,
    segments_listed,
)
from service.store.tables import DECISIONS, DECLARATIONS, ERASED

NOTHING = {"body": "{}", CONTENT_SHA256: ERASED}  # of every decision: what an erasure writes in the place of a content
TAKEN = ("salt", "body", "row_as_scored", "network", *(f"{DECLARED}{name}" for name in ("body", "stated", "card")))
WORK = ("office", "day", "decision_id")


@dataclass(slots=True)
class Emptied:
    """A file that was written in the place of another, and is not listed yet.

    lifted: places of decisions that stood in rows then. names: of the consignments that did not. work: the keys of
    those that were on a work list.
    """

    segment: Segment
    lifted: Places
    names: list[str] = field(default_factory=list)
    work: list[tuple[Any, ...]] = field(default_factory=list)
    written: Written | None = None


def empty_whole(store: Store, consignment_ids: Collection[str]) -> list[Emptied]:
    """Write anew, without its content, each file all of whose decisions that do not stand in rows are meant."""
    if not store.records.usable or not consignment_ids:
        return []
    wanted = set(consignment_ids)
    with store.reading() as connection:
        each = [Emptied(segment, lifted_places(connection, segment)) for segment in segments_listed(connection)]
    whole = [one for one in each if _is_whole(store, one, wanted)]
    for one in whole:
        one.written = store.records.write(_without_content(store, one))
    return whole


def list_emptied(connection: sa.Connection, one: Emptied) -> bool:
    """Let an emptied file take the place of its former one; False where somebody touched what is in it meanwhile."""
    if one.written is None or not np.array_equal(lifted_places(connection, one.segment), one.lifted):
        return False
    if not replace_file(connection, one.segment, one.written):
        return False
    of_file = (table.c.segment_id == one.segment.segment_id for table in (RECORD_SEGMENTS, RECORD_LIFTED))
    update_rows(connection, RECORD_SEGMENTS, {"archived": True}, next(of_file))
    update_rows(connection, RECORD_LIFTED, {"blank": True}, next(of_file))
    delete_keys(connection, RECORD_WORK, one.work)
    return True


def content_left(rows: pa.Table) -> bool:
    """Say whether rows of an emptied file hold anything that an erasure takes."""
    named, nothing = set(rows.column_names), {*TAKEN, *NOTHING}
    if named - {*_kept(rows.column_names), *nothing} or nothing - named:
        return True
    texts = any(set(rows.column(name).unique().to_pylist()) - {text} for name, text in NOTHING.items())
    return texts or any(rows.column(name).null_count < rows.num_rows for name in TAKEN if name not in NOTHING)


def drop_replaced(store: Store, emptied: Sequence[Emptied]) -> None:
    """Delete those files that no list names: the former ones, or, where nothing came of it, those in their place."""
    files = [one.segment for one in emptied] + [one.written for one in emptied if one.written is not None]
    if not files:
        return
    with store.reading() as connection:
        listed = {segment.file for segment in segments_listed(connection, anew=True)}
    time.sleep(GRACE)
    store.records.delete(name for one in files if one.file not in listed for name in (one.file, one.keys))


def _is_whole(store: Store, one: Emptied, wanted: set[str]) -> bool:
    """Say whether a file has content and all that stands in it alone is wanted; notes its consignments."""
    left = one.segment.rows - len(one.lifted)
    if not 0 < left <= len(wanted) or store.records.is_emptied(one.segment.file):
        return False
    names = store.records.rows(one.segment.file, ["consignment_id"]).column("consignment_id").to_pylist()
    stays = np.setdiff1d(np.arange(one.segment.rows), one.lifted)
    one.names = [names[place] for place in stays.tolist()]
    return wanted.issuperset(one.names)


def _without_content(store: Store, one: Emptied) -> Iterator[pa.Table]:
    """Yield the rows of a file as an erasure leaves them; of those in rows only what is found by."""
    present, start = store.records.columns(one.segment.file), 0
    kept = [name for name in _kept(present) if name not in TAKEN and name not in NOTHING]
    for group in store.records.groups(one.segment.file, kept):
        lifted = np.isin(np.arange(start, start + group.num_rows), one.lifted)
        start += group.num_rows
        asks = group.filter(pa.array(~lifted))
        asks = asks.filter(pc.not_equal(asks.column("pre_arrival"), PreArrival.no_risk.name))
        one.work += [tuple(row[name] for name in WORK) for row in asks.select(WORK).to_pylist()]
        yield _as_erased(group, lifted)


def _as_erased(group: pa.Table, lifted: Any) -> pa.Table:
    at = pa.array(np.arange(group.num_rows), mask=lifted)  # what is taken from nowhere is null
    columns = {
        name: group.column(name) if name in STAYS else group.column(name).take(at) for name in group.column_names
    }
    columns |= {name: pa.array(np.repeat(text, group.num_rows).tolist(), mask=lifted) for name, text in NOTHING.items()}
    columns |= {name: pa.nulls(group.num_rows, pa.string()) for name in TAKEN if name not in NOTHING}
    return pa.table(columns).replace_schema_metadata(EMPTIED)


def _kept(present: Sequence[str]) -> list[str]:
    """Name the columns of a file that tables have too: what else it holds is content."""
    named = {column_in_file(table, column.name) for table in (DECISIONS, DECLARATIONS) for column in table.c}
    return [name for name in present if name in named or name in STAYS]
