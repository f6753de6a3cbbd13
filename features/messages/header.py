"""Whether a table that was read is a manifest, or results, at all: told once for a file, not once a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from features.consignment import BY_NAME, Column
from features.messages.column_names import meant, of_same_form
from features.messages.mapping import OUTCOME_BY_NAME, UNMAPPED
from features.messages.mapping import Mapping as FileMapping
from features.messages.raw import Raw, UnreadableFile

RESULTS_ALONE = ("known_at", "result")  # columns that no manifest has, and
MANIFEST_ALONE = ("lodged_at", "stream", "description")  # that no results have


def check_header(raw: Raw, name: str, mapping: FileMapping = UNMAPPED, *, outcomes: bool = False) -> None:
    """Raise UnreadableFile for a flat file that lacks a column which every row must state, or has no rows."""
    if raw.format != "flat":
        return
    columns = [column for column in raw.rows.columns if column != "line"]
    known, table = (OUTCOME_BY_NAME, mapping.outcomes) if outcomes else (BY_NAME, mapping.manifest)
    if table is not None and not set(table.rename.values()) <= set(columns):
        return  # the mapping says which column the file lacks
    stated = table.default if table is not None else {}
    named = [*table.sources(columns), *columns] if table is not None else columns
    if fault := header_fault(named, known, stated):
        raise UnreadableFile(f"{name}: {fault}")
    if raw.received == 0:
        raise UnreadableFile(f"{name}: a header and no rows; send the rows too")


def header_fault(columns: Sequence[str], known: Mapping[str, Column], stated: Collection[str] = ()) -> str | None:
    """Why a header is not that of a manifest, or of results, with the remedy; None where it is one.

    columns: the file's, by the contract's names where a mapping gives them. stated: those that a mapping fills in.
    """
    present = {*columns, *of_same_form(columns, known), *stated}
    absent = [name for name, column in known.items() if column.required and name not in present]
    if not absent:
        return None
    foreign = [column for column in columns if column not in known]
    if misplaced := _misplaced(columns, present, known):
        return misplaced
    proposed = meant(foreign, absent)
    if not proposed and not present & set(known):
        return _stranger(known)
    return _meant(proposed, absent, known) if proposed else _absent(absent, known)


def _misplaced(columns: Sequence[str], present: Collection[str], known: Mapping[str, Column]) -> str | None:
    manifest = known is BY_NAME
    alone, others = (MANIFEST_ALONE, RESULTS_ALONE) if manifest else (RESULTS_ALONE, MANIFEST_ALONE)
    of_others = {*columns, *of_same_form(columns, others)}
    if any(name in present for name in alone) or not any(name in of_others for name in others):
        return None
    if manifest:
        return "these are inspection results; use `tamis outcomes`"
    return "this is a manifest; use `tamis ingest` to remember it, or `tamis score` to decide on it"


def _stranger(known: Mapping[str, Column]) -> str:
    needed = ", ".join(name for name, column in known.items() if column.required)
    what = "manifest" if known is BY_NAME else "file of inspection results"
    return f"no {what}: its first line names no known column; a table needs {needed}, or a mapping that names them"


def _absent(absent: Sequence[str], known: Mapping[str, Column]) -> str:
    section = "manifest" if known is BY_NAME else "outcomes"
    several = "columns" if len(absent) > 1 else "column"
    return (
        f"no {several} {', '.join(absent)}; add what is absent, or state it in a mapping (--mapping FILE): "
        f'[{section}.rename] {absent[0]} = "the name of your column", or [{section}.default] {absent[0]} = "…"'
    )


def _meant(proposed: Mapping[str, str], absent: Sequence[str], known: Mapping[str, Column]) -> str:
    """What is absent, where columns of the file sound like it."""
    section = "manifest" if known is BY_NAME else "outcomes"
    asked = ", ".join(f'"{found}"' for found in proposed.values())
    rename = ", ".join(f'{name} = "{found}"' for name, found in proposed.items())
    several = "columns" if len(absent) > 1 else "column"
    command = "ingest" if known is BY_NAME else "outcomes"
    return (
        f"no {several} {', '.join(absent)}; did you mean {asked}? rename the column, or name it in a mapping "
        f"(--mapping FILE): [{section}.rename] {rename}; `tamis {command} --preview FILE` writes the mapping"
    )
