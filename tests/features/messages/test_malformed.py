"""A large manifest with malformed lines of many kinds: received is accepted and refused, each line by its number."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl

from features.contract import gate_manifest
from features.messages.parts import read_parts
from tests.features.messages.malformed import written

ROWS = int(os.environ.get("TAMIS_MALFORMED_ROWS", "30000"))


def test_every_line_of_a_large_manifest_is_accounted_for(tmp_path: Path) -> None:
    """TAMIS_MALFORMED_ROWS: so many lines, a hundredth of them malformed."""
    path = tmp_path / "large.csv"
    expected = written(path, ROWS)
    received = accepted = 0
    refused: list[pl.DataFrame] = []
    for raw in read_parts(path, size=1 << 20):
        gated = gate_manifest(raw.rows, "large")
        received += raw.received
        accepted += gated.accepted.height
        refused += [raw.broken, gated.refused]
    told = pl.concat(refused)
    assert received == ROWS == accepted + told.height
    assert dict(told.select("line", "field").rows()) == expected
    assert told.filter(pl.col("reason").str.len_chars().eq(0) | pl.col("remedy").str.len_chars().eq(0)).is_empty()
