"""Refused rows kept for whoever corrects them: taken out by consignment, and by age."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import polars as pl

from service.answers.spreadsheet import plain_cells

ENDING = ".quarantine.parquet"


def about(ids: Sequence[str]) -> pl.Expr:
    """Tell whether a refused row is of one of these consignments, or, where it names none that can be read, may be."""
    row = pl.col("row_as_received").cast(pl.String)
    text = pl.concat_str(row, pl.col("reason"), pl.col("all_faults"), separator="\n", ignore_nulls=True)
    readable = pl.when(row.str.starts_with("{")).then(row)
    number = readable.str.json_path_match("$.consignment_id").str.strip_chars()
    return pl.when(number.is_not_null()).then(number.is_in(list(ids))).otherwise(text.str.contains_any(list(ids)))


def erase_refused(folder: Path, ids: Sequence[str], *, dry_run: bool = False) -> int:
    """Take the refused rows of these consignments out of a folder; how many there were, or would be."""
    count = 0
    for file in sorted(folder.glob(f"*{ENDING}")) if ids else []:
        rows = pl.read_parquet(file)
        kept = rows.filter(~about(ids))
        count += rows.height - kept.height
        if kept.height < rows.height and not dry_run:
            _replace(file, kept)
    return count


def expire_refused(folder: Path, before: datetime, *, dry_run: bool = False) -> int:
    """Delete the files of refused rows that were written before a moment; how many there were, or would be."""
    old = [file for file in sorted(folder.glob(f"*{ENDING}")) if file.stat().st_mtime < before.timestamp()]
    for file in [] if dry_run else old:
        file.unlink()
        file.with_suffix(".csv").unlink(missing_ok=True)
    return len(old)


def _replace(file: Path, kept: pl.DataFrame) -> None:
    """Write both forms of a file anew without the rows, or delete them where none is left; the time stays."""
    beside, written = file.with_suffix(".csv"), file.stat()
    if kept.is_empty():
        file.unlink()
        beside.unlink(missing_ok=True)
        return
    for path, write in ((file, kept.write_parquet), (beside, plain_cells(kept).write_csv)):
        temporary = path.with_name(f"writing-{os.getpid()}")
        write(temporary)
        os.utime(temporary, (written.st_atime, written.st_mtime))
        temporary.replace(path)
