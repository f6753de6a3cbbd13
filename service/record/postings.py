"""Postings: which consignments state which keys, packed into few rows, so that they are small and quick to add.

A posting is a keyed hash of a key, of 48 bits, and the number of a consignment, in ten bytes. Postings lie in buckets
by the first bits of the hash: all in one on the first level, told apart by more bits on each level below. New ones come
into the first level together; a bucket that has become large is emptied into those below it (a buffer tree, as in
databases that merge logs). So each posting is written some five times in all, in rows of many, and what is looked up is
one bucket a level.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from service.store.bulk_rows import delete_keys, insert_many
from service.store.driver import Prepared, among
from service.store.tables import POSTINGS

Packed = npt.NDArray[np.void]
Numbers = npt.NDArray[np.int64]
Place = tuple[int, int]  # level, bucket
PACKED = np.dtype([("high", "<u2"), ("low", "<u4"), ("number", "<u4")])
BITS, LOW_BITS = 48, 32  # of a hash; of its lower part
MASK = (1 << BITS) - 1
LEVEL_BITS = (0, 4, 8, 12, 16)  # of the hash, by which the buckets of a level are told apart: on the first is one
LAST = len(LEVEL_BITS) - 1
LARGE = 1_024  # postings of a bucket, from which on it is emptied into those below it
MOST_PARTS = 16  # rows of a bucket that are short, from which on they become one
ROWS_AT_ONCE = 1_000
NOTHING = np.empty(0, PACKED)
OF_BUCKETS = Prepared(sa.select(POSTINGS).where(among(POSTINGS.c.level, POSTINGS.c.bucket)))
SIZES = Prepared(
    sa.select(POSTINGS.c.level, POSTINGS.c.bucket, POSTINGS.c.part, sa.func.length(POSTINGS.c.content)).where(
        among(POSTINGS.c.level, POSTINGS.c.bucket)
    )
)


def packed(values: npt.NDArray[np.uint64], numbers: Numbers) -> Packed:
    """Return postings of hashes (of 48 bits) and numbers, by pairs, each once and ordered by hash."""
    postings = np.empty(len(values), PACKED)
    postings["high"], postings["low"] = values >> np.uint64(LOW_BITS), values & np.uint64(0xFFFFFFFF)
    postings["number"] = numbers
    return _once(postings)


def add(connection: sa.Connection, postings: Packed) -> None:
    """Add postings (as `packed` gives them), in the caller's transaction."""
    first = sum(len(postings) > LARGE << bits for bits in LEVEL_BITS[:-1])  # many go where a bucket holds them
    for level in range(first, len(LEVEL_BITS)):
        if not len(postings):
            return
        postings = _put(connection, level, _split(postings, level))


def numbers_of(connection: sa.Connection, values: Collection[int]) -> dict[int, Numbers]:
    """Return by hash the numbers of the consignments that state it, ascending, each once."""
    asked = np.array(sorted(values), np.uint64)
    places = {(level, int(v) >> (BITS - bits)) for v in asked.tolist() for level, bits in enumerate(LEVEL_BITS)}
    held = np.frombuffer(b"".join(row[3] for row in _rows(connection, sorted(places), OF_BUCKETS)), PACKED)
    every = _once(held[np.isin(_values(held), asked)])
    stated, starts = np.unique(_values(every), return_index=True)
    parts = np.split(every["number"].astype(np.int64), starts[1:]) if len(stated) else []
    return dict(zip(stated.tolist(), parts, strict=True))


def forget(connection: sa.Connection, numbers: Sequence[int]) -> None:
    """Take all postings of these consignments away: every row is looked through, for no row says whom it names."""
    gone, changed = np.array(numbers, np.uint32), []
    query = sa.select(POSTINGS).execution_options(yield_per=ROWS_AT_ONCE)
    for row in connection.execute(query):
        held = np.frombuffer(row.content, PACKED)
        stays = ~np.isin(held["number"], gone)
        if not stays.all():
            changed.append({**row._asdict(), "content": held[stays].tobytes()})
    for start in range(0, len(changed), ROWS_AT_ONCE):
        batch = changed[start : start + ROWS_AT_ONCE]
        delete_keys(connection, POSTINGS, [(row["level"], row["bucket"], row["part"]) for row in batch])
        insert_many(connection, POSTINGS, [row for row in batch if row["content"]])


