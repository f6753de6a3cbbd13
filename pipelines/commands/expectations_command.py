"""`tamis expectations`: the suite by which manifests as a whole are judged, to look at and to edit."""

from __future__ import annotations

from typing import Annotated

import typer

from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import current_settings


def expectations(
    edit: Annotated[bool, typer.Option("--edit", help="write the suite into the home, as a file to edit")] = False,
    docs: Annotated[
        bool, typer.Option("--docs", help="write the page of the suite and its verdicts; it opens without a network")
    ] = False,
) -> None:
    """Show the suite of expectations that holds, as the file in the home that states it; names what is wrong in it."""
    from pipelines.batch.expectation_suite import FILE, load_suite
    from pipelines.batch.verdicts import PAGE, history, write_page

    settings = current_settings()
    path, suite = settings.home / FILE, load_suite(settings.home)
    if docs:
        show.line(f"written: {write_page(settings.reports, suite)}")
    if docs and not edit:
        return
    if not edit:
        typer.echo(suite.as_toml(), nl=False)
        verdicts = history(settings.reports)
        state = "in force" if path.exists() else "not there: this is the standard; --edit writes it"
        typer.echo(f"# {path} is {state}")
        if verdicts:
            held = sum(verdict.held for verdict in verdicts)
            typer.echo(f"# {held} of {len(verdicts)} manifests held; {settings.reports / PAGE}")
        return
    if path.exists():
        raise Fault(f"{path} is there already; edit it, or delete it for the standard")
    settings.home.mkdir(parents=True, exist_ok=True)
    path.write_text(suite.as_toml(), encoding="utf-8")
    show.line(f"written: {path}")
