"""Compaction of history: rows into segments, segments into larger ones, expired entities out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.history.tiles import DAY, thinned
from service.history.posting import EDITION, HISTORY_AS_OF, list_segment, segments_listed
from service.history.recent_rows import rows_between
from service.store.bulk_rows import delete_rows, update_rows
from service.store.database import Store
from service.store.queries import set_state, state_of
from service.store.segment_files import Segment, SegmentGone, ranges_of
from service.store.settled_rows import segments_listed as files_listed
from service.store.tables import RUNNING, SEGMENTS

ROWS_AT_MOST = 50_000  # rows kept before they are settled: calls wait while they are written to a file
MOVED_AT_ONCE = 2_000  # of these in one transaction: some twenty milliseconds
FANOUT = 6  # segments of a level that are merged into one of the next
REMEMBERED_AT = "remembered_at"  # when everything was last merged into one segment
EVERY = 30 * DAY  # interval of full merges, which drop expired entities
STRAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Settled:
    """The result of compaction: rows written to a segment, and segments merged."""

    rows: int
    merged: int


def settle(store: Store, *, everything: bool = False, rest: float = 0.0) -> Settled:
    """Compact history into as few and small files as possible, without losing anything that a reading can need.

    Readers and writers continue meanwhile: only moving rows and changing the list take transactions. everything: merge
    all into one segment, without expired entities. rest: seconds between two transactions that move rows, in which
    calls have the store to themselves.
    """
    if not store.segments.usable:
        return Settled(0, 0)
    everything = everything or _due(store)
    rows = _settle_rows(store, 1 if everything else ROWS_AT_MOST, rest)
    merged = 0
    while group := _next_group(store, everything):
        if not _merge(store, group, everything):
            continue  # another process merged some of them meanwhile: there is a new list
        merged += len(group)
        if everything:
            break
    with store.reading() as connection:
        store.segments.delete_strays(segments_listed(connection), time.time() - STRAY_SECONDS)
        decisions = files_listed(connection)
    store.records.delete_strays([n for one in decisions for n in (one.file, one.keys)], time.time() - STRAY_SECONDS)
    store.records.merge_keys([(one.keys, one.rows) for one in decisions])
    return Settled(rows, merged)


def _due(store: Store) -> bool:
    """Return true if a full merge is due; the first interval counts from the first settled facts."""
    with store.writing() as connection:
        last = state_of(connection, REMEMBERED_AT)
        if last is None:
            set_state(connection, REMEMBERED_AT, _now(connection))
        return last is not None and _now(connection) - last >= EVERY


def _settle_rows(store: Store, at_least: int, rest: float) -> int:
    """Move all rows into a segment if there are at least so many; returns their number.

    A range of entities is moved after another, each in a transaction of its own: a call waits for one of them at most.
    """
    with store.reading() as connection:
        count = connection.execute(sa.select(sa.func.count()).select_from(RUNNING)).scalar_one()
    if count < at_least:
        return 0
    moved, segment = 0, None
    for low, high in ranges_of(count, MOVED_AT_ONCE):
        with store.writing() as connection, store.turns.taken(first=True):
            rows = rows_between(connection, low, high)
            if rows.height:
                segment = _moved(store, connection, low, rows, segment)
                delete_rows(connection, RUNNING, RUNNING.c.entity.between(low, high))
                set_state(connection, EDITION, (state_of(connection, EDITION) or 0) + 1)
        moved += rows.height
        time.sleep(rest)
    return moved


def _moved(store: Store, connection: sa.Connection, low: int, rows: pl.DataFrame, segment: Segment | None) -> Segment:
    """Write rows of a range as a part of a segment, a new one or one that has other ranges already, and list it so."""
    written = store.segments.write([(low, thinned(rows, _now(connection)))], level=0)
    if segment is None:
        list_segment(connection, written)
        return written
    longer = replace(segment, parts=(*segment.parts, *written.parts))
    update_rows(connection, SEGMENTS, {"parts": longer.as_json()}, SEGMENTS.c.segment_id == segment.segment_id)
    return longer


def _next_group(store: Store, everything: bool) -> Sequence[Segment]:
    """Return the segments to merge: all of them, or those of the lowest full level."""
    with store.reading() as connection:
        segments = segments_listed(connection)
    if everything:
        return segments
    by_level: dict[int, list[Segment]] = defaultdict(list)
    for segment in segments:
        by_level[segment.level].append(segment)
    full = [level for level in sorted(by_level) if len(by_level[level]) >= FANOUT]
    return by_level[full[0]] if full else []


def _merge(store: Store, group: Sequence[Segment], everything: bool) -> bool:
    """Merge outside of any transaction, then change the list in one; false if another process had done so before.

    Raises Fault where a file is missing that the list still names.
    """
    ids = [segment.segment_id for segment in group]
    with store.reading() as connection:
        now = _now(connection)
    try:
        merged = store.segments.merge(group, now, everything=everything)
    except SegmentGone as gone:
        with store.reading() as connection:
            if _lists(connection, ids):
                raise Fault("a file of settled history is missing: restore the last backup") from gone
        return False
    with store.writing() as connection:
        won = _lists(connection, ids)
        if won:
            delete_rows(connection, SEGMENTS, SEGMENTS.c.segment_id.in_(ids))
            list_segment(connection, merged)
            if everything:
                set_state(connection, REMEMBERED_AT, now)
    store.segments.delete(group if won else [merged])
    return won


def _lists(connection: sa.Connection, ids: Sequence[str]) -> bool:
    """Return true if all of these segments still count."""
    return {segment.segment_id for segment in segments_listed(connection)}.issuperset(ids)


def _now(connection: sa.Connection) -> int:
    """Return the latest moment known, never in the future: a wrong date must not make the past coarse."""
    return min(state_of(connection, HISTORY_AS_OF) or 0, int(time.time() * 1e6))
