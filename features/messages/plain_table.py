"""Any table of text as people make it: a text table in any dialect or a sheet of a workbook, as UTF-8 with its sign.

Manifests and results are read by `flat`, which sets damaged records apart. The smaller tables, of applications, serial
numbers and watch lists, are read whole or not at all, and share this.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from features.messages.bounds import OF_A_FILE, Bounds
from features.messages.column_names import of_same_form
from features.messages.dialect import dialect_of
from features.messages.encodings import check_text, in_utf8, likely, remedy
from features.messages.file_kinds import foreign_kind
from features.messages.raw import UnreadableFile
from features.messages.workbook import is_workbook, sheet_as_csv

START = 20_000  # bytes by which a dialect is told


@dataclass(frozen=True, slots=True)
class PlainTable:
    """The text of a table, without a mark and a line that states its separator, and the sign between its columns."""

    text: str
    separator: str


def plain_table(
    content: bytes, name: str, *, encoding: str = "utf-8", sheet: str = "", bounds: Bounds = OF_A_FILE
) -> PlainTable:
    """Read the text of a table; raises UnreadableFile for another kind of file, and for another encoding."""
    if is_workbook(content):
        return PlainTable(sheet_as_csv(content, name, sheet, bounds).decode("utf-8"), ",")
    if foreign := foreign_kind(content):
        raise UnreadableFile(f"{name}: {foreign}")
    content = in_utf8(content, name, encoding)
    if not content.strip():
        raise UnreadableFile(f"{name}: it is empty; send CSV in UTF-8 with a header row")
    check_text(content, name)
    dialect = dialect_of(content[:START], ",")
    try:
        return PlainTable(content[dialect.before :].decode("utf-8"), dialect.separator)
    except UnicodeDecodeError as fault:
        raise UnreadableFile(f"{name}: not UTF-8; {remedy(likely(content))}") from fault


def named_columns(header: Collection[str], known: Collection[str]) -> list[str]:
    """The names of a header, those by which columns are known where they differ in form alone."""
    stripped = [name.strip() for name in header]
    meant_by = {column: name for name, column in of_same_form(stripped, known).items()}
    return [meant_by.get(name, name) for name in stripped]
