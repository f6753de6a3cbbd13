"""How a file of settled decisions holds what rows keep as JSON: each field of a content in a column of its own.

Numbers that are hexadecimal texts in rows are bytes in a file, half as long: hashes do not compress.

The file says in its metadata which column holds which field, so that it is read as it was written whatever later
versions call their fields; one of an earlier version has no such metadata, and holds the JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import orjson
import polars as pl
import pyarrow as pa

from features.moments import EPOCH, iso

EMPTIED = {b"tamis-emptied": b"yes"}  # in the metadata of a file all content of which was erased
METADATA = b"tamis"  # the key of the layout in the metadata of Parquet
HEXADECIMAL = {"leaf": 32, "salt": 16, "decision_id": 16}  # columns of which a file holds the bytes, and how many
Kind = Literal["plain", "moment", "json", "lines"]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a content: its name, the column of the file that holds it, and how.

    plain: as it is. moment: as microseconds since 1970. json: as text. lines: as a list of structures.
    """

    name: str
    column: str
    kind: Kind = "plain"


@dataclass(frozen=True, slots=True)
class Content:
    """The fields of a content, in their order. sparse: what is unknown is not named in it, rather than named null."""

    fields: tuple[Field, ...]
    sparse: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns of the file that it is read from."""
        return [field.column for field in self.fields]

    def read(self, rows: pa.Table) -> list[dict[str, Any]]:
        """Return the content of each row of a file."""
        names = [field.name for field in self.fields]
        columns = [_values(rows.column(field.column), field.kind) for field in self.fields]
        if self.sparse:
            return [_known(names, row) for row in zip(*columns, strict=True)]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


Layout = Mapping[str, Content]


def as_metadata(layout: Layout) -> dict[bytes, bytes]:
    """Return what a file says of its layout; contents by the column that rows keep each in."""
    contents = {
        name: {"sparse": content.sparse, "fields": [(f.name, f.column, f.kind) for f in content.fields]}
        for name, content in layout.items()
    }
    return {METADATA: orjson.dumps(contents)}


def layout_of(metadata: Mapping[bytes, bytes] | None) -> Layout:
    """Return what a file says of its layout; nothing where it holds JSON."""
    contents = orjson.loads((metadata or {}).get(METADATA, b"{}"))
    return {
        name: Content(tuple(Field(*field) for field in content["fields"]), content["sparse"])
        for name, content in contents.items()
    }


def as_bytes(rows: pa.Table) -> pa.Table:
    """Return rows as a file holds them."""
    for at, name in enumerate(rows.column_names):
        if name in HEXADECIMAL:
            texts = pl.Series(pl.from_arrow(rows.column(name))).cast(pl.String)
            packed = texts.str.decode("hex").to_arrow(compat_level=pl.CompatLevel.oldest())
            rows = rows.set_column(at, name, packed.cast(pa.binary()).cast(pa.binary(HEXADECIMAL[name])))
    return rows


def as_texts(rows: pa.Table) -> pa.Table:
    """Return rows of a file as tables have them; one of an earlier version holds texts."""
    for at, field in enumerate(rows.schema):
        if pa.types.is_fixed_size_binary(field.type):
            packed = pl.Series(pl.from_arrow(rows.column(at).cast(pa.binary())))
            texts = packed.bin.encode("hex").to_arrow(compat_level=pl.CompatLevel.oldest())
            rows = rows.set_column(at, field.name, texts.cast(pa.string()))
    return rows


def texts_in(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the same of rows as polars has them."""
    return rows.with_columns(pl.selectors.binary().bin.encode("hex"))


def _known(names: list[str], values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def _values(column: pa.ChunkedArray, kind: Kind) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if kind == "moment":
        return [None if value is None else iso(EPOCH + timedelta(microseconds=value)) for value in values]
    if kind == "json":
        return [None if value is None else orjson.loads(value) for value in values]
    if kind == "lines":
        return [[_known([*line], tuple(line.values())) for line in lines or ()] for lines in values]
    return values
