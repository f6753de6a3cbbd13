"""The settled record: decisions of large messages that ask for nothing, read from files as rows of their tables.

What somebody will touch stands in rows of the database, what nobody will stands in files. Both are one record: whoever
looks up, counts or proves decisions asks here for those in files, and gets them as `declarations` and `decisions` would
give them. What is changed is lifted into rows first (`service.record.lifting`), and is not given from here any more.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa

from features.hashes import hashes_of
from service.canonical import canonical
from service.store.driver import Prepared, among
from service.store.opened_record import Places
from service.store.packed import PackedJson
from service.store.queries import in_lists, set_state, state_of
from service.store.record_files import CONSIGNMENT, DECISION, NETWORK, RecordFiles
from service.store.record_tables import RECORD_LIFTED, RECORD_SEGMENTS
from service.store.store_key import records_in
from service.store.tables import DECISIONS, DECLARATIONS

Row = dict[str, Any]
FILES_EDITION = "record_files_edition"  # what stands for the present list of files
LEAF = "leaf"  # what its entry on the audit log would hold of a decision, were it one of its own
DECLARED = "declaration."  # before the names of columns that both tables have
OF_CONTENT = "content_sha256"  # follows from what was declared, which a file holds
CONTENT_SHA256 = f"{DECLARED}{OF_CONTENT}"
KEY = ("message_id", "consignment_id", "version")
SAME = {"stands": True, "waits": False, "held": False, "posted": True}  # of every row
BY_CALL = ("call_id", "archived")  # columns that the list of files has
JSON = {column.name for table in (DECLARATIONS, DECISIONS) for column in table.c if isinstance(column.type, PackedJson)}
LISTED = Prepared(sa.select(RECORD_SEGMENTS).order_by(RECORD_SEGMENTS.c.decided_at, RECORD_SEGMENTS.c.segment_id))
LIFTED = Prepared(sa.select(RECORD_LIFTED.c.segment_id, RECORD_LIFTED.c.place).where(among(RECORD_LIFTED.c.segment_id)))


@dataclass(frozen=True, slots=True)
class Segment:
    """One file of settled decisions, as the database lists it: RECORD_SEGMENTS."""

    segment_id: str
    call_id: str
    rows: int
    root: str
    first_day: int
    last_day: int
    decided_at: int
    file: str
    file_sha256: str
    keys: str
    keys_sha256: str
    archived: bool


def segments_listed(connection: sa.Connection, *, anew: bool = False) -> list[Segment]:
    """Return the files that count, in the order in which their calls decided.

    anew: read from the table, whether the list says that it was changed or not.
    """
    if anew:
        return [Segment(*row) for row in LISTED.rows(connection)]
    edition, files = state_of(connection, FILES_EDITION), records_in(connection)
    if edition is None:
        return []
    if files.listed[0] != edition:
        files.listed = edition, [Segment(*row) for row in LISTED.rows(connection)]
    known, segments = files.listed
    return list(segments) if known == edition else segments_listed(connection, anew=True)


def note_files_changed(connection: sa.Connection) -> None:
    """Note that the list of files is another, in the transaction that changes it.

    The note is drawn, not counted: one that is rolled back is never that of another list.
    """
    set_state(connection, FILES_EDITION, secrets.randbits(62))


def segments_of(connection: sa.Connection, call_id: str) -> list[Segment]:
    """Return the files of a call."""
    return [segment for segment in segments_listed(connection) if segment.call_id == call_id]


def declared_of(
    connection: sa.Connection, names: Sequence[str], values: Sequence[str], by: str = CONSIGNMENT
) -> list[Row]:
    """Return columns of the declarations in files of some consignments, or by another of FOUND_BY."""
    return _found(connection, DECLARATIONS, names, by, values)


def decided_of(
    connection: sa.Connection, names: Sequence[str], values: Sequence[str], by: str = CONSIGNMENT
) -> list[Row]:
    """Return columns of the decisions in files on some consignments, or by another of FOUND_BY."""
    return _found(connection, DECISIONS, names, by, values)


def places_of(
    connection: sa.Connection, values: Sequence[str], by: str = CONSIGNMENT, *, newest_first: bool = False
) -> Iterator[tuple[Segment, Places]]:
    """Yield where rows stand in files, ascending, by consignment or decision; none that is lifted."""
    for segment, places, _ in located(connection, values, by, newest_first=newest_first):
        if len(kept := _unlifted(connection, segment, places)):
            yield segment, kept


def located(
    connection: sa.Connection, values: Sequence[str], by: str = CONSIGNMENT, *, newest_first: bool = False
) -> Iterator[tuple[Segment, Places, list[str]]]:
    """Yield where rows came to stand in files, ascending, and the value of each; also of those lifted since."""
    files = records_in(connection)
    segments = segments_listed(connection) if files.usable and len(values) else []
    if by == CONSIGNMENT and segments and (directory := files.directory([(one.keys, one.rows) for one in segments])):
        covered = {name for name, _ in directory.over}
        of_keys = {segment.keys: segment for segment in segments}
        which, order, places = directory.find(hashes_of(values).view(np.uint64))
        for nth in np.unique(order).tolist():
            of_file = order == nth
            segment = of_keys[directory.over[nth][0]]
            yield from _compared(connection, segment, by, values, which[of_file], places[of_file])
        segments = [segment for segment in segments if segment.keys not in covered]
    for segment in reversed(segments) if newest_first else segments:
        which, places = files.places(segment.keys, segment.rows, by, values)
        yield from _compared(connection, segment, by, values, which, places)


def _compared(
    connection: sa.Connection, segment: Segment, by: str, values: Sequence[str], which: Places, places: Places
) -> Iterator[tuple[Segment, Places, list[str]]]:
    """Yield those of some places of a file whose text is the value that was looked for, not one of the same hash."""
    if not len(places):
        return
    order = np.argsort(places, kind="stable")
    which, places = which[order], places[order]
    texts = records_in(connection).rows(segment.file, [by], places).column(by).to_pylist()
    same = [text == values[at] for text, at in zip(texts, which.tolist(), strict=True)]
    kept, first = np.unique(places[same], return_index=True)
    if len(kept):
        yield segment, kept, [values[at] for at in which[same][first].tolist()]


def count_with_content(connection: sa.Connection, consignments: Sequence[str]) -> int:
    """Count the decisions in files on some consignments that were not erased with their file."""
    files = records_in(connection)
    found = places_of(connection, consignments)
    return sum(len(places) for segment, places in found if not files.is_emptied(segment.file))


def parts_in_files(connection: sa.Connection, consignments: Sequence[str]) -> list[tuple[Row, bool]]:
    """Return the versions in files of some consignments with their office, and whether the content of each is there."""
    files = records_in(connection)
    return [
        (row, not files.is_emptied(segment.file))
        for segment, places in places_of(connection, consignments)
        for row in rows_at(connection, DECLARATIONS, (*KEY, "office"), segment, places)
    ]


def is_settled(connection: sa.Connection, consignments: Sequence[str]) -> set[str]:
    """Return those of some consignments that stand in files."""
    names = (row["consignment_id"] for row in decided_of(connection, ["consignment_id"], consignments))
    return set(names)


def latest_of(connection: sa.Connection, names: Sequence[str], networks: Sequence[str], at_most: int) -> list[Row]:
    """Return columns of the last decisions in files on consignments of some networks; so many at most."""
    found: list[Row] = []
    for segment, places in places_of(connection, networks, NETWORK, newest_first=True):
        found += rows_at(connection, DECISIONS, names, segment, places[: at_most - len(found)])
        if len(found) >= at_most:
            break
    return found


def decided_by(connection: sa.Connection, names: Sequence[str], call_id: str) -> list[Row]:
    """Return columns of the decisions of a call that stand in files."""
    found: list[Row] = []
    for segment in segments_of(connection, call_id):
        places = _unlifted(connection, segment, np.arange(segment.rows, dtype=np.int64))
        found += rows_at(connection, DECISIONS, names, segment, places)
    return found


def count_by(connection: sa.Connection, call_id: str) -> int:
    """Count the decisions of a call that stand in files."""
    segments = segments_of(connection, call_id)
    return sum(segment.rows for segment in segments) - sum(map(len, _lifted(connection, segments).values()))


def settled_consignment(connection: sa.Connection, decision_id: str) -> str | None:
    """Return the consignment of a decision that stands in a file; None where none there has this number."""
    found = decided_of(connection, ["consignment_id"], [decision_id], DECISION)
    return found[0]["consignment_id"] if found else None


def scanned(
    connection: sa.Connection,
    table: sa.Table,
    names: Sequence[str],
    segments: Sequence[Segment] | None = None,
    days: tuple[int, int] | None = None,
) -> Iterator[tuple[Segment, pa.Table]]:
    """Yield columns of all rows in files, file by file, as Arrow has them; none that is lifted.

    names: of columns without JSON; those that all rows of a file share are among them. days: the first and the last day
    of lodging, counted from 1970-01-01, that a file must reach into.
    """
    files = records_in(connection)
    if JSON.union((OF_CONTENT,)).intersection(names):
        raise ValueError("contents are read row by row: ask `rows_at`")
    if not files.usable:
        return
    for segment in segments_listed(connection) if segments is None else segments:
        if days is not None and (segment.last_day < days[0] or segment.first_day > days[1]):
            continue
        stored = _held(files, segment, table, names)
        read = files.rows(segment.file, [column for _, column in stored])
        out = pa.table({name: read.column(column) for name, column in stored})
        for name in names:
            if name not in out.column_names:
                out = out.append_column(name, pa.array([_shared(segment, name)] * read.num_rows))
        lifted = _lifted(connection, [segment])[segment.segment_id]
        if len(lifted):
            kept = np.ones(read.num_rows, np.bool_)
            kept[lifted] = False
            out = out.filter(pa.array(kept))
        yield segment, out.select(list(names))


def consignments_in(connection: sa.Connection, message_id: str, at_most: int) -> list[str]:
    """Return up to so many consignments of a message that stand in files."""
    found: list[str] = []
    for _, rows in scanned(connection, DECISIONS, ["message_id", "consignment_id"]):
        found += rows.filter(pc.equal(rows.column("message_id"), message_id)).column("consignment_id").to_pylist()
        if len(found) >= at_most:
            break
    return found[:at_most]


def declared_in(connection: sa.Connection, segment: Segment) -> list[Row]:
    """Return the declarations that a file holds; none that is lifted."""
    return [row["body"] for row in declared_at(connection, ["body"], segment, range(segment.rows))]


def declared_at(connection: sa.Connection, names: Sequence[str], segment: Segment, places: range) -> list[Row]:
    """Return columns of the declarations at some places of a file, without those lifted."""
    kept = _unlifted(connection, segment, np.array(places, np.int64))
    return rows_at(connection, DECLARATIONS, names, segment, kept) if len(kept) else []


def lifted_at(connection: sa.Connection, segment: Segment, places: range) -> list[str]:
    """Return the decisions that were lifted from some places of a file."""
    query = sa.select(RECORD_LIFTED.c.decision_id).where(
        RECORD_LIFTED.c.segment_id == segment.segment_id,
        RECORD_LIFTED.c.place.between(places.start, places.stop - 1),
    )
    return list(connection.execute(query.order_by(RECORD_LIFTED.c.place)).scalars())


def lifted_places(connection: sa.Connection, segment: Segment) -> Places:
    """Return the places of a file whose rows stand in tables, ascending."""
    return np.sort(_lifted(connection, [segment])[segment.segment_id])


def numbers_at(connection: sa.Connection, segment: Segment, places: range) -> list[str]:
    """Return the decisions that went to some places of a file, whether they were lifted since or not."""
    rows = records_in(connection).rows(segment.file, [DECISION], np.array(places, np.int64))
    numbers: list[str] = rows.column(DECISION).to_pylist()
    return numbers


def rows_at(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], segment: Segment, places: Places
) -> list[Row]:
    """Return columns of a table of the rows at ascending places of a file."""
    files = records_in(connection)
    layout, stored = files.layout(segment.file), _held(files, segment, table, names)
    hashed = OF_CONTENT in names and CONTENT_SHA256 not in files.columns(segment.file) and table is DECLARATIONS
    wanted = [*names, "body"] if hashed else names
    contents = {name: layout[column] for name, column in _stored(table, wanted) if column in layout}
    read_from = [column for _, column in stored] + [column for of in contents.values() for column in of.columns]
    read = files.rows(segment.file, list(dict.fromkeys(read_from)), places)
    columns = {name: _values(read.column(column), column) for name, column in stored}
    columns |= {name: content.read(read) for name, content in contents.items()}
    if hashed:
        columns[OF_CONTENT] = [hashlib.sha256(canonical(body)).hexdigest() for body in columns["body"]]
    columns |= {name: [_shared(segment, name)] * len(places) for name in names if name not in columns}
    every = [columns[name] for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*every, strict=True)]


def _found(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], by: str, values: Sequence[str]
) -> list[Row]:
    return [
        row
        for segment, places in places_of(connection, values, by)
        for row in rows_at(connection, table, names, segment, places)
    ]


def column_in_file(table: sa.Table, name: str) -> str:
    """Return the column of a file that holds a column of a table."""
    return name if table is DECISIONS or name in KEY else f"{DECLARED}{name}"


def _stored(table: sa.Table, names: Sequence[str]) -> list[tuple[str, str]]:
    kept = [name for name in names if name not in SAME and name not in BY_CALL]
    return [(name, column_in_file(table, name)) for name in kept]


def _held(files: RecordFiles, segment: Segment, table: sa.Table, names: Sequence[str]) -> list[tuple[str, str]]:
    """Return the columns of a table that a file holds: one of an earlier version lacks those that came later."""
    present = set(files.columns(segment.file))
    return [(name, column) for name, column in _stored(table, names) if column in present]


def _shared(segment: Segment, name: str) -> Any:
    """Return what all rows of a file say of a column that it does not hold."""
    return getattr(segment, name) if name in BY_CALL else SAME.get(name)


def _values(column: pa.ChunkedArray, name: str) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if name.removeprefix(DECLARED) in JSON:
        return [None if value is None else orjson.loads(value) for value in values]
    return values


def _unlifted(connection: sa.Connection, segment: Segment, places: Places) -> Places:
    lifted = _lifted(connection, [segment])[segment.segment_id]
    return places[~np.isin(places, lifted)] if len(lifted) else places


def _lifted(connection: sa.Connection, segments: Sequence[Segment]) -> dict[str, Places]:
    """Return by file the places whose rows stand in tables."""
    found: dict[str, list[int]] = {segment.segment_id: [] for segment in segments}
    for batch in in_lists(list(found)):
        for segment_id, place in LIFTED.rows(connection, among=batch):
            found[segment_id].append(place)
    return {name: np.array(places, np.int64) for name, places in found.items()}
