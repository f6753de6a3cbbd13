"""Settled decisions in files: Parquet, written once, found by keys that are mapped into memory, read by any tool.

Beside each file of rows lies a file of keys: sorted hashes of consignments, decisions and networks, and where in the
file each stands. A file is complete before the database lists it, and is never changed: one whose rows lose their
content is replaced by another.
"""

from __future__ import annotations

import hashlib
import math
import os
import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.fault import Fault
from features.hashes import hashes_of
from service.store.merged_keys import APART, SUFFIX, Directory, open_directory, write_directory
from service.store.opened_record import GROUP, UNREADABLE, Opened, Places
from service.store.settled_layout import Layout, as_bytes, as_texts, texts_in

LEVEL = 3  # of zstd: higher ones gain a thirtieth and take twice as long
OPENED_AT_MOST = 64  # files whose directory is kept in memory: 3 MB each
ROWS, KEYS = ".parquet", ".keys"
CONSIGNMENT, DECISION, NETWORK = "consignment_id", "decision_id", "network"  # the columns that rows are found by
FOUND_BY = (CONSIGNMENT, DECISION, NETWORK)
ASCENDING = ("place",)  # columns of which a file holds the differences
UNREAD = "settled decisions cannot be read; `tamis verify` says more"
HASH, PLACE = np.dtype("<u8"), np.dtype("<u4")


class RecordGone(Fault):
    """A file of the settled record is not there, or is not what was written."""


@dataclass(frozen=True, slots=True)
class Written:
    """Files that were written: their names, hashes and number of rows."""

    file: str
    file_sha256: str
    keys: str
    keys_sha256: str
    rows: int


