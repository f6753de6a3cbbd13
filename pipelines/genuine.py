"""`tamis genuine`: the serial numbers that right holders have given, and how many each has registered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines import show
from service.settings import Settings

genuine = typer.Typer(help="Genuine goods: serial numbers that right holders have registered.", no_args_is_help=True)


@genuine.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="CSV: product_code, or gtin and serial", show_default=False)],
    holder: Annotated[str, typer.Option(help="the right holder whose goods they are")],
    by: Annotated[str, typer.Option(help="who does it")],
) -> None:
    """Register serial numbers; those of the same articles that are not registered are none of their maker's."""
    from service.genuine import register, serials_in
    from service.records import micros
    from service.store import open_store

    content, store = file.read_bytes(), open_store(Settings())
    done = register(store, serials_in(content), holder=holder, by=by, at=micros(datetime.now(UTC)))
    store.close()
    show.line(f"{done.new:,} serial numbers of {holder} are registered, {done.known:,} were before")
    show.problems(done.problems)


@genuine.command("show")
def show_holders() -> None:
    """Right holders, and how many serial numbers and articles each has registered."""
    from service.genuine import holders
    from service.store import open_store

    store = open_store(Settings())
    told = holders(store)
    store.close()
    for holder, entries in told:
        show.line(f"{holder}: {entries:,} serial numbers and articles")
    show.line(f"{len(told)} right holders")