def _once(postings: Packed) -> Packed:
    """Order postings by hash and number, each once."""
    values, numbers = _values(postings), postings["number"]
    order = np.lexsort((numbers, values))
    values, numbers = values[order], numbers[order]
    first = np.ones(len(order), np.bool_)
    first[1:] = (values[1:] != values[:-1]) | (numbers[1:] != numbers[:-1])
    return postings[order[first]]


def _values(postings: Packed) -> npt.NDArray[np.uint64]:
    values: npt.NDArray[np.uint64] = postings["high"].astype(np.uint64) << np.uint64(LOW_BITS)
    values |= postings["low"]
    return values


def _split(postings: Packed, level: int) -> dict[int, Packed]:
    """Return ordered postings by their buckets on a level."""
    buckets = _values(postings) >> np.uint64(BITS - LEVEL_BITS[level])
    named, starts = np.unique(buckets, return_index=True)
    return dict(zip(named.tolist(), np.split(postings, starts[1:]), strict=True))


def _put(connection: sa.Connection, level: int, postings: Mapping[int, Packed]) -> Packed:
    """Put postings into their buckets; returns what the large ones among these held, to be put one level below."""
    sizes: dict[int, dict[int, int]] = {bucket: {} for bucket in postings}  # of the parts of each bucket, in postings
    for _, bucket, part, length in _rows(connection, [(level, bucket) for bucket in postings], SIZES):
        sizes[bucket][part] = length // PACKED.itemsize
    rows = []
    for bucket, of_bucket in postings.items():
        part = max(sizes[bucket], default=-1) + 1
        sizes[bucket][part] = len(of_bucket)
        rows.append(_row(level, bucket, part, of_bucket))
    insert_many(connection, POSTINGS, rows)
    large = [bucket for bucket, parts in sizes.items() if level < LAST and sum(parts.values()) > LARGE]
    short = {b: [of for of, size in parts.items() if size < LARGE] for b, parts in sizes.items() if b not in large}
    _join(connection, level, {bucket: parts for bucket, parts in short.items() if len(parts) > MOST_PARTS})
    return _taken(connection, [(level, bucket, part) for bucket in large for part in sizes[bucket]])


def _row(level: int, bucket: int, part: int, postings: Packed) -> dict[str, Any]:
    return {"level": level, "bucket": bucket, "part": part, "content": postings.tobytes()}


def _join(connection: sa.Connection, level: int, parts: Mapping[int, Sequence[int]]) -> None:
    """Make one row of several of a bucket; parts: of each bucket."""
    joined = [
        _row(level, bucket, several[0], _taken(connection, [(level, bucket, part) for part in several]))
        for bucket, several in parts.items()
    ]
    insert_many(connection, POSTINGS, joined)


def _taken(connection: sa.Connection, keys: Sequence[tuple[int, int, int]]) -> Packed:
    """Return the postings of some rows, ordered, each once, and delete the rows."""
    if not keys:
        return NOTHING
    wanted = set(keys)
    places = sorted({(level, bucket) for level, bucket, _ in keys})
    held = [np.frombuffer(row[3], PACKED) for row in _rows(connection, places, OF_BUCKETS) if tuple(row[:3]) in wanted]
    delete_keys(connection, POSTINGS, list(keys))
    return _once(np.concatenate(held))


def _rows(connection: sa.Connection, places: Sequence[Place], which: Prepared) -> Iterable[Sequence[Any]]:
    """Yield the rows of some buckets."""
    for start in range(0, len(places), ROWS_AT_ONCE):
        yield from which.rows(connection, among=places[start : start + ROWS_AT_ONCE])
