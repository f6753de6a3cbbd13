"""Content that was erased leaves the files too: a file is written anew without it, and takes the place of the former.

What was lifted stands in rows, and is erased there; in its file only its numbers and the hash in the tree remain, so
that the entry of the file holds for all that it vouched for.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa
import sqlalchemy as sa

from service.store.bulk_rows import update_rows
from service.store.database import Store
from service.store.opened_record import Places
from service.store.record_files import CONSIGNMENT, DECISION, Written
from service.store.record_tables import RECORD_LIFTED, RECORD_SEGMENTS
from service.store.settled_rows import KEY, LEAF, Segment, lifted_places, note_files_changed, segments_listed
from service.store.tables import DECISIONS

STAYS = (*KEY, CONSIGNMENT, DECISION, LEAF)
GRACE = 1.0  # seconds in which who has read the list still opens a former file
OWED = (
    sa.select(RECORD_LIFTED.c.segment_id)
    .select_from(RECORD_LIFTED.join(DECISIONS, DECISIONS.c.decision_id == RECORD_LIFTED.c.decision_id))
    .where(~RECORD_LIFTED.c.blank, DECISIONS.c.salt.is_(None))
    .distinct()
)


def blank_erased(store: Store) -> int:
    """Write the files anew that still hold what was erased; how many. Interrupted, it is made up for the next time."""
    if not store.records.usable:
        return 0
    with store.reading() as connection:
        owed = set(connection.execute(OWED).scalars())
        segments = [segment for segment in segments_listed(connection) if segment.segment_id in owed]
    former = [name for segment in segments for name in _blank(store, segment)]
    if former:
        time.sleep(GRACE)
        store.records.delete(former)
    return len(segments)


def _blank(store: Store, segment: Segment) -> list[str]:
    """Replace one file; returns the names of those that no list names any more."""
    with store.reading() as connection:
        places = lifted_places(connection, segment)
    written = store.records.write(_without(store, segment, places))
    if not store.write(partial(_replace, segment, written, places.tolist())):
        return [written.file, written.keys]  # another process was first
    return [segment.file, segment.keys]


def replace_file(connection: sa.Connection, segment: Segment, written: Written) -> bool:
    """Let a file take the place of another; False where another one has taken it already."""
    same = (RECORD_SEGMENTS.c.segment_id == segment.segment_id, RECORD_SEGMENTS.c.file == segment.file)
    values = {"file": written.file, "file_sha256": written.file_sha256,
              "keys": written.keys, "keys_sha256": written.keys_sha256}  # fmt: skip
    if not update_rows(connection, RECORD_SEGMENTS, values, *same):
        return False
    note_files_changed(connection)
    return True


def _replace(segment: Segment, written: Written, places: list[int], connection: sa.Connection) -> bool:
    if not replace_file(connection, segment, written):
        return False
    of_file = RECORD_LIFTED.c.segment_id == segment.segment_id
    update_rows(connection, RECORD_LIFTED, {"blank": True}, of_file, RECORD_LIFTED.c.place.in_(places))
    return True


def _without(store: Store, segment: Segment, places: Places) -> Iterator[pa.Table]:
    """Yield the rows of a file, those at some places without their content."""
    start = 0
    for group in store.records.groups(segment.file, store.records.columns(segment.file)):
        blank = np.isin(np.arange(start, start + group.num_rows), places)
        start += group.num_rows
        if not blank.any():
            yield group
            continue
        kept = pa.array(np.arange(group.num_rows), mask=blank)  # what is taken from nowhere is null
        columns = {
            name: group.column(name) if name in STAYS else group.column(name).take(kept) for name in group.column_names
        }
        yield pa.table(columns).replace_schema_metadata(group.schema.metadata)
