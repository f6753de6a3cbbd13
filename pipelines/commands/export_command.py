"""`tamis export`: what is on record as plain Parquet tables, for the tools of the trade."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from features.choices import ExportRole, TableName
from pipelines import show
from pipelines.commands.shared_options import DayAfter, FirstDay, current_settings, utc
from pipelines.commands.usage import BadValue

TABLES: tuple[TableName, ...] = get_args(TableName)


def table_names(what: list[str] | None) -> list[str] | None:
    """Take names of tables that there are."""
    if not set(what or ()) <= set(TABLES):
        raise BadValue(f"it takes one of {', '.join(TABLES)}")
    return what


def tables_of(what: list[str] | None) -> list[TableName]:
    """Return the tables that are meant, each once."""
    return [table for table in TABLES if table in (what or ()) or (not what and table != "training")]


def export(
    out: Annotated[Path, typer.Option(help="folder for one Parquet file a table; made where there is none")],
    by: Annotated[str, typer.Option(help="who exports; kept on the log of reads")],
    purpose: Annotated[str, typer.Option(help="what for; kept on the log of reads")],
    what: Annotated[
        list[str] | None,
        typer.Option(
            help=f"table to export: {', '.join(TABLES)}; may be repeated; all but training when absent",
            metavar="TABLE",
            callback=table_names,
        ),
    ] = None,
    start: FirstDay = None,
    end: DayAfter = None,
    role: Annotated[
        ExportRole, typer.Option(help="as whom: a data scientist gets pseudonyms for persons, analyst and auditor all")
    ] = "data_scientist",
    office: Annotated[
        list[str] | None, typer.Option(help="for which offices; may be repeated; all when absent")
    ] = None,
) -> None:
    """Write decisions, declarations, results or the training frame as Parquet; it stands on the log of reads."""
    from pipelines.batch.archive import Archive
    from pipelines.batch.archive_calls import sweep
    from pipelines.export.export import Export
    from service.access.principal import Principal
    from service.access.read_log import note_command
    from service.journal import Journal
    from service.parties.linking_switch import LinkingSwitch
    from service.record.ownership import EVERY_OFFICE
    from service.store.database import open_store

    settings, now = current_settings(), datetime.now(UTC)
    tables = tables_of(what)
    linking = LinkingSwitch(settings.linking)
    archive = Archive(settings.archive, linking=linking.on)
    store = open_store(settings)
    try:
        principal = Principal(by, role, tuple(office or (EVERY_OFFICE,)), purpose)
        export = Export(store, archive, principal, utc(start), utc(end) or now)
        export.refuse(tables, out)
        note_command(store, by, purpose, "export", f"{', '.join(tables)} as {role}", now)
        sweep(Journal(store, linking), archive)
        for name, rows in export.write(tables, out).items():
            show.line(f"{out / name}.parquet: {show.counted(rows, 'row')}")
    finally:
        store.close()
