"""Thrift's compact protocol, as much of it as says what a Parquet file holds: read within a budget, never trusted."""

from __future__ import annotations

from typing import Any, TypeAlias

STOP, TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(13)  # kinds of values
DEEPEST = 12  # structs and lists within one another; a footer has six
LONGEST_NUMBER = 10  # bytes
LONGEST_NAME = 60  # bytes that are kept
Struct: TypeAlias = dict[int, Any]  # number of a field → whole number, short bytes, struct or list; None for all else


class Compact:
    """Bytes that are read as structs; `place` is where the next one stands."""

    def __init__(self, content: bytes, place: int, budget: int) -> None:
        """budget: of values; whoever writes more means harm."""
        self._content, self.place, self._budget = content, place, budget

    def struct(self, depth: int = 0) -> Struct:
        """Read a struct; raises ValueError for bytes that are none, and beyond the budget."""
        if depth > DEEPEST:
            raise ValueError("structs within structs")
        fields: Struct = {}
        number = 0
        while (first := self._byte()) != STOP:
            number = number + (first >> 4) if first >> 4 else self._signed()
            kind = first & 0x0F
            fields[number] = None if kind in (TRUE, FALSE) else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        self._budget -= 1
        if self._budget < 0:
            raise ValueError("too many values")
        if kind in (I16, I32, I64):
            return self._signed()
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (LIST, SET):
            return self._list(depth + 1)
        if kind == BINARY:
            length = self._unsigned()
            self.place += length
            return self._content[self.place - length : self.place] if length <= LONGEST_NAME else None
        if kind in (TRUE, FALSE, BYTE):  # in a list a truth value is a byte
            self.place += 1
        elif kind == DOUBLE:
            self.place += 8
        else:
            raise ValueError("a kind of value that no footer and no page has")
        return None

    def _list(self, depth: int) -> list[Any]:
        first = self._byte()
        size = first >> 4 if first >> 4 != 0x0F else self._unsigned()
        if size > self._budget or depth > DEEPEST:
            raise ValueError("too many values")
        return [self._value(first & 0x0F, depth) for _ in range(size)]

    def _byte(self) -> int:
        if self.place >= len(self._content):
            raise ValueError("beyond the end of the file")
        self.place += 1
        return self._content[self.place - 1]

    def _unsigned(self) -> int:
        number = 0
        for shift in range(LONGEST_NUMBER):
            byte = self._byte()
            number |= (byte & 0x7F) << (7 * shift)
            if byte < 0x80:
                return number
        raise ValueError("a number without an end")

    def _signed(self) -> int:
        number = self._unsigned()
        return (number >> 1) ^ -(number & 1)
