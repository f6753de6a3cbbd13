"""Rows as they were received, column by column: texts without space around them, other types as a reader gave them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Text
from features.algebra.frames import MANY
from features.algebra.tables import STRING, Table
from features.algebra.written import SPACE, Few, Many, Written, written_of
from features.consignment import EXTRA, Column, Kind

GROUP_SEPARATOR, SEPARATOR_IN_WORDS = "\x1d", "<GS>"  # what scanners put between the elements of a code: no damage
UNDECODABLE = "\ufffd"  # replaces bytes that are not text; the gate refuses it by this mark
PLAIN = (pl.String, pl.Null, pl.Datetime, pl.Date)
Places = npt.NDArray[np.intp]
Given = Written | pl.Series


@dataclass(frozen=True, slots=True)
class Received:
    """Rows before they are judged.

    lines: the number of each. columns: those that came, in their order, then those of the contract that did not; texts,
    and series of other types. foreign: of columns that hold what no column of the contract does, that in words.
    extras: the foreign columns that are kept.
    """

    lines: npt.NDArray[np.int64]
    columns: Mapping[str, Given]
    foreign: Mapping[str, str]
    extras: Sequence[str]

    def __len__(self) -> int:
        return len(self.lines)

    def frame(self, places: Places | None = None) -> pl.DataFrame:
        """Return rows as a frame, without their lines: those at some places, or all."""
        return pl.DataFrame([_series(given, name, places) for name, given in self.columns.items()])


def received(rows: Table, columns: Sequence[Column]) -> Received:
    """Return rows with every column of the contract, as text, numbers or times; empty text is none."""
    kinds = {column.name: column.kind for column in columns}
    size, many = len(rows), len(rows) >= MANY
    stripped = _stripped_by_polars(rows) if many else {}
    given: dict[str, Given] = {}
    foreign: dict[str, str] = {}
    for name, dtype in rows.kinds.items():
        if name in stripped:
            given[name] = Many(stripped[name])
        elif dtype is STRING or dtype == pl.String:
            given[name] = Few(_stripped(rows.text(name), name))
        elif name != "line":
            given[name] = _of_another_type(rows.series(name), is_known=name in kinds)
            if name in kinds and (words := _in_words(dtype, kinds[name])):
                foreign[name] = words
    given |= {name: Few.nothing(size) for name in kinds if name not in given}
    return Received(_lines(rows), given, foreign, _extras(given, kinds))


def received_as_is(frame: pl.DataFrame) -> Received:
    """Return the rows of a frame that is complete and stripped already, with its `line`."""
    columns = {
        name: written_of(frame[name]) if dtype == pl.String else frame[name]
        for name, dtype in frame.schema.items()
        if name != "line"
    }
    return Received(_lines(Table.of_frame(frame)), columns, {}, _extras(columns, {}))


def _extras(given: Iterable[str], known: Container[str]) -> list[str]:
    return [name for name in given if name not in known and name.startswith(EXTRA)]


def _lines(rows: Table) -> npt.NDArray[np.int64]:
    return rows.whole("line").values if "line" in rows else np.arange(2, len(rows) + 2, dtype=np.int64)


def _stripped(text: Text, name: str) -> Text:
    """Return texts without space around them; of a scanned code its separators in words."""
    words = text.words
    if len(words) == 1 and words[0] is None:
        return text
    if name == "product_code":
        words = [None if word is None else word.replace(GROUP_SEPARATOR, SEPARATOR_IN_WORDS) for word in words]
    return Text(text.codes, [None if word is None else word.strip(SPACE) or None for word in words])


def _stripped_by_polars(rows: Table) -> dict[str, pl.Series]:
    names = [name for name, dtype in rows.kinds.items() if dtype == pl.String]
    texts = (_in_words_of_a_scanner(name).str.strip_chars() for name in names)
    stripped = rows.frame.select(texts)
    empty = stripped.select((pl.all() == "").any()).row(0) if names else ()
    holed = [name for name, has_empty in zip(names, empty, strict=True) if has_empty]
    if holed:
        stripped = stripped.with_columns(pl.col(holed).replace("", None))
    return {name: stripped[name] for name in names}


def _in_words_of_a_scanner(name: str) -> pl.Expr:
    text = pl.col(name)
    if name != "product_code":
        return text
    return text.str.replace_all(GROUP_SEPARATOR, SEPARATOR_IN_WORDS, literal=True)


def _of_another_type(series: pl.Series, *, is_known: bool) -> Given:
    """Return Boolean, enumerated and binary columns as texts, what nobody can read as a mark that the gate refuses."""
    dtype = series.dtype
    if dtype == pl.Null and is_known:
        return Few.nothing(len(series))
    if dtype in PLAIN or dtype.is_numeric() or isinstance(dtype, pl.Datetime):
        return series
    if dtype in (pl.Boolean, pl.Categorical, pl.Enum):
        texts = series.cast(pl.String)
    elif dtype == pl.Binary:
        cells = [None if cell is None else cell.decode("utf-8", errors="replace") for cell in series]
        texts = pl.Series(series.name, cells, dtype=pl.String)
    else:
        texts = pl.select(pl.when(series.is_not_null()).then(pl.lit(UNDECODABLE)).alias(series.name)).to_series()
    stripped = texts.to_frame().select(_in_words_of_a_scanner(series.name).str.strip_chars().replace("", None))
    return written_of(stripped.to_series())


def _in_words(dtype: pl.DataType, kind: Kind) -> str:
    """What a column of this type holds, where a column of the contract's kind cannot; empty where it can."""
    if dtype.is_nested():
        return "a record" if isinstance(dtype, pl.Struct) else "a list"
    if dtype.is_temporal() and kind != "time":
        return {"Duration": "a duration", "Time": "a time of day"}.get(str(dtype.base_type()), "a date")
    if dtype == pl.Object:
        return "an object"
    return "bytes" if dtype == pl.Binary and kind != "text" else ""


def _series(given: Given, name: str, places: Places | None) -> pl.Series:
    if isinstance(given, pl.Series):
        return given if places is None else given.gather(places)
    return (given if places is None else given.take(places)).series(name)
