"""Settled history in files: sorted running totals, written once, mapped into memory, shared by all workers.

Rows of a database serve what came today; ten million consignments of a quarter would make it slow and large. A segment
holds what is settled in sorted columns, each as narrow as its numbers. The database lists the segments that count.
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
import polars as pl
import pyarrow as pa

from features.fault import Fault
from features.history.facts import FACTS, Integers
from features.history.tiles import merged, remembered
from tests.oracle.history.totals import FactTable, HistoryQuery, HistoryUnavailable, Totals, nothing_known

PART_ROWS = 500_000  # a larger segment is written, and merged, in parts by range of entities
FORM = 1  # how a file is laid out, as it says itself; those of before forms were numbered say nothing and are of form 1
FORM_KEY = b"tamis-form"
LOW, HIGH = -(2**63), 2**63 - 1
Columns = Mapping[str, npt.NDArray[Any]]  # `entity` (keyed), `known_at` and facts, sorted by the first two


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

    def as_json(self) -> list[dict[str, Any]]:
        """The parts as the database lists them."""
        return [asdict(part) for part in self.parts]


class SegmentFiles:
    """The folder of segments, and the tables opened from it."""

    def __init__(self, folder: Path | None) -> None:
        """folder: none where the store has no place for files; then history stays in its rows."""
        self._folder = folder
        self._opened: dict[str, tuple[Columns, FactTable]] = {}

    @property
    def usable(self) -> bool:
        return self._folder is not None

    @property
    def folder(self) -> Path:
        if self._folder is None:
            raise RuntimeError("a store without a folder lists no segments")
        return self._folder

    def tables(self, segments: Sequence[Segment]) -> list[Parted]:
        """The segments that count, to be read; raises SegmentGone where a file is no longer there.

        Files that count no more are closed, so that the disk gets their room back.
        """
        self._close_others(segments)
        return [self._table(segment) for segment in segments]

    def columns(self, segments: Sequence[Segment]) -> list[Columns]:
        """The columns of each file of some segments; raises SegmentGone like `tables`."""
        self._close_others(segments)
        return [self._open(part.file)[0] for segment in segments for part in segment.parts]

    def _close_others(self, segments: Sequence[Segment]) -> None:
        files = {part.file for segment in segments for part in segment.parts}
        if not files <= self._opened.keys():
            self._opened = {file: table for file, table in self._opened.items() if file in files}

    def _table(self, segment: Segment) -> Parted:
        tables = [self._open(part.file)[1] for part in segment.parts]
        return Parted(np.array([part.low for part in segment.parts], np.int64), tables)

    def _open(self, file: str) -> tuple[Columns, FactTable]:
        if file not in self._opened:
            columns = _columns(self.folder / file)
            self._opened[file] = columns, FactTable.of_running(columns)
        return self._opened[file]

    def write(self, running: Iterable[tuple[int, pl.DataFrame]], level: int) -> Segment:
        """Write parts of sorted running totals durably: the lowest entity of each range, and its rows."""
        self.folder.mkdir(parents=True, exist_ok=True)
        parts = tuple(self._write_part(low, frame) for low, frame in running if frame.height)
        _sync(self.folder)
        return Segment(uuid.uuid4().hex, level, parts)

    def _write_part(self, low: int, running: pl.DataFrame) -> Part:
        table = _narrow(running).to_arrow().combine_chunks().replace_schema_metadata({FORM_KEY: str(FORM).encode()})
        path = self.folder / f"{uuid.uuid4().hex}.arrow"
        with path.open("wb") as file:
            with pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table, max_chunksize=running.height)
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
        columns = _columns(self.folder / file)
        start = np.searchsorted(columns["entity"], low, "left")
        end = np.searchsorted(columns["entity"], high, "right")
        return pl.DataFrame({name: column[start:end] for name, column in columns.items()})

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


class Parted:
    """A segment's parts, each asked for the entities of its own range."""

    def __init__(self, lows: Integers, tables: Sequence[FactTable]) -> None:
        self._lows, self._tables = lows, tables

    def totals_before(self, asked: Sequence[HistoryQuery]) -> list[Totals]:
        """Running totals of each entity strictly before its moments."""
        if len(self._tables) == 1:
            return self._tables[0].totals_before(asked)
        return [self._answer(question) for question in asked]

    def _answer(self, question: HistoryQuery) -> Totals:
        told = nothing_known(question)
        part_of = np.searchsorted(self._lows, question.entities, "right") - 1
        for number in np.unique(part_of[part_of >= 0]):
            here = np.flatnonzero(part_of == number)
            own = HistoryQuery(question.entities[here], question.moments[:, here], question.facts)
            read = self._tables[number].totals_before([own])[0]
            told.amounts[:, here], told.first[here], told.last[here] = read.amounts, read.first, read.last
        return told


def ranges_of(rows: int) -> list[tuple[int, int]]:
    """Ranges of entities that hold about PART_ROWS rows each: entities are hashes, and so spread evenly."""
    parts = 1 << max(0, math.ceil(math.log2(max(rows, 1) / PART_ROWS)))
    width = 2**64 // parts
    return [(LOW + i * width, LOW + (i + 1) * width - 1) for i in range(parts)]


def _narrow(running: pl.DataFrame) -> pl.DataFrame:
    """Each fact as narrow as its numbers are; none where it is nothing."""
    facts = [name for name in FACTS if name in running.columns and (running[name] != 0).any()]
    return running.select("entity", "known_at", *(running[name].shrink_dtype() for name in facts))


def _columns(path: Path) -> dict[str, Any]:
    """The columns of a file without reading it: pages come when they are asked for."""
    try:
        batches = pa.ipc.open_file(pa.memory_map(str(path)))
    except FileNotFoundError:
        raise SegmentGone(path.name) from None
    except (OSError, pa.ArrowException) as fault:
        raise HistoryUnavailable(path.name) from fault
    if int((batches.schema.metadata or {}).get(FORM_KEY, b"1")) > FORM:
        raise Fault(f"{path.name}: settled history in a form of a later version; this one reads form {FORM}")
    table = batches.get_batch(0)
    return {name: table.column(name).to_numpy(zero_copy_only=True) for name in table.schema.names}


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
