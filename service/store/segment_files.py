"""Settled history in files: sorted running totals, written once, mapped into memory, shared by all workers.

Rows of a database serve what came today; ten million consignments of a quarter would make it slow and large. A segment
holds what is settled, sorted, each fact as narrow as its numbers. The database lists the segments that count.
"""

from __future__ import annotations

import hashlib
import math
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import polars as pl
import pyarrow as pa

from features.fault import Fault
from features.history.facts import FACTS, Integers
from features.history.packed_amounts import WORD, PackedAmounts, packed
from features.history.tiles import merged, remembered
from features.history.totals import FactTable, HistoryUnavailable, directory

PART_ROWS = 500_000  # a larger segment is written, and merged, in parts by range of entities
FORM = 2  # how a file is laid out, as it says itself; those of before forms were numbered say nothing and are of form 1
COLUMNS_APART = 1  # the form of a column for each fact, and an entity in each row: read until it is merged
FORM_KEY, FIELDS_KEY = b"tamis-form", b"tamis-fields"
AMOUNTS = "amounts"  # the facts of a row side by side, each where FIELDS_KEY tells
LOW, HIGH = -(2**63), 2**63 - 1
Columns = Mapping[str, npt.NDArray[Any]]


class SegmentGone(Exception):
    """A file was merged into another between the list and the opening; the list is to be read again."""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a segment: the entities from `low` on, how many rows, and the hash of its bytes."""

    file: str
    low: int
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Running totals on disk, complete in themselves; the totals of several segments add up."""

    segment_id: str
    level: int
    parts: tuple[Part, ...]

    @property
    def rows(self) -> int:
        return sum(part.rows for part in self.parts)

    def parts_of(self, entities: Integers | None) -> Sequence[Part]:
        """The parts that may hold some entities, or all."""
        if entities is None or len(self.parts) == 1:
            return self.parts
        lows = np.array([part.low for part in self.parts], np.int64)
        held = np.unique(np.searchsorted(lows, entities, "right") - 1)
        return [self.parts[place] for place in held.tolist() if place >= 0]

    def as_json(self) -> list[dict[str, Any]]:
        """The parts as the database lists them."""
        return [asdict(part) for part in self.parts]


class SegmentFiles:
    """The folder of segments, and the tables opened from it."""

    def __init__(self, folder: Path | None) -> None:
        """folder: none where the store has no place for files; then history stays in its rows."""
        self._folder = folder
        self._opened: dict[str, FactTable] = {}
        self._counting: tuple[Segment, ...] = ()  # those that counted when it was looked last

    @property
    def usable(self) -> bool:
        return self._folder is not None

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("a store without a folder lists no segments")
        return self._folder

    def tables(self, segments: Sequence[Segment], entities: Integers | None = None) -> list[FactTable]:
        """The files that count and may tell of some entities (keyed), or all; raises SegmentGone where one is gone.

        Files that count no more are closed, so that the disk gets their room back.
        """
        self._close_others(segments)
        return [self._open(part.file) for segment in segments for part in segment.parts_of(entities)]

    def _close_others(self, segments: Sequence[Segment]) -> None:
        if self._counting == (counting := tuple(segments)):
            return
        self._counting, files = counting, {part.file for segment in segments for part in segment.parts}
        if not files <= self._opened.keys():
            self._opened = {file: table for file, table in self._opened.items() if file in files}

    def _open(self, file: str) -> FactTable:
        if file not in self._opened:
            self._opened[file] = mapped(self.folder / file)
        return self._opened[file]

    def write(self, running: Iterable[tuple[int, pl.DataFrame]], level: int) -> Segment:
        """Write parts of sorted running totals durably: the lowest entity of each range, and its rows."""
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = tuple(self._write_part(low, frame) for low, frame in running if frame.height)
        _sync(self.folder)
        return Segment(uuid.uuid4().hex, level, parts)

    def _write_part(self, low: int, running: pl.DataFrame) -> Part:
        batch = packed_batch(running)
        path = self.folder / f"{uuid.uuid4().hex}.arrow"
        with path.open("wb") as file:
            with pa.ipc.new_file(file, batch.schema) as writer:
                writer.write_batch(batch)
            file.flush()
            os.fsync(file.fileno())
        with path.open("rb") as file:
            return Part(path.name, low, running.height, hashlib.file_digest(file, "sha256").hexdigest())

    def merge(self, segments: Sequence[Segment], now: int, *, everything: bool = False) -> Segment:
        """Several segments as one; with everything there is, what need not be remembered is dropped."""
        level = max(segment.level for segment in segments) + 1
        return self.write(self._merged(segments, now, everything), level)

    def _merged(self, segments: Sequence[Segment], now: int, everything: bool) -> Iterator[tuple[int, pl.DataFrame]]:
        for low, high in ranges_of(sum(segment.rows for segment in segments)):
            slices = [self._slice(part.file, low, high) for segment in segments for part in segment.parts]
            held = [part for part in slices if part.height]
            if held:
                running = merged(held, now)
                yield low, remembered(running, now) if everything else running

    def frame(self, file: str) -> pl.DataFrame:
        """All rows of a file."""
        return self._slice(file, LOW, HIGH)

    def _slice(self, file: str, low: int, high: int) -> pl.DataFrame:
        return pl.DataFrame(mapped(self.folder / file).columns(low, high))

    def delete(self, segments: Iterable[Segment]) -> None:
        """Delete the files of segments that count no more; who reads them still keeps what is mapped."""
        for part in (part for segment in segments for part in segment.parts):
            (self.folder / part.file).unlink(missing_ok=True)

    def delete_strays(self, kept: Iterable[Segment], before: float) -> int:
        """Delete files that no segment lists and that were written before a time, by those who died over it."""
        files = {part.file for segment in kept for part in segment.parts}
        strays = [path for path in self.folder.glob("*.arrow") if path.name not in files]
        old = [path for path in strays if _written(path) < before]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def ranges_of(rows: int, each: int | None = None) -> list[tuple[int, int]]:
    """Ranges of entities that hold about so many rows each, PART_ROWS as a rule: entities are hashes, spread evenly."""
    parts = 1 << max(0, math.ceil(math.log2(max(rows, 1) / (each or PART_ROWS))))
    width = 2**64 // parts
    return [(LOW + i * width, LOW + (i + 1) * width - 1) for i in range(parts)]


