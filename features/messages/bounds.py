"""What one message or file may hold at most: all of it is refused before it is read, not after."""

from __future__ import annotations

from dataclasses import dataclass

from features.messages.raw import UnreadableFile

MB = 1024**2


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one message or file may hold at most.

    unpacked: bytes, once unpacked, and of the texts of a table as they are read. message: bytes of one XML or JSON
    message. rows: of a table; goods lines of a message. columns: of a table. cells: rows times columns. signs: what
    begins an element, an attribute, a member or a value in XML or JSON. workbooks: whether they are read at all.
    """

    unpacked: int
    message: int
    rows: int
    columns: int
    cells: int
    signs: int
    workbooks: bool = False

    def check_size(self, size: int, name: str) -> None:
        """Refuse a message of more bytes; raises UnreadableFile."""
        if size > self.message:
            raise UnreadableFile(f"{name}: more than {self.message // MB} MB in one message; split it")

    def check_unpacked(self, size: int, name: str) -> None:
        """Refuse what unpacks to more bytes; raises UnreadableFile."""
        if size > self.unpacked:
            raise UnreadableFile(f"{name}: unpacks to more than {self.unpacked:,} bytes; split it")

    def check_columns(self, columns: int, name: str) -> None:
        """Refuse a table of more columns; raises UnreadableFile."""
        if columns > self.columns:
            raise UnreadableFile(f"{name}: more than {self.columns:,} columns; leave out those that nobody reads")

    def check_rows(self, rows: int, columns: int, name: str) -> None:
        """Refuse a table, or goods lines, of more rows or cells; raises UnreadableFile."""
        if rows > self.rows:
            raise UnreadableFile(f"{name}: more than {self.rows:,} goods lines at once; split it")
        if rows * columns > self.cells:
            raise UnreadableFile(f"{name}: more than {self.cells:,} cells (rows times columns); split it")

    def check_signs(self, signs: int, name: str) -> None:
        """Refuse a message of more elements, attributes, members or values; raises UnreadableFile."""
        if signs > self.signs:
            raise UnreadableFile(f"{name}: more than {self.signs:,} elements or values in one message; split it")


# A call: a thousand consignments of a hundred goods lines, in the columns of the contract. Reading and deciding takes
# some 40 bytes for each byte of text, 800 MB at the most, so that a worker stays below 1.5 GB; a flat line has some 150
# bytes and an ICS2 house, the wordiest, some 100 elements.
OF_A_CALL = Bounds(
    unpacked=16 * MB, message=16 * MB, rows=100_000, columns=500, cells=5_000_000, signs=500_000
)  # fmt: skip
# A file that a command reads: a day of millions of lines, which is read in parts. One XML or JSON message of a file is
# read whole; its elements take some 200 bytes each.
OF_A_FILE = Bounds(
    unpacked=4096 * MB, message=256 * MB, rows=100_000_000, columns=2_000, cells=20_000_000_000, signs=20_000_000,
    workbooks=True,
)  # fmt: skip
