"""`tamis genuine`: the serial numbers that right holders have given, and how many each has registered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import show
from pipelines.commands.shared_options import (
    EncodingOption,
    SheetOption,
    current_settings,
    encoding_name,
    readable_file,
)
from pipelines.commands.usage import TamisGroup

genuine = typer.Typer(
    cls=TamisGroup, help="Genuine goods: serial numbers that right holders have registered.", no_args_is_help=True
)


@genuine.command("import")
def import_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV or workbook: product_code, or gtin and serial", show_default=False, callback=readable_file
        ),
    ],
    holder: Annotated[str, typer.Option(help="the right holder whose goods they are")],
    by: Annotated[str, typer.Option(help="who does it")],
    encoding: EncodingOption = "",
    sheet: SheetOption = "",
) -> None:
    """Register serial numbers; any other serial number of the same article is treated as not genuine."""
    from features.moments import micros
    from service.parties.registered_serials import register, serials_in
    from service.store.database import open_store

    listed = serials_in(file.read_bytes(), encoding_name(encoding), sheet)
    store = open_store(current_settings())
    done = register(store, listed, holder=holder, by=by, at=micros(datetime.now(UTC)))
    store.close()
    show.line(f"{show.counted(done.new, 'serial number')} of {holder} registered, {done.known:,} known before")
    show.problems(done.problems)


@genuine.command("show")
def show_holders() -> None:
    """Right holders, and how many serial numbers and articles each has registered."""
    from service.parties.registered_serials import holders
    from service.store.database import open_store

    store = open_store(current_settings())
    entries_of = holders(store)
    store.close()
    for holder, entries in entries_of:
        show.line(f"{holder}: {show.counted(entries, 'entry', 'entries')} (serial numbers, and articles as a whole)")
    show.line(show.counted(len(entries_of), "right holder"))
