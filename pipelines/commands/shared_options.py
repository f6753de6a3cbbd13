"""Options and arguments that several commands share, and what is made of them."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.choices import FORMATS_BY_ALIAS, FORMATS_IN_WORDS, FORMATS_WITH_ALIASES, FormatName
from pipelines.commands.usage import BadValue, engine_name

if TYPE_CHECKING:
    from features.messages.mapping import Mapping
    from service.settings import Settings
    from service.store.database import Store

DAYS = ["%Y-%m-%d"]
TAB_AS_TYPED = {"\\t": "\t", "tab": "\t"}  # no shell types one readily


def readable_file(path: Path | None) -> Path | None:
    """Take a file that is there and can be read."""
    if path is not None and (wrong := _why_unreadable(path)):
        raise BadValue(f"the file {wrong}")
    return path


def readable_files(paths: list[Path] | None) -> list[Path] | None:
    """Take files that are all there and can be read, and those of a folder; what cannot be is named by its place."""
    taken: list[Path] = []
    for place, path in enumerate(paths or [], start=1):
        found = files_of_folder(path) if path.is_dir() else [path]
        wrong = next((why for file in found if (why := _why_unreadable(file))), "" if found else "has no files in it")
        if wrong:
            raise BadValue(f"file {place} of {len(paths or [])} {wrong}")
        taken += found
    return taken


def files_of_folder(folder: Path) -> list[Path]:
    """List the files of a folder in order, without hidden ones and marks such as _SUCCESS."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name[0] not in "._")


def _why_unreadable(path: Path) -> str | None:
    if path.is_dir():
        return "is a folder; name the files in it"
    if not path.exists():
        return "does not exist"
    return None if os.access(path, os.R_OK) else "cannot be read; ask for the right to read it"


Files = Annotated[
    list[Path],
    typer.Argument(
        help="CSV, Parquet, JSON lines or workbooks, or a folder of them", show_default=False, callback=readable_files
    ),
]
Messages = Annotated[
    list[Path],
    typer.Argument(
        help=f"{FORMATS_IN_WORDS}; packed with gzip or zstd or not; or a folder of them",
        show_default=False,
        callback=readable_files,
    ),
]


def format_name(value: str) -> FormatName:
    """Take a format by its name or an alias of it, in capitals or not."""
    found = FORMATS_BY_ALIAS.get(value.strip().lower())
    if found is None:
        raise typer.BadParameter(f"unknown format; one of {FORMATS_WITH_ALIASES}")
    return found


FormatOption = Annotated[
    FormatName | None,
    typer.Option(
        "--format",
        parser=format_name,
        metavar="FORMAT",
        help=f"format of all files: {FORMATS_WITH_ALIASES}; detected from their content when absent",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", help="TOML file that maps the columns of a foreign file", callback=readable_file),
]
SeparatorOption = Annotated[
    str, typer.Option("--separator", help="sign between columns of a text table; told from its header when absent")
]
EncodingOption = Annotated[
    str, typer.Option("--encoding", help="encoding of a text table without a mark, such as cp1252 or gb18030; UTF-8")
]
DecimalOption = Annotated[str, typer.Option("--decimal", help="decimal sign of its numbers: . or ,")]
GroupingOption = Annotated[str, typer.Option("--grouping", help="sign of thousands in its numbers: , . ' or a space")]
ZoneOption = Annotated[str, typer.Option("--zone", help="time zone of its times that state none, such as Europe/Paris")]
SheetOption = Annotated[str, typer.Option("--sheet", help="sheet of a workbook; its first one when absent")]
PreviewOption = Annotated[
    bool, typer.Option("--preview", help="show the first rows as they would be understood, and write nothing")
]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON for a program to read")]
EngineOption = Annotated[
    str,
    typer.Option(
        "--engine",
        help="where to run: local, dask (one local worker per core) or dask=ADDRESS (existing scheduler)",
        callback=engine_name,
    ),
]
FirstDay = Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first day")]
DayAfter = Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="first day that is left out")]


def current_settings() -> Settings:
    """Read the settings that hold now; their module costs a third of a second, which no help text should."""
    from service.settings import Settings

    return Settings()


def mapping_of(path: Path | None, **form: str) -> Mapping:
    """Read a mapping file; what maps nothing where none is named.

    form: what the options of a command state of how a file is written, in place of the mapping's `[file]`.
    """
    from features.messages.mapping import UNMAPPED
    from features.messages.mapping_file import form_of, load_mapping

    mapping = load_mapping(path) if path else UNMAPPED
    form["separator"] = TAB_AS_TYPED.get(form.get("separator", ""), form.get("separator", ""))
    return mapping.written(form_of({key: value for key, value in form.items() if value}, "--{}"))


def encoding_name(stated: str) -> str:
    """Take the encoding of a table by a name that is known; UTF-8 where none is stated. Raises MappingFault."""
    from features.messages.mapping_file import form_of

    return str(form_of({"encoding": stated or "utf-8"}, "--{}")["encoding"])


def utc(day: datetime | None) -> datetime | None:
    """Give a day that was typed its zone."""
    return day.replace(tzinfo=UTC) if day else None


def sign_checkpoint(settings: Settings, store: Store) -> None:
    """Sign how far the audit chain reaches now, and send it to the second place, if one is set."""
    from service.record.checkpoint_copies import send_checkpoints
    from service.record.checkpoints import checkpoint

    checkpoint(store, settings.checkpoints, settings.keys, datetime.now(UTC))
    send_checkpoints(settings, datetime.now(UTC))
