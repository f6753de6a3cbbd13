"""A mapping for a file that nearly fits, from its columns and first cells, for a person to check and complete."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import polars as pl

from features.consignment import Column
from features.messages.column_names import meant, of_same_form, unit_of
from features.messages.written_times import times_written
from features.numerals import comma_of

MASSES = ("gross_mass_kg", "net_mass_kg")
CELLS = 200  # of a column that are looked at


def sources(columns: Sequence[str], known: Mapping[str, Column]) -> tuple[dict[str, str], dict[str, str]]:
    """Which column of a file stands for which of the contract: those that are read, and those that are proposed."""
    read = {**{name: name for name in columns if name in known}, **of_same_form(columns, known)}
    left = [column for column in columns if column not in read.values()]
    return read, meant(left, [name for name in known if name not in read])


def proposed_mapping(rows: pl.DataFrame, known: Mapping[str, Column], section: str, form: Mapping[str, str]) -> str:
    """The TOML of a mapping that reads rows as they were received; empty where they need none.

    section: manifest or outcomes. form: keys of `[file]` that were found, such as the separator.
    """
    columns = [column for column in rows.columns if column != "line"]
    read, proposed = sources(columns, known)
    meant_by = {**read, **proposed}
    cells = {name: _cells(rows[column]) for name, column in meant_by.items()}
    rules = {name: rule for name, found in meant_by.items() if (rule := _rule(known[name], found, cells[name]))}
    renamed = {**({name: read[name] for name in rules if name in read} if proposed else {}), **proposed}
    absent = [name for name, column in known.items() if column.required and name not in meant_by]
    file = [f"{key} = {_text(value)}" for key, value in form.items() if value]
    file += _signs([cell for name, found in cells.items() if known[name].kind in ("number", "whole") for cell in found])
    tables = {
        "file": file,
        f"{section}.rename": [f"{name} = {_text(column)}" for name, column in renamed.items()],
        f"{section}.default": [_absent(known[name]) for name in absent],
        **{f"{section}.convert.{name}": rule for name, rule in rules.items()},
    }
    if not (proposed or rules or absent or len(file) > len(form)):
        return ""
    return "\n".join("\n".join([f"[{title}]", *lines, ""]) for title, lines in tables.items() if lines)


def _cells(column: pl.Series) -> list[str]:
    texts = column.head(CELLS).cast(pl.String, strict=False).str.strip_chars().drop_nulls()
    return texts.filter(texts != "").to_list()


def _rule(known: Column, column: str, cells: Sequence[str]) -> list[str]:
    """The lines of the conversion that a column needs."""
    if known.name in MASSES and (unit := unit_of(column)) not in ("", "kg"):
        return [f'unit = "{unit}"']
    times = times_written(cells) if known.kind == "time" else None
    if times is None:
        return []
    lines = times.rule("Europe/Paris").split(", ")
    lines[-1] += "  # or the zone that the times are of"
    if times.otherwise:
        lines[0] += f'  # day first; with the month first: "{times.otherwise}"'
    return lines


def _signs(cells: Sequence[str]) -> list[str]:
    kinds = set(pl.select(comma_of(pl.lit(pl.Series(cells, dtype=pl.String)))).to_series().drop_nulls())
    if "decimal" in kinds:
        return ['decimal = ","']
    if "thousands" in kinds:
        return ['grouping = ","']
    return (
        ['# decimal = ","  # if 1,234 is little more than one', '# grouping = ","  # if it is a thousand']
        if kinds
        else []
    )


def _absent(column: Column) -> str:
    words = f"one of {', '.join(column.choices)}" if column.choices else column.meaning
    return f'# {column.name} = "…"  # if it is the same for every row: {words}'


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
