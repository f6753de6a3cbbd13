"""Keeping history small: rows into segments, segments into larger ones, and what need not be remembered out."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from features.tiles import DAY, thinned
from service.posting import EDITION, HISTORY_AS_OF, list_segment, segments_listed, set_state, state_of
from service.rows import rows_of
from service.segments import LOW, Segment
from service.store import Store
from service.tables import RUNNING, SEGMENTS

ROWS_AT_MOST = 50_000  # rows that stay before they are settled: calls wait while they are written to a file
FANOUT = 6  # segments of a level that are merged into one of the next
REMEMBERED_AT = "remembered_at"  # when all was last merged into one segment
EVERY = 30 * DAY  # so often everything is merged, and what need not be remembered is dropped
STRAY_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Settled:
    """What was done: rows written to a segment, and segments merged into fewer."""

    rows: int
    merged: int


def settle(store: Store, *, everything: bool = False) -> Settled:
    """Bring history into as few and small files as it needs; nothing that a reading can need is lost.

    Readers and writers go on meanwhile: only the rows are moved, and the list changed, in transactions of their own.
    everything: into one segment, whatever there is, without the entities whose time is over.
    """
    if not store.segments.usable:
        return Settled(0, 0)
    everything = everything or _due(store)
    rows = _settle_rows(store, 1 if everything else ROWS_AT_MOST)
    merged = 0
    while (group := _next_group(store, everything)) and _merge(store, group, everything):
        merged += len(group)
        if everything:
            break
    with store.reading() as connection:
        store.segments.delete_strays(segments_listed(connection), time.time() - STRAY_SECONDS)
    return Settled(rows, merged)


def _due(store: Store) -> bool:
    """Whether it is time to merge everything; the first time counts from the first facts that were settled."""
    with store.writing() as connection:
        last = state_of(connection, REMEMBERED_AT)
        if last is None:
            set_state(connection, REMEMBERED_AT, _now(connection))
        return last is not None and _now(connection) - last >= EVERY


def _settle_rows(store: Store, at_least: int) -> int:
    """Write all rows as a segment where there are so many; how many."""
    with store.writing() as connection:
        if connection.execute(sa.select(sa.func.count()).select_from(RUNNING)).scalar_one() < at_least:
            return 0
        rows = rows_of(connection)
        list_segment(connection, store.segments.write([(LOW, thinned(rows, _now(connection)))], level=0))
        connection.execute(sa.delete(RUNNING))
        set_state(connection, EDITION, (state_of(connection, EDITION) or 0) + 1)
    return rows.height


def _next_group(store: Store, everything: bool) -> Sequence[Segment]:
    """Segments to be merged: all of them, or those of the lowest level that is full."""
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
    """Merge outside of any transaction, then change the list in one; whether nobody else had done so before."""
    with store.reading() as connection:
        now = _now(connection)
    one = store.segments.merge(group, now, everything=everything)
    ids = [segment.segment_id for segment in group]
    with store.writing() as connection:
        there = {segment.segment_id for segment in segments_listed(connection)}
        won = there.issuperset(ids)
        if won:
            connection.execute(sa.delete(SEGMENTS).where(SEGMENTS.c.segment_id.in_(ids)))
            list_segment(connection, one)
            if everything:
                set_state(connection, REMEMBERED_AT, now)
    store.segments.delete(group if won else [one])
    return won


def _now(connection: sa.Connection) -> int:
    """The latest moment known, never in the future: a declaration dated wrongly must not make the past coarse."""
    return min(state_of(connection, HISTORY_AS_OF) or 0, int(time.time() * 1e6))
