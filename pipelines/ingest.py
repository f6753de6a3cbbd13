"""Manifests and outcomes from files: read, gated, quarantined, archived, and remembered by the history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from features.consignment import fold
from features.contract import Gated, gate_manifest, gate_outcomes
from features.facts import with_entities
from features.messages.flat import Raw, read_flat
from features.messages.mapping import UNMAPPED, Mapping
from pipelines.archive import Archive
from service.journal import Journal, Received


@dataclass(frozen=True, slots=True)
class Ingested:
    """The account of one file: `received == accepted + refused.height`, always."""

    file: str
    received: int
    accepted: int
    consignments: int
    new: int
    refused: pl.DataFrame

    @property
    def account(self) -> str:
        """Where every row went, in words."""
        return f"{self.received:,} rows = {self.accepted:,} accepted + {self.refused.height:,} quarantined"


def read_manifest(path: Path, mapping: Mapping = UNMAPPED) -> tuple[Raw, Gated]:
    """A manifest file through its mapping and the gate; broken records stand beside what the gate refused."""
    raw = read_flat(path, separator=mapping.separator)
    return raw, _with_broken(gate_manifest(mapping.to_manifest(raw.rows), path.name), raw)


def ingest_manifest(path: Path, archive: Archive, journal: Journal, mapping: Mapping = UNMAPPED) -> Ingested:
    """Archive a manifest and post the facts that its consignments are; a file ingested twice counts once."""
    _, gated = read_manifest(path, mapping)
    consignments = with_entities(fold(gated.accepted))
    new = journal.remember(consignments) if len(consignments) else 0
    if gated.accepted.height:
        archive.keep_manifest(gated.accepted)
    journal.settle()
    return Ingested(path.name, gated.received, gated.accepted.height, len(consignments), new, gated.refused)


def ingest_outcomes(
    path: Path, archive: Archive, journal: Journal, mapping: Mapping = UNMAPPED
) -> tuple[Ingested, Received]:
    """Archive inspection results and post the facts that they are; a result given twice counts once."""
    raw = read_flat(path, separator=mapping.separator)
    rows = mapping.outcomes.apply(raw.rows) if mapping.outcomes else raw.rows
    gated = _with_broken(gate_outcomes(rows), raw)
    received = journal.learn(gated.accepted)
    if gated.accepted.height:
        archive.keep_outcomes(gated.accepted)
    journal.settle()
    account = Ingested(path.name, gated.received, gated.accepted.height, 0, received.recorded, gated.refused)
    return account, received


def _with_broken(gated: Gated, raw: Raw) -> Gated:
    refused = pl.concat([raw.broken, gated.refused]).sort("line", maintain_order=True)
    return Gated(gated.accepted, refused, gated.received + raw.broken.height)


def keep_quarantine(refused: pl.DataFrame, folder: Path, file: str) -> Path | None:
    """Write refused rows beside the archive, one file for each manifest; none where nothing was refused."""
    if refused.is_empty():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{file}.quarantine.parquet"
    refused.write_parquet(path)
    return path
