"""Mapping files in TOML, read and checked: every fault names its section and key."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from features.consignment import BY_NAME, Column
from features.messages.conversion import DAY_ZERO, KILOGRAMS, Convert
from features.messages.mapping import OUTCOME_BY_NAME, Extra, Mapping, MappingFault, Table
from features.messages.postal_map import postal_map
from features.numerals import GROUPINGS, SIGNS

FILE_FORM = ("separator", "decimal", "grouping", "encoding", "zone", "sheet")


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
    _only(evaluation, {"lookup", "caution"}, "evaluation")
    manifest, outcomes = written.get("manifest"), written.get("outcomes")
    return Mapping(
        separator=file.get("separator", ","),
        manifest=_table(manifest, BY_NAME, "manifest") if manifest else None,
        outcomes=_table(outcomes, OUTCOME_BY_NAME, "outcomes") if outcomes else None,
        extras=tuple(_extra_of(name, rule) for name, rule in written.get("extra", {}).items()),
        postal=postal_map(written.get("postal")),
        lookup=tuple(_is(evaluation.get("lookup", []), list, "evaluation.lookup")),
        caution=_is(evaluation.get("caution", ""), str, "evaluation.caution"),
    ).written(form_of(file, "file.{}"))


def form_of(stated: MappingOf[str, object], where: str) -> dict[str, Any]:
    """Check how a file is said to be written: the keys of `[file]`, of which a fault is named after `where`."""
    _only(stated, set(FILE_FORM), where.format("").rstrip("."))
    form = {key: _is(value, str, where.format(key)) for key, value in stated.items()}
    separator = form.get("separator", ",")
    if len(separator) != 1 or separator in '"\r\n':
        raise MappingFault(f"{where.format('separator')}: needs one character")
    _one_of(form.get("decimal", "."), SIGNS, where.format("decimal"))
    _one_of(form.get("grouping", ""), GROUPINGS, where.format("grouping"))
    if form.get("grouping") == form.get("decimal", "."):
        raise MappingFault(f"{where.format('grouping')}: cannot be the decimal sign as well")
    try:
        "".encode(form.get("encoding", "utf-8"))
    except (LookupError, ValueError) as fault:
        raise MappingFault(f"{where.format('encoding')}: no such encoding; write one such as cp1252") from fault
    _zone(form.get("zone") or "UTC", where.format("zone"))
    return form


def _table(section: dict[str, Any], known: MappingOf[str, Column], where: str) -> Table:
    _only(section, {"rename", "default", "convert"}, where)
    for part in ("rename", "default", "convert"):
        _only(_is(section.get(part, {}), dict, f"{where}.{part}"), set(known), f"{where}.{part}")
    for name, source in section.get("rename", {}).items():
        _is(source, str, f"{where}.rename.{name}")
    table = Table(
        rename=section.get("rename", {}),
        default={name: str(word) for name, word in section.get("default", {}).items()},
        convert={name: _convert(rule, f"{where}.convert.{name}") for name, rule in section.get("convert", {}).items()},
        known=known,
    )
    idle = sorted(set(section.get("convert", {})) - set(section.get("rename", {})))
    if idle and table.rename:  # a mapping that renames nothing is of a file that has the contract's own names
        raise MappingFault(f"{where}.convert.{idle[0]}: needs {where}.rename.{idle[0]}, which it would convert")
    return table


def _convert(rule: dict[str, Any], where: str) -> Convert:
    _only(_is(rule, dict, where), set(CONVERT_TYPES), where)
    for key, value in rule.items():
        _is(value, CONVERT_TYPES[key], f"{where}.{key}")
    _one_of(rule.get("decimal", "."), SIGNS, f"{where}.decimal")
    _one_of(rule.get("grouping", ""), GROUPINGS, f"{where}.grouping")
    _one_of(rule.get("serial", "1900"), DAY_ZERO, f"{where}.serial")
    _one_of(rule.get("unit", "kg"), KILOGRAMS, f"{where}.unit")
    _zone(rule.get("zone", "UTC"), f"{where}.zone")
    return Convert(**rule)


def _zone(name: str, where: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
        raise MappingFault(f"{where}: unknown time zone; write one such as Asia/Seoul") from fault


def _one_of(value: object, known: Collection[str], where: str) -> None:
    if value not in known:
        names = [f'"{one}"' for one in known if one]
        raise MappingFault(f"{where}: needs {' or '.join([', '.join(names[:-1]), names[-1]])}")


CONVERT_TYPES: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "zone": str,
    "serial": str,
    "decimal": str,
    "grouping": str,
    "unit": str,
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
