"""The output of a reader: flat rows for the gate, unreadable records, and data problems noticed on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from features.choices import FormatName
from features.consignment import BY_NAME, CONSIGNMENT_COLUMNS, GOODS_COLUMNS
from features.contract import no_quarantine
from features.fault import Fault
from features.item_numbers import item_number

if TYPE_CHECKING:
    from features.messages.bounds import Bounds

NOTED = pl.Schema({"line": pl.Int64(), "field": pl.String(), "problem": pl.String()})
STOWED = pl.Schema({"consignment_id": pl.String(), "receptacle": pl.String()})
NO_HOUSE = "missing; called by its place in the message"
NOT_STATED = "not stated"  # stands for a missing description, so that the consignment is still decided
TEXT_COLUMNS = tuple(c.name for c in (*CONSIGNMENT_COLUMNS, *GOODS_COLUMNS))
Fields = Mapping[str, str | None]


class UnreadableFile(Fault):
    """A file that cannot be read at all; the message names the cause and the remedy, and echoes no content."""


@dataclass(frozen=True, slots=True)
class Raw:
    """The content of a message or file before the gate.

    rows: one row per goods line with `line`: in a flat file the line of the record (the header is 1), in a message the
        number of the goods line. CSV columns are text, Parquet columns as stored, a message's columns text.
    broken: QUARANTINE_COLUMNS, the unreadable records.
    noted: NOTED, data problems of rows that were read.
    header: of the message, for the answer to refer to.
    stowed: STOWED, the receptacle of each item, of a postal dispatch list.
    separator: of a text table, if its header shows another one than was stated.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame
    format: FormatName = "flat"
    noted: pl.DataFrame = field(default_factory=NOTED.to_frame)
    header: Mapping[str, str] = field(default_factory=dict)
    stowed: pl.DataFrame = field(default_factory=STOWED.to_frame)
    separator: str = ""

    @property
    def received(self) -> int:
        return self.rows.height + self.broken.height


class Lines:
    """Rows as a reader finds them: all text, one per goods line, numbered from 1."""

    def __init__(self, name: str, bounds: Bounds) -> None:
        """name: what the message is called in a refusal."""
        self._message, self._bounds = name, bounds
        self._rows: list[dict[str, str | None]] = []
        self._noted: list[tuple[int, str, str]] = []
        self._nameless: dict[int, int] = {}  # place of a row → place of its consignment, if that has no number
        self._consignments = 0

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, consignment: Fields, goods: Sequence[Fields], notes: Sequence[tuple[str, str]] = ()) -> None:
        """Add a consignment and its goods lines; where a message has none, a line without goods.

        notes: `field` and `problem`, its data problems. Raises UnreadableFile where the message has too many.
        """
        self._bounds.check_rows(len(self._rows) + max(1, len(goods)), len(TEXT_COLUMNS), self._message)
        first = len(self._rows)
        self._consignments += 1
        self._noted += [(first + 1, *note) for note in notes]
        numbers = [line["line_no"] for line in goods if line.get("line_no")]
        if len(set(numbers)) != len(numbers):
            self._noted.append((first + 1, "line_no", "the same number twice; counted anew"))
            goods = [{**line, "line_no": None} for line in goods]
        for line in goods or ({},):
            self._add_line({**consignment, **line})

    def _add_line(self, row: dict[str, str | None]) -> None:
        described, place = (row.get("description") or "").strip(), len(self._rows) + 1
        if not described:
            self._noted.append((place, "description", "missing"))
        longest = BY_NAME["description"].longest
        if len(described) > longest:
            self._noted.append((place, "description", f"only its first {longest:,} characters are kept"))
        if number := row.get("consignment_id"):
            row["consignment_id"] = item_number(number)
        else:
            self._nameless[place] = self._consignments
            self._noted.append((place, "consignment_id", NO_HOUSE))
        self._rows.append({**row, "description": described[:longest] or NOT_STATED})

    def raw(self, format: FormatName, message_id: str, header: Mapping[str, str] | None = None) -> Raw:
        """Return all lines as one message; a consignment without a number is named after its place in the message."""
        for row in self._rows:
            row["message_id"] = row.get("message_id") or message_id
        for place, consignment in self._nameless.items():
            row = self._rows[place - 1]
            row["consignment_id"] = f"{row['message_id']}#{consignment}"[-BY_NAME["consignment_id"].longest :]
        rows = pl.DataFrame(self._rows, schema=dict.fromkeys(TEXT_COLUMNS, pl.String), orient="row")
        rows = rows.with_row_index("line", offset=1)
        noted = pl.DataFrame(sorted(set(self._noted)), schema=NOTED, orient="row")
        return Raw(rows.with_columns(pl.col("line").cast(pl.Int64)), no_quarantine(), format, noted, header or {})
