"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .ods): one sheet as CSV in UTF-8, read in a process of its own.

A workbook of two kilobytes can name a cell in its last row and column, for which a reader takes the memory of the whole
sheet, or ends. So it is read beside this process, within limits of memory and time.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Collection
from io import BytesIO
from pathlib import Path

from features.messages.bounds import Bounds
from features.messages.raw import UnreadableFile

READER = Path(__file__).with_name("workbook_reader.py")
SECONDS = 120  # for the largest sheet that there can be
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP = b"PK\x03\x04"
OF_WORKBOOK = ("xl/workbook.xml", "xl/workbook.bin")
CALC = b"application/vnd.oasis.opendocument.spreadsheet"
OLE_STREAMS = ("Workbook", "Book", "EncryptedPackage")
SAVE = "open it and save it as CSV UTF-8 (comma-separated)"
REASONS = {  # by the exit code of the reader
    3: "has no such sheet; name one as it is written, or none for the first (--sheet, or [file] sheet of a mapping)",
    4: f"behind a password; take the password away, or {SAVE}",
    5: "without a cell; name another sheet (--sheet, or [file] sheet of a mapping)",
    7: f"that cannot be read; {SAVE}",
}
TOO_LARGE = f"whose cells reach too far to be read; delete what stands apart, or {SAVE}"
NO_CALL = f"which a call does not take; {SAVE}, or use `tamis ingest`"


def is_workbook(content: bytes) -> bool:
    """Whether bytes are a workbook or a spreadsheet, told from the names within the archive."""
    if content.startswith(OLE):
        return bool(names_of_streams(content, OLE_STREAMS))
    if not content.startswith(ZIP):
        return False
    return CALC in content[:200] or any(name in OF_WORKBOOK for name in names_in_zip(content))


def names_of_streams(content: bytes, names: Collection[str]) -> list[str]:
    """Those of the names that the directory of a compound file gives to a stream: 64 bytes each."""
    return [name for name in names if name.encode("utf-16-le").ljust(64, b"\0") in content]


def names_in_zip(content: bytes) -> list[str]:
    """The names of the files in a zip archive; none where it is damaged."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return []


def sheet_as_csv(content: bytes, name: str, sheet: str, bounds: Bounds) -> bytes:
    """One sheet of a workbook as CSV, its first one where none is named; raises UnreadableFile.

    Whole numbers are their digits, dates and times in ISO 8601 without a zone, for a workbook states none.
    """
    what = "an OpenDocument spreadsheet" if CALC in content[:200] else "an Excel workbook"
    if not bounds.workbooks:
        raise UnreadableFile(f"{name}: {what}, {NO_CALL}")
    command = [sys.executable, "-I", str(READER), sheet, str(bounds.unpacked)]
    try:
        done = subprocess.run(command, input=content, capture_output=True, timeout=SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as fault:
        raise UnreadableFile(f"{name}: {what} {TOO_LARGE}") from fault
    if done.returncode == 1:  # it did not come to read
        raise RuntimeError(f"{READER.name}: {done.stderr.decode(errors='replace')[-500:]}")
    if done.returncode:
        raise UnreadableFile(f"{name}: {what} {REASONS.get(done.returncode, TOO_LARGE)}")
    return done.stdout
