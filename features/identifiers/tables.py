"""Tables of identifiers: comma-separated files beside the modules, each row with its source and the day it was seen."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
Row = dict[str, str]


@cache
def table(name: str) -> tuple[Row, ...]:
    """Read the rows of a table, such as `placeholders`; lines that begin with `#` are comments."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(line for line in file if not line.startswith("#")))


def of_kind(rows: Iterable[Row], kind: str, column: str) -> frozenset[str]:
    """Return what a column says in the rows of a kind."""
    return frozenset(row[column] for row in rows if row["kind"] == kind)