def packed_batch(running: pl.DataFrame) -> pa.RecordBatch:
    """Sorted running totals as a file holds them: each entity once, moments, and amounts side by side."""
    columns = {name: running[name].to_numpy() for name in running.columns}
    (entities, ends), amounts = directory(columns["entity"]), packed(columns, running.height)
    fields = {
        fact: (base, width) for fact, (base, _, width) in zip(FACTS, amounts.fields.tolist(), strict=True) if width
    }
    arrays = {
        "entity": pa.RunEndEncodedArray.from_arrays(pa.array(ends), pa.array(entities)),
        "known_at": pa.array(columns["known_at"]),
    }
    if amounts.stride:
        buffers = [None, pa.py_buffer(amounts.words)]
        arrays[AMOUNTS] = pa.FixedSizeBinaryArray.from_buffers(pa.binary(amounts.stride), running.height, buffers)
    described = {FORM_KEY: str(FORM).encode(), FIELDS_KEY: orjson.dumps(fields)}
    return pa.record_batch(arrays).replace_schema_metadata(described)


def mapped(path: Path) -> FactTable:
    """A file as a table, without reading it: pages come when they are asked for."""
    try:
        buffer = pa.memory_map(str(path)).read_buffer()
        batches = pa.ipc.open_file(buffer)
    except FileNotFoundError:
        raise SegmentGone(path.name) from None
    except (OSError, pa.ArrowException) as fault:
        raise HistoryUnavailable(path.name) from fault
    described = batches.schema.metadata or {}
    form = int(described.get(FORM_KEY, b"1"))
    if form > FORM:
        raise Fault(f"{path.name}: settled history in a form of a later version; this one reads forms up to {FORM}")
    batch, words = batches.get_batch(0), np.frombuffer(buffer, np.int64, buffer.size // WORD)
    known_at = batch.column("known_at").to_numpy(zero_copy_only=True)
    if form == COLUMNS_APART:
        apart = {name: batch.column(name).to_numpy(zero_copy_only=True) for name in batch.schema.names}
        amounts = PackedAmounts(words, _fields_apart(words, apart), batch.num_rows)
        return FactTable.of_packed(apart["entity"], np.empty(0, np.int64), known_at, amounts)
    entity = batch.column("entity")
    entities, ends = (part.to_numpy(zero_copy_only=True) for part in (entity.values, entity.run_ends))
    amounts = PackedAmounts(words, _fields(words, batch, orjson.loads(described[FIELDS_KEY])), batch.num_rows)
    return FactTable.of_packed(entities, ends, known_at, amounts)


def _fields(words: Integers, batch: pa.RecordBatch, fields: dict[str, tuple[int, int]]) -> Integers:
    """Where each fact lies in the bytes of a file whose facts stand side by side."""
    if AMOUNTS not in batch.schema.names:
        return np.zeros((len(FACTS), 3), np.int64)
    column = batch.column(AMOUNTS)
    begin, stride = column.buffers()[1].address - words.ctypes.data, column.type.byte_width
    places = ((begin + fields[fact][0], stride, fields[fact][1]) if fact in fields else (0, 0, 0) for fact in FACTS)
    return np.array(list(places), np.int64)


def _fields_apart(words: Integers, columns: Columns) -> Integers:
    """Where each fact lies in the bytes of a file with a column for each."""
    begins = {name: column.ctypes.data - words.ctypes.data for name, column in columns.items()}
    widths = {name: column.dtype.itemsize for name, column in columns.items()}
    places = ((begins[fact], widths[fact], widths[fact]) if fact in columns else (0, 0, 0) for fact in FACTS)
    return np.array(list(places), np.int64)


def _written(path: Path) -> float:
    """When a file was written; now, where another process has just deleted it."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return math.inf


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
