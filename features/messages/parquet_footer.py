"""How large a Parquet file is, told from its footer and the headers of its pages before any of them is unpacked.

A footer can state anything, and so both are read here: a library that reads a forged one takes the memory that it
states, or ends its process.
"""

from __future__ import annotations

from typing import Any

from features.messages.bounds import Bounds
from features.messages.compact_protocol import Compact, Struct
from features.messages.raw import UnreadableFile

PARQUET = b"PAR1"  # how such a file begins and ends
SCHEMA, ROWS, GROUPS = 2, 3, 4  # fields of a footer
KIND, WIDTH, REPETITION, NAME, CHILDREN = 1, 2, 3, 4, 5  # of an element of its schema
FIXED, REPEATED = 7, 2  # a kind of bytes of one width; a repetition that makes lists
CHUNKS, GROUP_ROWS = 1, 3  # of a group of rows
CHUNK = 3  # of a part of a column in a group: what it says of itself
STORED, DATA, DICTIONARY = 7, 9, 11  # of that: bytes as stored, where its pages and its dictionary begin
UNPACKED, PACKED = 2, 3  # of the header of a page


def check_footer(content: bytes, name: str, bounds: Bounds) -> None:
    """Refuse a file of too many rows, columns or bytes; raises UnreadableFile, and ValueError for a damaged file."""
    length = int.from_bytes(content[-8:-4], "little")
    start = len(content) - 8 - length
    if start < len(PARQUET) or content[-4:] != PARQUET:
        raise ValueError("no footer")
    footer = Compact(content, start, bounds.signs).struct()
    leaves = _leaves(footer, name)
    groups = _structs(footer, GROUPS)
    rows = max(_number(footer, ROWS), sum(_number(group, GROUP_ROWS) for group in groups))
    bounds.check_columns(len(leaves), name)
    bounds.check_rows(rows, max(1, len(leaves)), name)
    fixed = sum(_number(leaf, WIDTH) for leaf in leaves if leaf.get(KIND) == FIXED)
    bounds.check_unpacked(fixed * rows, name)
    chunks = [chunk for group in groups for chunk in _structs(group, CHUNKS)]
    bounds.check_unpacked(sum(_unpacked(content, chunk, bounds) for chunk in chunks), name)


def _leaves(footer: Struct, name: str) -> list[Struct]:
    """The columns of a schema; raises UnreadableFile where one holds lists or records."""
    _, *elements = _structs(footer, SCHEMA) or [{}]
    nested = next((one for one in elements if one.get(CHILDREN) or one.get(REPETITION) == REPEATED), None)
    if nested is not None:
        column = _column_name(nested)
        raise UnreadableFile(f"{name}: {column} holds lists or records; write one value in a cell")
    return elements


def _column_name(element: Struct) -> str:
    name = element.get(NAME)
    text = name.decode("utf-8", errors="replace") if isinstance(name, bytes) else ""
    return f'column "{text}"' if text and text.isprintable() else "a column"


def _unpacked(content: bytes, chunk: Struct, bounds: Bounds) -> int:
    """The bytes that the pages of a column unpack to."""
    stated = chunk.get(CHUNK)
    if not isinstance(stated, dict):
        raise ValueError("a column that says nothing of itself")
    place = min(_number(stated, DATA), _number(stated, DICTIONARY) or _number(stated, DATA))
    end = place + _number(stated, STORED)
    if end > len(content):
        raise ValueError("a column beyond the end of the file")
    size = 0
    while place < end and size <= bounds.unpacked:
        header = Compact(content, place, bounds.signs)
        page = header.struct()
        size += _number(page, UNPACKED)
        place = header.place + _number(page, PACKED)
    return size


def _structs(owner: Struct, field: int) -> list[Struct]:
    found = owner.get(field, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError("no list of structs")
    return found


def _number(owner: Struct, field: int) -> int:
    found: Any = owner.get(field, 0)
    if not isinstance(found, int) or found < 0:
        raise ValueError("no number")
    return found
