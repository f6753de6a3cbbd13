"""Lists as tables: comma, semicolon, tab or bar between columns; names of columns as people write them."""

from __future__ import annotations

import csv
import io
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rapidfuzz.distance import DamerauLevenshtein

from features.intelligence.cells import values_of
from features.intelligence.free_text import report_of
from features.intelligence.statements import PROPERTIES, Reading, Row, Unreadable
from features.intelligence.web_identities import placed, platform_named

NAMES = Path(__file__).with_name("list_columns.toml")
SEPARATORS = ",;\t|"
NO_WORD = re.compile(r"[\W_]+")
LONG_NAME = 5  # letters from which a name may have one slip
KEY, ROLE, PLATFORM, TEXT = "key", "role", "platform", "text"  # what a column can be beside a property
ON = "on "  # before a platform: a column of pseudonyms on it
MOST_COLUMNS = 500


@dataclass(frozen=True, slots=True)
class _Names:
    """What columns are called (list_columns.toml), as compared."""

    of_column: dict[str, str]  # name → property, KEY, ROLE, PLATFORM or TEXT
    suspect: tuple[str, ...]
    innocent: frozenset[str]


@cache
def _names() -> _Names:
    content: dict[str, Any] = tomllib.loads(NAMES.read_text(encoding="utf-8"))
    of_column = {_key(name): prop for prop, names in content["columns"].items() for name in names}
    of_column |= {_key(name): KEY for name in content["keys"]["names"]}
    of_column |= {_key(name): ROLE for name in content["role"]["names"]}
    of_column |= {_key(name): meaning for meaning in (PLATFORM, TEXT) for name in content[meaning]["names"]}
    suspect = tuple(f"{_key(word)} " for word in content["suspect"]["words"])
    return _Names(of_column, suspect, frozenset(map(_key, content["role"]["innocent"])))


def read_table(text: str, reading: Reading) -> Iterator[Row]:
    """Yield the statements of each line of a table; a line that states nothing is a problem with its number."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    first, _, rest = text.partition("\n")
    if first.lower().startswith("sep=") and len(first) == len("sep=") + 1:
        text, separator = rest, first[-1]
    else:
        separator = max(SEPARATORS, key=first.count)
    lines = csv.reader(io.StringIO(text), delimiter=separator)
    try:
        header = next(lines, [])
    except csv.Error:
        raise Unreadable("the first line is no CSV; name the columns there") from None
    columns = _columns(header, reading)
    for number, cells in _numbered(lines, reading):
        yield from _line(number, [(of, cell) for of, cell in zip(columns, cells, strict=False) if of], reading)


def _columns(header: list[str], reading: Reading) -> list[str | None]:
    """Return what each column holds; raises Unreadable where nothing of a party is among them."""
    if len(header) > MOST_COLUMNS:
        raise Unreadable(f"the list has more than {MOST_COLUMNS} columns; leave out those that nobody reads")
    columns = [column_meaning(name) for name in header]
    if not any(column in PROPERTIES or column == TEXT or (column or "").startswith(ON) for column in columns):
        raise Unreadable(f"no column of the list is known; name columns as in {', '.join(PROPERTIES)}")
    unknown = sum(column is None for column in columns)
    if unknown:
        reading.leave_out("column", "its name is none of the list's (docs/how-to/watch-lists.md)", unknown)
    return columns


def column_meaning(name: str) -> str | None:
    """Return the property that a column's name tells, `key`, `role`, or None.

    A name may have one slip (`adress`), a number at its end (`email 2`) or a word for the suspect before it (`seller
    phone`). Any other word makes it another column: `reporter_email` is nobody's who is listed.
    """
    names = _names()
    key = _key(name.split("(")[0] or name).rstrip("0123456789 ")
    if known := names.of_column.get(key):
        return known
    if on := _on_platform(key):
        return on
    for word in names.suspect:
        if key.startswith(word):
            return names.of_column.get(key.removeprefix(word)) or _near(key.removeprefix(word))
    return _near(key)


def _on_platform(key: str) -> str | None:
    """Return what a column of pseudonyms on a platform holds: `instagram`, `pseudo snapchat`, `compte vinted`."""
    words = key.split()
    named = platform_named(" ".join(word for word in words if _names().of_column.get(word) != "account"))
    return f"{ON}{named.name}" if named else None


def _near(key: str) -> str | None:
    """Return the meaning of the only name that is one slip away; None where names of several meanings are."""
    if not LONG_NAME <= len(key) <= 40:
        return None
    found = {
        meaning
        for name, meaning in _names().of_column.items()
        if len(name) >= LONG_NAME and name[0] == key[0] and DamerauLevenshtein.distance(name, key, score_cutoff=1) <= 1
    }
    return found.pop() if len(found) == 1 else None


def _key(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name[:100]).casefold()
    return NO_WORD.sub(" ", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip()


def _numbered(lines: Any, reading: Reading) -> Iterator[tuple[int, list[str]]]:
    while True:
        try:
            cells = next(lines, None)
        except csv.Error:
            reading.problem(lines.line_num, "a line that is no CSV", "check its quotes and its length")
            continue
        if cells is None:
            return
        if cells:
            yield lines.line_num, cells


def _line(number: int, cells: list[tuple[str, str]], reading: Reading) -> Iterator[Row]:
    role = next((_key(cell) for column, cell in cells if column == ROLE and cell.strip()), "")
    if role in _names().innocent:
        reading.leave_out("line", "its role is not that of a suspect")
        return
    stated = list(_stated(cells, reading))
    key = next((cell.strip() for column, cell in cells if column == KEY and cell.strip()), None)
    reports = [cell for column, cell in cells if column == TEXT and cell.strip()]
    if not stated and not reports:
        reading.problem(number, "a line that states nothing", f"fill one of {', '.join(PROPERTIES)}")
        return
    label = next((text for prop, text in stated if prop == "name"), f"line {number}")
    subject = key or "\x1f".join(text for _, text in sorted(stated)) or f"line {number}"  # one line is one subject
    yield from ((subject, label, prop, text) for prop, text in stated)
    for text in reports:
        for of, _, prop, value in report_of(subject, text, reading):
            yield of, label, prop, value


def _stated(cells: list[tuple[str, str]], reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield what the cells of a line state, pseudonyms as what they are on their platform."""
    platform = next((cell for column, cell in cells if column == PLATFORM and cell.strip()), "")
    for column, cell in cells:
        if column in PROPERTIES:
            yield from placed(((column, value) for value in values_of(column, cell)), platform, reading)
        elif column.startswith(ON):
            for value in values_of("url" if "://" in cell else "account", cell):
                is_address = "://" in value or value.startswith("www.")
                yield from (
                    [("url", value)] if is_address else placed([("account", value)], column.removeprefix(ON), reading)
                )
