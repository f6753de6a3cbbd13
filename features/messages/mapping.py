"""A foreign file made to speak the manifest's columns: rename, convert, default, and keep what is unknown."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from features.consignment import BY_NAME, EXTRA
from features.fault import Fault
from features.messages.postal import PostalMap, postal_map
from features.outcome import OUTCOME_COLUMNS

OUTCOME_BY_NAME = {column.name: column for column in OUTCOME_COLUMNS}
ExtraKind = Literal["number", "category", "text"]


class MappingFault(Fault):
    """A mapping file that cannot be used; names the section and key at fault."""


@dataclass(frozen=True, slots=True)
class Convert:
    """How one column's values are turned into the contract's: a time format and zone, a factor, or a word list."""

    format: str | None = None
    zone: str = "UTC"
    times: float | None = None
    words: MappingOf[str, str] | None = None
    pad: int | None = None
    add_days: int = 0

    def apply(self, value: pl.Expr) -> pl.Expr:
        """`value` as text in the contract's form; what cannot be converted stays as it is, for the gate to name."""
        text = value.cast(pl.String, strict=False).str.strip_chars()
        if self.words is not None:
            text = text.replace(dict(self.words))
        if self.pad is not None:
            text = text.str.zfill(self.pad)
        if self.times is not None:
            text = pl.coalesce((text.cast(pl.Float64, strict=False) * self.times).cast(pl.String), text)
        if self.format is not None:
            text = pl.coalesce(self._moment(text).dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00"), text)
        return text

    def _moment(self, text: pl.Expr) -> pl.Expr:
        local = text.str.to_datetime(self.format, time_unit="us", strict=False)
        moment = local.dt.replace_time_zone(self.zone, ambiguous="earliest", non_existent="null")
        return moment.dt.convert_time_zone("UTC").dt.offset_by(f"{self.add_days}d")


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
    """The rules for one kind of row: the manifest's or the outcomes'."""

    rename: MappingOf[str, str]
    default: MappingOf[str, str]
    convert: MappingOf[str, Convert]

    def apply(self, raw: pl.DataFrame) -> pl.DataFrame:
        """`raw` with this table's columns; the source's own columns are dropped."""
        absent = [source for source in self.rename.values() if source not in raw.columns]
        if absent:
            raise MappingFault(f"the file has no column {absent[0]!r}, which the mapping names")
        renamed = raw.select("line", *(pl.col(source).alias(name) for name, source in self.rename.items()))
        converted = renamed.with_columns(
            rule.apply(pl.col(name)).alias(name) for name, rule in self.convert.items() if name in renamed.columns
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

    postal: where things stand in postal messages.
    lookup: manifest columns of the obvious look-up table to compare a model with.
    """

    separator: str
    manifest: Table | None
    outcomes: Table | None
    extras: tuple[Extra, ...] = ()
    postal: PostalMap = field(default_factory=postal_map)
    lookup: tuple[str, ...] = ()
    caution: str = ""

    def to_manifest(self, raw: pl.DataFrame) -> pl.DataFrame:
        """Manifest rows; declared extras and all other foreign columns are kept under `extra_…`."""
        if self.manifest is None:
            return keep_unknown(raw)
        mapped = self.manifest.apply(raw)
        absent = [extra.source for extra in self.extras if extra.source not in raw.columns]
        if absent:
            raise MappingFault(f"the file has no column {absent[0]!r}, which the mapping names")
        used = {*self.manifest.rename.values(), *(extra.source for extra in self.extras), "line"}
        declared = raw.select(self._extra(extra) for extra in self.extras)
        names = [name for name in raw.columns if name not in used]
        rest = raw.select(names).rename(_slugs(names, taken=set(declared.columns)))
        return pl.concat([frame for frame in (mapped, declared, rest) if frame.width], how="horizontal")

    @staticmethod
    def _extra(extra: Extra) -> pl.Expr:
        value = pl.col(extra.source)
        kept = value.cast(pl.Float64 if extra.kind == "number" else pl.String, strict=False)
        return kept.alias(extra.column)


UNMAPPED = Mapping(separator=",", manifest=None, outcomes=None)


def keep_unknown(raw: pl.DataFrame) -> pl.DataFrame:
    """Rows whose unknown columns are kept under `extra_…`."""
    known = {*BY_NAME, "line"}
    unknown = [c for c in raw.columns if c not in known and not c.startswith(EXTRA)]
    return raw.rename(_slugs(unknown, taken=set(raw.columns)))


def _slugs(names: Sequence[str], taken: set[str]) -> dict[str, str]:
    """A name under `extra_…` for each foreign column, none of them twice."""
    slugs: dict[str, str] = {}
    for name in names:
        slug = wanted = EXTRA + (re.sub(r"\W+", "_", name.lower()).strip("_") or "column")
        number = 2
        while slug in taken:
            slug, number = f"{wanted}_{number}", number + 1
        taken.add(slug)
        slugs[name] = slug
    return slugs


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping file; every fault names its section and key."""
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise MappingFault(f"{path}: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise MappingFault(f"{path}: not valid TOML: {fault}") from fault
    _only(written, {"file", "manifest", "outcomes", "extra", "evaluation", "postal"}, "the mapping")
    for section in written:
        _is(written[section], dict, section)
    file, evaluation = written.get("file", {}), written.get("evaluation", {})
    _only(file, {"separator"}, "file")
    _only(evaluation, {"lookup", "caution"}, "evaluation")
    separator = _is(file.get("separator", ","), str, "file.separator")
    if len(separator) != 1:
        raise MappingFault("file.separator: needs one character")
    manifest, outcomes = written.get("manifest"), written.get("outcomes")
    return Mapping(
        separator=separator,
        manifest=_table(manifest, BY_NAME, "manifest") if manifest else None,
        outcomes=_table(outcomes, OUTCOME_BY_NAME, "outcomes") if outcomes else None,
        extras=tuple(_extra_of(name, rule) for name, rule in written.get("extra", {}).items()),
        postal=postal_map(written.get("postal")),
        lookup=tuple(_is(evaluation.get("lookup", []), list, "evaluation.lookup")),
        caution=_is(evaluation.get("caution", ""), str, "evaluation.caution"),
    )


def _table(section: dict[str, Any], known: MappingOf[str, object], where: str) -> Table:
    _only(section, {"rename", "default", "convert"}, where)
    for part in ("rename", "default", "convert"):
        _only(_is(section.get(part, {}), dict, f"{where}.{part}"), set(known), f"{where}.{part}")
    for name, source in section.get("rename", {}).items():
        _is(source, str, f"{where}.rename.{name}")
    table = Table(
        rename=section.get("rename", {}),
        default={name: str(word) for name, word in section.get("default", {}).items()},
        convert={name: _convert(rule, f"{where}.convert.{name}") for name, rule in section.get("convert", {}).items()},
    )
    idle = sorted(set(section.get("convert", {})) - set(section.get("rename", {})))
    if idle:
        raise MappingFault(f"{where}.convert.{idle[0]}: there is no {where}.rename.{idle[0]} that it could convert")
    return table


def _convert(rule: dict[str, Any], where: str) -> Convert:
    _only(_is(rule, dict, where), set(CONVERT_TYPES), where)
    for key, value in rule.items():
        _is(value, CONVERT_TYPES[key], f"{where}.{key}")
    try:
        ZoneInfo(rule.get("zone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError) as fault:
        raise MappingFault(f"{where}.zone: no such zone; write one such as Asia/Seoul") from fault
    return Convert(**rule)


CONVERT_TYPES: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "zone": str,
    "times": (int, float),
    "words": dict,
    "pad": int,
    "add_days": int,
}


def _is(value: Any, kind: type | tuple[type, ...], where: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        names = [k.__name__ for k in (kind if isinstance(kind, tuple) else (kind,))]
        raise MappingFault(f"{where}: needs a value of type {' or '.join(names)}")
    return value


def _extra_of(name: str, rule: dict[str, Any]) -> Extra:
    _only(_is(rule, dict, f"extra.{name}"), {"from", "type"}, f"extra.{name}")
    if rule.get("type") not in ("number", "category", "text") or "from" not in rule:
        raise MappingFault(f'extra.{name}: needs from = "their column" and type = "number", "category" or "text"')
    return Extra(name, rule["from"], rule["type"])


def _only(section: MappingOf[str, object], allowed: set[str], where: str) -> None:
    unknown = sorted(set(section) - allowed)
    if unknown:
        raise MappingFault(f"{where}: unknown key {unknown[0]!r}; known are {', '.join(sorted(allowed))}")
