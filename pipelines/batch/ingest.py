"""Manifests and outcomes from files: read, gated, quarantined, archived, and remembered by the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl

from features.choices import FormatName
from features.consignment import BY_NAME, VERSION_KEY, fold
from features.contract import Gated, gate_manifest, no_quarantine
from features.fault import Fault
from features.finding_kinds import Kinds
from features.history.facts import with_entities
from features.messages.formats import read_file
from features.messages.header import check_header
from features.messages.mapping import UNMAPPED
from features.messages.mapping import Mapping as FileMapping
from features.messages.offices import ANY_OFFICE, Offices
from features.messages.outcome_files import read_outcomes
from features.messages.parts import PART, read_parts
from features.messages.proposal import sources
from features.messages.raw import Raw
from features.messages.read_message import gate_message
from pipelines.batch.archive import Archive
from pipelines.batch.refusals import WHOLE_FILE, refused_file
from service.answers.spreadsheet import plain_cells
from service.calls.versioning import message_of, receptacle_assignments
from service.journal import Journal, Received
from service.record.result_checks import gate_results
from service.record.search_index import take_in_archived

SETTLED_EVERY = 4  # parts; what is not settled yet is held in memory


@dataclass(frozen=True, slots=True)
class Ingested:
    """The account of one file: `received == accepted + refused.height`, always.

    unread: of columns of the contract that the file lacks, the ones that seem to be meant and are not read.
    """

    file: str
    received: int
    accepted: int
    consignments: int
    new: int
    refused: pl.DataFrame
    separator: str = ""
    unread: Mapping[str, str] = field(default_factory=dict)

    def and_also(self, gated: Gated, consignments: int, new: int) -> Ingested:
        """With another part of the same file."""
        return replace(
            self,
            received=self.received + gated.received,
            accepted=self.accepted + gated.accepted.height,
            consignments=self.consignments + consignments,
            new=self.new + new,
            refused=pl.concat([self.refused, gated.refused]).sort("line", maintain_order=True),
        )

    @classmethod
    def refused_whole(cls, path: Path, fault: Fault) -> Ingested:
        """The account of a file of which nothing can be read or kept, as one refusal."""
        return cls(path.name, 1, 0, 0, 0, refused_file(fault))

    @property
    def account(self) -> str:
        """Where every row went, in words."""
        if self.refused["field"].eq(WHOLE_FILE).any():
            return "refused as a whole"
        return f"{self.received:,} rows = {self.accepted:,} accepted + {self.refused.height:,} quarantined"


def read_manifest(path: Path, mapping: FileMapping = UNMAPPED) -> tuple[Raw, Gated]:
    """A manifest file through its mapping and the gate; broken records stand beside what the gate refused."""
    raw = read_file(path, mapping, "flat")
    return raw, _with_broken(gate_manifest(mapping.to_manifest(raw.rows), path.name), raw)


def ingest_manifest(
    path: Path,
    archive: Archive,
    journal: Journal,
    mapping: FileMapping = UNMAPPED,
    *,
    format: FormatName | None = None,
    now: datetime | None = None,
    part: int = PART,
    offices: Offices = ANY_OFFICE,
) -> Ingested:
    """Archive a manifest or message and post the facts that its consignments are; a file ingested twice counts once.

    format: told from the content where it is not named. now: what stands for the time of a message that states none.
    part: bytes read at a time; a file of any length is ingested in the memory of one part. offices: those there are.
    """
    now, before = now or datetime.now(UTC), _Before()
    unread: dict[str, str] = {}
    done = Ingested(path.name, 0, 0, 0, 0, no_quarantine(), unread=unread)
    parts = _of_a_manifest(read_parts(path, mapping, format, part), path.name, mapping, unread)
    for number, raw in enumerate(_by_consignment(parts, mapping), start=1):
        receptacle_assignments(raw, journal.store, now)
        message = message_of(raw, journal.store, path.name, now, complete=False, offices=offices)
        gated = before.apart(_with_broken(gate_message(message)[0], raw))
        consignments = with_entities(fold(gated.accepted))
        new = journal.remember(consignments) if len(consignments) else 0
        if gated.accepted.height:
            archive.keep_manifest(gated.accepted)
        take_in_archived(journal.store, consignments)
        done = replace(done.and_also(gated, len(consignments), new), separator=raw.separator)
        if number % SETTLED_EVERY == 0:
            journal.settle()
    journal.settle()
    return done


def _of_a_manifest(parts: Iterator[Raw], name: str, mapping: FileMapping, unread: dict[str, str]) -> Iterator[Raw]:
    """The parts, once the first of them has shown the header of a manifest; raises UnreadableFile.

    unread: takes the columns that seem to be meant and are not read.
    """
    for number, raw in enumerate(parts):
        if number == 0:
            check_header(raw, name, mapping)
            if raw.format == "flat" and mapping.manifest is None:
                unread |= sources([column for column in raw.rows.columns if column != "line"], BY_NAME)[1]
        yield raw


def _by_consignment(parts: Iterator[Raw], mapping: FileMapping) -> Iterator[Raw]:
    """The parts of a file in the manifest's columns; lines of one consignment that stand together come in one part.

    The last consignment of a part waits for the next one.
    """
    held: Raw | None = None
    for raw in parts:
        flat = raw.format == "flat" and raw.rows.width > 1
        following = replace(raw, rows=mapping.to_manifest(raw.rows)) if flat else raw
        if held is not None:
            whole, waiting = _less_the_last(held.rows)
            yield replace(held, rows=whole)
            following = replace(following, rows=pl.concat([waiting, following.rows], how="diagonal_relaxed"))
        held = following
    if held is not None:
        yield held


def _less_the_last(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows of all consignments but the last, and those of the last."""
    ids = [name for name in ("message_id", "consignment_id") if name in rows.columns]
    if rows.is_empty() or not ids:
        return rows, rows.clear()
    same = rows.select(pl.all_horizontal(pl.col(name).eq_missing(pl.col(name).last()) for name in ids)).to_series()
    return rows.filter(~same), rows.filter(same)


