"""Verification of what stands in tables beside the log: their digests, the files of settled history, copied columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from service.history.posting import segments_listed
from service.store.database import Store
from service.store.digests import differing, recorded
from service.store.record_tables import RECORD_SEGMENTS
from service.store.segment_files import Part
from service.store.tables import DECISIONS, SEGMENTS, TABLES
from service.store.vouching import never_shrinks


def faults_of_tables(store: Store, connection: sa.Connection) -> Iterator[str]:
    """Yield in words what differs in tables and files from what was written."""
    yield from _wrongly_standing(connection)
    wrong = dict(differing(connection))
    yield from wrong.values()
    if SEGMENTS.name not in wrong:  # a list that was changed names no files that could be looked for
        yield from _files(store, connection)


def faults_of_list(connection: sa.Connection) -> Iterator[str]:
    """Yield in words what differs in the list of files of settled decisions from what was written."""
    yield from dict(differing(connection, [RECORD_SEGMENTS.name])).values()


def faults_of_counts(connection: sa.Connection, name: str, signed: Mapping[str, Any]) -> Iterator[str]:
    """Yield the tables that have fewer rows than a signed checkpoint says, though nothing is ever deleted from them."""
    now = recorded(connection)
    for table in TABLES.sorted_tables:
        before, after = signed.get(table.name, {}).get("rows", 0), now.get(table.name)
        if never_shrinks(table) and before > (after.rows if after else 0):
            yield f"{name}: table {table.name} had {before:,} rows then; rows were removed"


def _wrongly_standing(connection: sa.Connection) -> Iterator[str]:
    """Yield the versions of which another assessment stands than the last one."""
    later = DECISIONS.alias("later")
    same = [later.c[name] == DECISIONS.c[name] for name in VERSION_KEY]
    overtaken = sa.exists().where(*same, later.c.assessment > DECISIONS.c.assessment)
    wrong = sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.stands == overtaken)
    for decision_id in connection.execute(wrong).scalars():
        yield f"decision {decision_id}: it stands although another assessment is the last one, or the other way round"


def _files(store: Store, connection: sa.Connection) -> Iterator[str]:
    """Yield the files of settled history that are not those that were listed; merged ones are gone rightly."""
    wrong = [part for segment in segments_listed(connection) for part in segment.parts if not _as_listed(store, part)]
    if not wrong:
        return
    with store.reading() as now:
        still = {part.file for segment in segments_listed(now) for part in segment.parts}
    for part in wrong:
        if part.file in still:
            yield f"settled history {part.file}: the file is missing, or it was changed"


def _as_listed(store: Store, part: Part) -> bool:
    if not store.segments.usable:
        return False
    try:
        with (store.segments.folder / part.file).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == part.sha256
    except OSError:
        return False