class RecordFiles:
    """The folder of settled decisions."""

    def __init__(self, folder: Path | None, at_least: int) -> None:
        """folder: none where the store has no place for files; then all decisions stay in its tables.

        at_least: consignments of a message from which its quiet decisions go to a file.
        """
        self._folder, self.at_least = folder, at_least
        self.listed: tuple[int, list[Any]] = (0, [])  # as it was read last: what stands for the list, and the list
        self._opening = threading.Lock()  # one thread opens files at a time; an open one is read by any number
        self._opened: OrderedDict[str, Opened] = OrderedDict()
        self._mapped: dict[str, npt.NDArray[np.uint8]] = {}
        self._directory: tuple[frozenset[str], Directory | None] = (frozenset(), None)

    @property
    def usable(self) -> bool:
        """Whether there is a place for files."""
        return self._folder is not None

    @property
    def folder(self) -> Path:
        """Where they lie; raises RuntimeError where there is no place."""
        if self._folder is None:
            raise RuntimeError("a store without a folder has no settled record")
        return self._folder

    def write(self, parts: Iterable[pa.Table]) -> Written:
        """Write rows durably; they have the columns FOUND_BY. What fails leaves no file."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = uuid.uuid4().hex
        rows, keys = self.folder / f"{name}{ROWS}", self.folder / f"{name}{KEYS}"
        try:
            hashes = _write_rows(rows, parts)
            keys.write_bytes(_directory(hashes))
            for path in (rows, keys):
                _sync(path)
            _sync(self.folder)
        except BaseException:
            rows.unlink(missing_ok=True)
            keys.unlink(missing_ok=True)
            raise
        return Written(rows.name, sha256_of(rows), keys.name, sha256_of(keys), len(hashes[CONSIGNMENT]))

    def places(self, keys: str, rows: int, column: str, values: Sequence[str]) -> tuple[Places, Places]:
        """Return where values may stand: of those found their place among the values, and in the file.

        Two texts may have one hash: whoever reads the row compares it.
        """
        asked = hashes_of(values).view(np.uint64)
        known, at = self._keys(keys, rows, column)
        first, last = np.searchsorted(known, asked, "left"), np.searchsorted(known, asked, "right")
        which = np.repeat(np.arange(len(asked)), last - first)
        found = np.flatnonzero(last > first).tolist()
        ranks = [rank for place in found for rank in range(first[place], last[place])]
        return which.astype(np.int64), at[ranks].astype(np.int64)

    def directory(self, listed: Sequence[tuple[str, int]]) -> Directory | None:
        """Return the largest directory over listed files of keys alone; None where there is none.

        listed: files of keys, each with its number of rows.
        """
        names = frozenset(name for name, _ in listed)
        if self._directory[0] != names:
            self._mapped = {name: mapped for name, mapped in list(self._mapped.items()) if name in names}
            known = [of for path in self.folder.glob(f"*{SUFFIX}") if (of := open_directory(path)) is not None]
            whole = [of for of in known if {name for name, _ in of.over} <= names]
            self._directory = names, max(whole, key=lambda of: len(of.hashes), default=None)
        return self._directory[1]

    def merge_keys(self, listed: Sequence[tuple[str, int]]) -> bool:
        """Make a directory over all listed files of keys, where too many stand apart; say whether one was made."""
        if self._folder is None or not listed:
            return False
        self._directory = (frozenset(), None)
        present = self.directory(listed)
        apart = len(listed) - (len(present.over) if present is not None else 0)
        if apart < APART:
            return False
        newest = write_directory(self.folder, list(listed), partial(self._keys, column=CONSIGNMENT))
        self._directory = (frozenset(), None)
        for path in self.folder.glob(f"*{SUFFIX}"):
            if path != newest:
                path.unlink(missing_ok=True)
        return True

    def rows(self, file: str, names: Sequence[str], places: Places | None = None) -> pa.Table:
        """Return columns of some rows, by ascending place, or of all of them."""
        try:
            opened, columns = self._open(file), list(names)
            read = opened.between(columns, 0, opened.rows) if places is None else opened.at(columns, places)
            return as_texts(opened.as_stored(read))
        except UNREADABLE as fault:
            raise RecordGone(f"{file}: {UNREAD}") from fault

    def groups(self, file: str, names: Sequence[str]) -> Iterator[pa.Table]:
        """Yield all rows, so many at a time as are stored together."""
        for opened, rows in self._groups(file, names):
            yield as_texts(opened.as_stored(rows))

    def frames(self, file: str, names: Sequence[str]) -> Iterator[pl.DataFrame]:
        """Yield the same as polars has them."""
        return (texts_in(rows) for _, rows in self._groups(file, names))

    def _groups(self, file: str, names: Sequence[str]) -> Iterator[tuple[Opened, pl.DataFrame]]:
        opened = self._open(file)
        for start in range(0, opened.rows, opened.group):
            try:
                rows = opened.between(list(names), start, opened.group)
            except UNREADABLE as fault:
                raise RecordGone(f"{file}: {UNREAD}") from fault
            yield opened, rows

    def even(self, file: str) -> bool:
        """Say whether all that is read together is of one size but the last: a place names what it is read with."""
        opened = self._open(file)
        rows, group = opened.groups, opened.group
        return all(count == group for count in rows[:-1]) and (not rows or rows[-1] <= group)

    def keys_fit(self, file: str, keys: str) -> bool:
        """Say whether a file of keys is the one over a file of rows."""
        named = self.rows(file, FOUND_BY)
        hashes = {name: _hashes(named.column(name)) for name in FOUND_BY}
        return (self.folder / keys).read_bytes() == _directory(hashes)

    def columns(self, file: str) -> list[str]:
        """Return the names of the columns of a file."""
        return self._open(file).names

    def layout(self, file: str) -> Layout:
        """Return in which columns a file holds the fields of contents."""
        return self._open(file).layout

    def is_emptied(self, file: str) -> bool:
        """Say whether all content of a file was erased."""
        return self._open(file).emptied

    def delete(self, written: Iterable[str]) -> None:
        """Delete files that no list names any more; who reads them still keeps what is mapped."""
        for name in written:
            self._opened.pop(name, None)
            self._mapped.pop(name, None)
            (self.folder / name).unlink(missing_ok=True)

    def delete_strays(self, kept: Iterable[str], before: float) -> int:
        """Delete files that no list names and that were written before a time, by those who died over it."""
        if self._folder is None or not self._folder.is_dir():
            return 0
        named = set(kept)
        strays = [path for path in self._folder.iterdir() if path.suffix in (ROWS, KEYS) and path.name not in named]
        old = [path for path in strays if _written(path) < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)

    def _open(self, file: str) -> Opened:
        with self._opening:
            if file in self._opened:
                self._opened.move_to_end(file)
                return self._opened[file]
            try:
                opened = Opened.of(self.folder / file)
            except (OSError, pa.ArrowException) as fault:
                raise RecordGone(f"{file}: settled decisions are missing: restore the last backup") from fault
            self._opened[file] = opened
            while len(self._opened) > OPENED_AT_MOST:
                self._opened.popitem(last=False)
            return opened

    def _keys(self, keys: str, rows: int, column: str) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
        """Return the sorted hashes of a column, and the place of each, mapped."""
        order, mapped = FOUND_BY.index(column), self._mapped.get(keys)
        if mapped is None:
            try:
                mapped = self._mapped[keys] = np.memmap(self.folder / keys, np.uint8, "r")
            except (OSError, ValueError) as fault:
                raise RecordGone(f"{keys}: keys of settled decisions are missing: restore the last backup") from fault
        width = rows * (HASH.itemsize + PLACE.itemsize)
        if len(mapped) != width * len(FOUND_BY):
            raise RecordGone(f"{keys}: keys of settled decisions were cut short: restore the last backup")
        begin, middle = order * width, order * width + rows * HASH.itemsize
        return mapped[begin:middle].view(HASH), mapped[middle : begin + width].view(PLACE)


def sha256_of(path: Path) -> str:
    """Return the hash of the bytes of a file; raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_rows(path: Path, parts: Iterable[pa.Table]) -> Mapping[str, npt.NDArray[np.uint64]]:
    """Write rows in parts that are read together; returns the hashes of what they are found by, in order."""
    writer: pq.ParquetWriter | None = None
    hashes: dict[str, list[Any]] = {name: [] for name in FOUND_BY}
    waiting: pa.Table | None = None
    try:
        for texts in parts:
            for name in FOUND_BY:
                hashes[name].append(_hashes(texts.column(name)))
            part = as_bytes(texts)
            if writer is None:
                writer = pq.ParquetWriter(
                    path, part.schema, compression="zstd", compression_level=LEVEL, use_dictionary=_repeating(part),
                    column_encoding={name: "DELTA_BINARY_PACKED" for name in ASCENDING if name in part.column_names},
                    write_statistics=False, store_schema=False,
                )  # fmt: skip
                writer.add_key_value_metadata(part.schema.metadata or {})
            waiting = part if waiting is None else pa.concat_tables([waiting, part])
            whole = waiting.num_rows // GROUP * GROUP  # all groups but the last are full: a place names its group
            if whole:
                writer.write_table(waiting.slice(0, whole), row_group_size=GROUP)
            waiting = waiting.slice(whole)
        if writer is not None and waiting is not None and waiting.num_rows:
            writer.write_table(waiting, row_group_size=GROUP)
    finally:
        if writer is not None:
            writer.close()
    return {name: np.concatenate(found) if found else np.empty(0, np.uint64) for name, found in hashes.items()}


def _repeating(part: pa.Table) -> list[str]:
    """Name the columns whose values repeat: only these gain by a dictionary."""
    few = max(1, part.num_rows // 4)
    flat = [field.name for field in part.schema if not pa.types.is_nested(field.type)]
    return [name for name in flat if name not in ASCENDING and len(part.column(name).unique()) <= few]


def _hashes(texts: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return the hash of each text; of those that repeat, as networks do, each is hashed once."""
    distinct = texts.unique()
    of_distinct = hashes_of(distinct.to_pylist()).view(np.uint64)
    if len(distinct) == len(texts):
        return of_distinct
    places: Places = pc.index_in(texts, distinct).to_numpy()
    return of_distinct[places]


def _directory(hashes: Mapping[str, npt.NDArray[np.uint64]]) -> bytes:
    parts = []
    for name in FOUND_BY:
        order = np.argsort(hashes[name], kind="stable")
        parts += [hashes[name][order].astype(HASH).tobytes(), order.astype(PLACE).tobytes()]
    return b"".join(parts)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written(path: Path) -> float:
    """When a file was written; now, where another process has just deleted it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf
