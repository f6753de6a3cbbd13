"""How a text table is written: which sign separates its columns, told by its header or by a spreadsheet's own line."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

MARK = b"\xef\xbb\xbf"
LINE_END = re.compile(rb"[\r\n]")
SEP_LINE = re.compile(rb'^"?sep=([^\r\n"])"?(?:\r\n|\r|\n)', re.IGNORECASE)
SEPARATORS = (",", ";", "\t", "|")
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Dialect:
    """The separator of a file, and how many bytes stand before its header."""

    separator: str
    before: int = 0


def dialect_of(start: bytes, separator: str) -> Dialect:
    """The dialect of a file by its first bytes; the separator that was stated, unless its header has one column by it.

    Another one is taken only where it is the only one that divides the header; values are never looked at.
    """
    before = len(start) - len(start.removeprefix(MARK).lstrip(b"\r\n"))
    stated = SEP_LINE.match(start[before:])
    if stated:
        return Dialect(stated.group(1).decode("latin-1"), before + stated.end())
    line = LINE_END.split(start[before:], maxsplit=1)[0].decode("utf-8", errors="replace")
    if _divided(line, separator):
        return Dialect(separator)
    dividing = [sign for sign in SEPARATORS if sign != separator and _divided(line, sign)]
    return Dialect(dividing[0] if len(dividing) == 1 else separator)


def _divided(line: str, separator: str) -> bool:
    """Whether a separator divides a line into several names, each of them once."""
    try:
        names = [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    except (csv.Error, TypeError):
        return False
    return len(names) > 1 and len(set(names)) == len(names) and all(names)
