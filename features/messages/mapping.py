"""Mapping of a foreign file to the manifest's columns: rename, convert, default, and keep unknown columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import polars as pl

from features.algebra.tables import Table as Columns
from features.consignment import BY_NAME, EXTRA, Column
from features.fault import Fault
from features.iso_times import in_utc, local_in_utc
from features.messages.column_names import of_same_form
from features.messages.conversion import Convert
from features.messages.postal_map import PostalMap, postal_map
from features.numerals import Sign, comma_of, with_decimal_point
from features.outcome import OUTCOME_COLUMNS

OUTCOME_BY_NAME = {column.name: column for column in OUTCOME_COLUMNS}
ExtraKind = Literal["number", "category", "text"]


class MappingFault(Fault):
    """A mapping file that cannot be used; names the section and key at fault."""


@dataclass(frozen=True, slots=True)
class Extra:
    """A foreign column that Tamis does not know, kept as `extra_<name>` and offered to the model."""

    name: str
    source: str
    kind: ExtraKind

    @property
    def column(self) -> str:
        return f"{EXTRA}{self.name}"


@dataclass(frozen=True, slots=True)
class Table:
    """The rules for one kind of row: the manifest's or the outcomes'.

    known: the contract's columns by name; those that a file has under their own name need no rule.
    """

    rename: MappingOf[str, str]
    default: MappingOf[str, str]
    convert: MappingOf[str, Convert]
    known: MappingOf[str, Column]

    def sources(self, columns: Sequence[str], kept: Collection[str] = ()) -> dict[str, str]:
        """Return, for each column of the contract that a file holds, the file's own column.

        kept: columns of the file that are extras, which keep their own name.
        """
        taken = {*self.rename.values(), *kept}
        free = [name for name in columns if name not in taken]
        same_name = {name: name for name in free if name in self.known and name not in self.rename}
        same_form = of_same_form(free, [name for name in self.known if name not in self.rename])
        return {**same_name, **same_form, **self.rename}

    def apply(self, raw: pl.DataFrame, kept: Collection[str] = ()) -> pl.DataFrame:
        """Return `raw` with this table's columns; the source's other columns are dropped."""
        absent = [source for source in self.rename.values() if source not in raw.columns]
        if absent:
            raise MappingFault(f"the file has no column {absent[0]!r}, which the mapping names")
        sources = self.sources(raw.columns, kept)
        renamed = raw.select("line", *(pl.col(old).alias(name) for name, old in sources.items()))
        types = renamed.schema
        converted = renamed.with_columns(
            rule.apply(pl.col(name), types[name]).alias(name) for name, rule in self.convert.items() if name in types
        )
        return converted.with_columns(self._default(name, word, converted) for name, word in self.default.items())

    @staticmethod
    def _default(name: str, word: str, frame: pl.DataFrame) -> pl.Expr:
        if name not in frame.columns:
            return pl.lit(word).alias(name)
        text = pl.col(name).cast(pl.String, strict=False)
        return pl.when(text.is_null() | (text.str.strip_chars() == "")).then(pl.lit(word)).otherwise(text).alias(name)


@dataclass(frozen=True, slots=True)
class Mapping:
    """One mapping file.

    separator, encoding: of a text file. sheet: of a workbook, its first one where it is empty.
    decimal, grouping: signs of numbers; where neither is stated and the mapping names columns, a comma that can be
        nothing but a decimal sign is read as one, unless a column has a conversion of its own.
    zone: that of times that state none, which are refused where it is empty.
    postal: places of values in postal messages.
    lookup: manifest columns of the look-up table that models are compared with.
    """

    separator: str
    manifest: Table | None
    outcomes: Table | None
    extras: tuple[Extra, ...] = ()
    postal: PostalMap = field(default_factory=postal_map)
    lookup: tuple[str, ...] = ()
    caution: str = ""
    decimal: Sign | None = None
    grouping: str = ""
    encoding: str = "utf-8"
    zone: str = ""
    sheet: str = ""

    def written(self, form: MappingOf[str, Any]) -> Mapping:
        """Return the same mapping for a file that is written so: checked keys of `[file]`."""
        return replace(self, **form)

    def to_outcomes(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return rows of control results."""
        return self._in_form((self.outcomes or RESULTS).apply(raw), self.outcomes, OUTCOME_BY_NAME)

    def to_manifest(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Return manifest rows; declared extras and all other foreign columns are kept under `extra_…`."""
        return self._in_form(self._named(raw), self.manifest, BY_NAME)

    def in_manifest(self, raw: Columns) -> Columns:
        """Return the same of columns; those of a call, that bear the contract's names, stay as they are."""
        plain = self.manifest is None and self._has_points and not self.zone
        if plain and all(name == "line" or name.startswith(EXTRA) for name in raw.kinds if name not in BY_NAME):
            return raw
        return Columns.of_frame(self.to_manifest(raw.frame))

    def _in_form(self, rows: pl.DataFrame, table: Table | None, known: MappingOf[str, Column]) -> pl.DataFrame:
        """Convert the numbers of rows to a decimal point, and local times to UTC."""
        kinds = {name: known[name].kind for name in rows.columns if name in known}
        numbers = [name for name, kind in kinds.items() if kind != "text" and rows.schema[name] == pl.String]
        if not self._has_points:
            rows = rows.with_columns(self._pointed(pl.col(name)).alias(name) for name in numbers)
        elif table is not None and self.decimal is None:
            rows = rows.with_columns(_surely_pointed(name) for name in numbers if name not in table.convert)
        times = [name for name, kind in kinds.items() if kind == "time"] if self.zone else []
        return rows.with_columns(_local(pl.col(name), rows.schema[name], self.zone).alias(name) for name in times)

    @property
    def _has_points(self) -> bool:
        """Whether nothing says that numbers are written otherwise than with a decimal point alone."""
        return self.decimal in (None, ".") and not self.grouping

    def _pointed(self, text: pl.Expr) -> pl.Expr:
        """Return text numbers with a decimal point."""
        return with_decimal_point(text, self.decimal or ".", self.grouping)

    def _named(self, raw: pl.DataFrame) -> pl.DataFrame:
        if self.manifest is None:
            return keep_unknown(raw)
        extras = [extra.source for extra in self.extras]
        mapped = self.manifest.apply(raw, extras)
        absent = [source for source in extras if source not in raw.columns]
        if absent:
            raise MappingFault(f"the file has no column {absent[0]!r}, which the mapping names")
        used = {*self.manifest.sources(raw.columns, extras).values(), *extras, "line"}
        declared = raw.select(self._extra(extra) for extra in self.extras)
        names = [name for name in raw.columns if name not in used]
        rest = raw.select(names).rename(_slugs(names, taken=set(declared.columns)))
        return pl.concat([frame for frame in (mapped, declared, rest) if frame.width], how="horizontal")

    def _extra(self, extra: Extra) -> pl.Expr:
        value = pl.col(extra.source)
        if extra.kind == "number" and not self._has_points:
            value = self._pointed(value.cast(pl.String, strict=False))
        kept = value.cast(pl.Float64 if extra.kind == "number" else pl.String, strict=False)
        return kept.alias(extra.column)


RESULTS = Table({}, {}, {}, OUTCOME_BY_NAME)
UNMAPPED = Mapping(separator=",", manifest=None, outcomes=None)


def _surely_pointed(name: str) -> pl.Expr:
    """Return a column of text numbers with a decimal point in the place of a comma that can be nothing else."""
    text = pl.col(name)
    return pl.when(comma_of(text) == "decimal").then(with_decimal_point(text)).otherwise(text).alias(name)


def _local(value: pl.Expr, dtype: pl.DataType, zone: str) -> pl.Expr:
    """Times of a zone in UTC, where they state none themselves."""
    if isinstance(dtype, pl.Datetime):
        return value if dtype.time_zone else in_utc(value.dt.cast_time_unit("us"), zone)
    return local_in_utc(value.str.strip_chars(), zone) if dtype == pl.String else value


def keep_unknown(raw: pl.DataFrame) -> pl.DataFrame:
    """Give columns their names of the contract, where they differ in form alone; keep unknown ones under `extra_…`."""
    raw = raw.rename({column: name for name, column in of_same_form(raw.columns, BY_NAME).items()})
    known = {*BY_NAME, "line"}
    unknown = [c for c in raw.columns if c not in known and not c.startswith(EXTRA)]
    return raw.rename(_slugs(unknown, taken=set(raw.columns)))


def _slugs(names: Sequence[str], taken: set[str]) -> dict[str, str]:
    """Return a distinct name under `extra_…` for each foreign column."""
    slugs: dict[str, str] = {}
    for name in names:
        slug = wanted = EXTRA + (re.sub(r"\W+", "_", name.lower()).strip("_") or "column")
        number = 2
        while slug in taken:
            slug, number = f"{wanted}_{number}", number + 1
        taken.add(slug)
        slugs[name] = slug
    return slugs
