"""The `tamis` command: the contents page of its sub-commands, in the order of a day's work, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from pipelines.commands.application_commands import applications
from pipelines.commands.bundle_commands import bundles
from pipelines.commands.case_commands import cases
from pipelines.commands.daily_commands import ingest, link, monitor, outcomes, score
from pipelines.commands.erasure_commands import erase, retain
from pipelines.commands.expectations_command import expectations
from pipelines.commands.export_command import export
from pipelines.commands.faults import sentence_of
from pipelines.commands.installation_commands import demo, serve, synth
from pipelines.commands.key_commands import invite, keys
from pipelines.commands.learning_commands import backtest, benchmark, promote, rules, train, what_if
from pipelines.commands.list_commands import lists
from pipelines.commands.record_commands import checkpoint, network, replay, verify
from pipelines.commands.report_command import report
from pipelines.commands.search_command import search
from pipelines.commands.serial_commands import genuine
from pipelines.commands.settings_command import settings
from pipelines.commands.status_command import status
from pipelines.commands.transfer_command import transfer
from pipelines.commands.upgrade_commands import backup, restore, upgrade
from pipelines.commands.usage import WRONG_USAGE, TamisGroup, command_with_renamed, usage_sentence
from pipelines.commands.watch_command import watch
from pipelines.commands.webhook_commands import webhooks
from service.runtime.installed_version import installed_version
from service.runtime.private_files import private_files
from service.runtime.process_tuning import raise_gc_thresholds

SET_UP, DAILY, LEARN = "Set up", "Every day", "Learn and judge"
OFFICERS, RECORD, ADMINISTRATION = "Officers", "Record", "Administration"
INTERRUPTED = 130

app = typer.Typer(
    cls=TamisGroup,
    help="Tamis: which postal and express consignments to look at, why, and what to do next.",
    epilog="Exit codes: 0 done, 1 a fault in one line, 2 wrong usage, 3 nothing that was handed over was accepted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=SET_UP)(status)
app.command(rich_help_panel=SET_UP)(settings)
app.command(rich_help_panel=SET_UP)(demo)
app.command(rich_help_panel=SET_UP)(synth)
app.command(rich_help_panel=SET_UP)(serve)
app.command(rich_help_panel=DAILY)(ingest)
app.command(rich_help_panel=DAILY)(outcomes)
app.command(rich_help_panel=DAILY)(score)
app.command(rich_help_panel=DAILY)(watch)
app.command(rich_help_panel=DAILY)(expectations)
app.command(rich_help_panel=DAILY)(link)
app.command(rich_help_panel=DAILY)(monitor)
app.command(rich_help_panel=LEARN, cls=command_with_renamed({"--test-apart": "--exclude-test"}))(train)
app.command(rich_help_panel=LEARN, cls=command_with_renamed({"--although": "--force-reason"}))(promote)
app.command(rich_help_panel=LEARN)(backtest)
app.command(rich_help_panel=LEARN)(rules)
app.command("what-if", rich_help_panel=LEARN)(what_if)
app.command(rich_help_panel=LEARN)(benchmark)
app.add_typer(lists, name="lists", rich_help_panel=OFFICERS)
app.add_typer(cases, name="cases", rich_help_panel=OFFICERS)
app.add_typer(genuine, name="genuine", rich_help_panel=OFFICERS)
app.command(rich_help_panel=OFFICERS)(search)
app.command(rich_help_panel=OFFICERS)(applications)
app.command(rich_help_panel=OFFICERS)(network)
app.command(rich_help_panel=OFFICERS)(transfer)
app.command(rich_help_panel=RECORD)(verify)
app.command(rich_help_panel=RECORD)(checkpoint)
app.command(rich_help_panel=RECORD)(replay)
app.command(rich_help_panel=RECORD)(report)
app.command(rich_help_panel=RECORD)(export)
app.command(rich_help_panel=RECORD)(erase)
app.command(rich_help_panel=RECORD)(retain)
app.add_typer(keys, name="keys", rich_help_panel=ADMINISTRATION)
app.command(rich_help_panel=ADMINISTRATION)(invite)
app.add_typer(webhooks, name="webhooks", rich_help_panel=ADMINISTRATION)
app.command(rich_help_panel=ADMINISTRATION)(upgrade)
app.command(rich_help_panel=ADMINISTRATION)(backup)
app.command(rich_help_panel=ADMINISTRATION)(restore)
app.add_typer(bundles, name="bundles", rich_help_panel=ADMINISTRATION)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tamis {installed_version()}")
        raise typer.Exit


@app.callback()
def tamis(
    _version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="print the version and exit")
    ] = False,
) -> None:
    """Tamis: which postal and express consignments to look at, why, and what to do next."""


def main() -> None:
    """Run a command; what a user can mend is one line, and the exit code says what kind of fault it is."""
    raise_gc_thresholds()
    try:
        with private_files():
            ended = app(prog_name="tamis", standalone_mode=False)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except typer.Abort:
        sys.exit(INTERRUPTED)
    except Exception as fault:  # a full disk may lie under a fault of any kind; what has no sentence is raised again
        wrong_usage = isinstance(fault, typer.TyperException)
        sentence = usage_sentence(fault) if isinstance(fault, typer.TyperException) else sentence_of(fault)
        if sentence is None or os.environ.get("TAMIS_TRACEBACK"):
            raise
        typer.echo(f"tamis: {sentence}", err=True)
        sys.exit(WRONG_USAGE if wrong_usage else getattr(fault, "exit_code", 1))
    sys.exit(ended if isinstance(ended, int) else 0)


if __name__ == "__main__":
    main()
