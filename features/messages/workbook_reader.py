"""One sheet of a workbook, from standard input to CSV on standard output: a program of its own, with limits of its own.

    python workbook_reader.py SHEET BYTES < day.xlsx > day.csv

It is run by `features.messages.workbook`, beside the product and without its modules, so that a workbook which takes
all memory or all time ends this process and no other. Exit codes: 3 no such sheet, 4 locked, 5 empty, 6 too much,
7 damaged.
"""

from __future__ import annotations

import csv
import datetime
import io
import sys
from decimal import Decimal
from typing import Any

MEMORY, SECONDS = 3 * 1024**3, 100
NO_SHEET, LOCKED, EMPTY, TOO_MUCH, DAMAGED = 3, 4, 5, 6, 7
EXACT, DIGITS, LOST_DIGITS = 2.0**53, 15, "(last digits lost)"  # as in features.numerals, which a test compares
Cell = Any  # str, bool, int, float, date, time, datetime or timedelta


def limit() -> None:
    """Bound memory and time, where the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def text_of(cell: Cell, timed: bool) -> str:
    """A cell as text: whole numbers as digits, times in ISO 8601; a date as its midnight where its column is timed."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell == int(cell):
        digits = str(int(cell)) if abs(cell) < EXACT else format(Decimal(repr(cell)), "f").removesuffix(".0")
        return digits if abs(cell) < EXACT or len(digits.lstrip("-").rstrip("0")) <= DIGITS else LOST_DIGITS
    if isinstance(cell, datetime.datetime):
        return _rounded(cell).isoformat()
    if isinstance(cell, datetime.date):
        return cell.isoformat() + ("T00:00:00" if timed else "")
    return cell.isoformat() if isinstance(cell, datetime.time) else str(cell)


def _rounded(moment: datetime.datetime) -> datetime.datetime:
    """The nearest second: a fraction of a day has no more digits than that."""
    second = moment.replace(microsecond=0)
    return second + datetime.timedelta(seconds=round(moment.microsecond / 1e6))


def rows_of(content: bytes, sheet: str) -> list[list[Cell]]:
    """The cells of a sheet, from its first row on; ends the process where there is none."""
    import python_calamine as calamine

    try:
        workbook = calamine.load_workbook(io.BytesIO(content))
        shown = [one.name for one in workbook.sheets_metadata if one.visible == calamine.SheetVisibleEnum.Visible]
        names = [sheet] if sheet else [*shown, *workbook.sheet_names]
        if not names or names[0] not in workbook.sheet_names:
            sys.exit(NO_SHEET)
        found = workbook.get_sheet_by_name(names[0])
    except calamine.PasswordError:
        sys.exit(LOCKED)
    except Exception:  # noqa: BLE001 - whatever a library says of a file of strangers
        sys.exit(DAMAGED)
    if found.start is None:
        sys.exit(EMPTY)
    return list(found.iter_rows())


def as_text(rows: list[list[Cell]]) -> list[list[str]]:
    """The cells as text, an empty row as none; a midnight among times of day is one too."""
    width = max(map(len, rows), default=0)
    timed = [any(isinstance(row[place], datetime.datetime) for row in rows) for place in range(width)]
    texts = ([text_of(cell, timed[place]) for place, cell in enumerate(row)] for row in rows)
    return [row if any(row) else [] for row in texts]


def without_blank_columns(rows: list[list[str]]) -> list[list[str]]:
    """The rows without columns that have neither a name nor a value."""
    width = max(map(len, rows), default=0)
    used = [place for place in range(width) if any(row[place] for row in rows if row)]
    return [[row[place] for place in used] if row else [] for row in rows]


def main(sheet: str, most: int) -> None:
    limit()
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    for row in without_blank_columns(as_text(rows_of(sys.stdin.buffer.read(), sheet))):
        writer.writerow(row)
        if written.tell() > most:
            sys.exit(TOO_MUCH)
    sys.stdout.buffer.write(written.getvalue().encode("utf-8", errors="replace"))


if __name__ == "__main__":
    try:
        main(sys.argv[1], int(sys.argv[2]))
    except MemoryError:
        sys.exit(TOO_MUCH)