class _Before:
    """The consignments of earlier parts, as hashes: one whose lines stand apart would be counted by halves."""

    def __init__(self) -> None:
        self._seen = np.array([], np.uint64)

    def apart(self, gated: Gated) -> Gated:
        """What is accepted, less the lines of consignments that an earlier part held."""
        keys = gated.accepted.select(pl.struct(VERSION_KEY).hash()).to_series()
        again = pl.Series(np.isin(keys.to_numpy(), self._seen))
        self._seen = np.union1d(self._seen, keys.to_numpy())
        if not again.any():
            return gated
        rows = gated.accepted.filter(again)
        refused = pl.DataFrame(
            {
                "line": rows["line"],
                "field": "consignment_id",
                "reason": "its other lines stand far before it",
                "remedy": "sort the file by message and consignment",
                "all_faults": "consignment_id: its other lines stand far before it",
                "row_as_received": rows.select(pl.struct(pl.exclude("line")).struct.json_encode()).to_series(),
            }
        )
        everything = pl.concat([gated.refused, refused]).sort("line", maintain_order=True)
        return Gated(gated.accepted.filter(~again), everything, gated.received)


def ingest_outcomes(
    path: Path, archive: Archive, journal: Journal, mapping: FileMapping = UNMAPPED, kinds: Kinds | None = None
) -> tuple[Ingested, Received]:
    """Archive inspection results and post the facts that they are; a result given twice counts once.

    kinds: of finding, of the installation; the standard ones where absent.
    """
    raw = read_outcomes(path, mapping)
    gated = _with_broken(gate_results(mapping.to_outcomes(raw.rows), journal.store, kinds=kinds), raw)
    received = journal.learn(gated.accepted)
    if gated.accepted.height:
        archive.keep_outcomes(gated.accepted)
    journal.settle()
    accepted = gated.accepted.height
    account = Ingested(path.name, gated.received, accepted, 0, received.recorded, gated.refused, raw.separator)
    return account, received


def _with_broken(gated: Gated, raw: Raw) -> Gated:
    refused = pl.concat([raw.broken, gated.refused]).sort("line", maintain_order=True)
    return Gated(gated.accepted, refused, gated.received + raw.broken.height)


def keep_quarantine(refused: pl.DataFrame, folder: Path, file: str) -> Path | None:
    """Write refused rows beside the archive, a Parquet file for each manifest and the same rows as CSV for people.

    The CSV file, or none where nothing was refused.
    """
    if refused.is_empty():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    refused.write_parquet(folder / f"{file}.quarantine.parquet")
    path = folder / f"{file}.quarantine.csv"
    plain_cells(refused).write_csv(path)
    return path
