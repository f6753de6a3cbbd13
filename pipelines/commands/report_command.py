"""`tamis report`: what is owed to those who supervise - whom the checks burden, and documents."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.commands.shared_options import DAYS, current_settings, readable_file
from pipelines.commands.usage import BadValue


def report(
    burden: Annotated[
        bool, typer.Option("--burden", help="whom the checks burden, by origin, stream and office")
    ] = False,
    governance: Annotated[
        bool, typer.Option("--governance", help="drafts: impact assessment, register entry, model card, yearly review")
    ] = False,
    operators: Annotated[
        bool, typer.Option("--operators", help="who is worth an audit after clearance, by amount at stake and findings")
    ] = False,
    rates: Annotated[
        Path | None,
        typer.Option(help="TOML file with duty and VAT by heading and origin, for --operators", callback=readable_file),
    ] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first day of lodging")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="nothing from this day on")] = None,
    out: Annotated[Path | None, typer.Option(help="folder to write to; below the reports when not named")] = None,
) -> None:
    """Report to those who supervise: whom the checks burden, who is worth an audit, or drafts of documents."""
    from pipelines.monitor import burden_command, governance_command, operators_command

    if [burden, governance, operators].count(True) != 1:
        raise BadValue("say what to report: --burden, --governance or --operators")
    if rates is not None and not operators:
        raise BadValue("--rates: goes with --operators")
    first, before = start.date() if start else None, (end or datetime.now(UTC)).date()
    if operators:
        operators_command.run(current_settings(), first, before, out, rates)
        return
    chosen = burden_command if burden else governance_command
    chosen.run(current_settings(), first, before, out)
