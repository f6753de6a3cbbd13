"""Commands of every day: take in manifests and results, decide, link, watch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from features.choices import AnswerKind
from pipelines import show
from pipelines.commands.preview_output import show_previews
from pipelines.commands.scoring_run import judges, score_and_publish
from pipelines.commands.shared_options import (
    DAYS,
    AsJson,
    DecimalOption,
    EncodingOption,
    EngineOption,
    Files,
    FormatOption,
    GroupingOption,
    MappingFile,
    Messages,
    PreviewOption,
    SeparatorOption,
    SheetOption,
    ZoneOption,
    current_settings,
    mapping_of,
    readable_file,
    sign_checkpoint,
)

if TYPE_CHECKING:
    from pipelines.batch.run_account import Scored


def ingest(
    files: Messages,
    mapping: MappingFile = None,
    format: FormatOption = None,
    separator: SeparatorOption = "",
    encoding: EncodingOption = "",
    decimal: DecimalOption = "",
    grouping: GroupingOption = "",
    zone: ZoneOption = "",
    sheet: SheetOption = "",
    preview: PreviewOption = False,
    as_json: AsJson = False,
) -> None:
    """Read manifests: check every row, quarantine what cannot be read, archive the rest.

    With --preview it shows what the first rows would be understood as, proposes a mapping, and writes nothing.
    """
    from features.messages.offices import load_offices
    from pipelines.batch.archive import Archive
    from pipelines.batch.ingest import Ingested, ingest_manifest
    from pipelines.commands.intake import take_in
    from service.journal import open_journal

    rules = mapping_of(
        mapping, separator=separator, encoding=encoding, decimal=decimal, grouping=grouping, zone=zone, sheet=sheet
    )
    if preview:
        show_previews(files, rules, format, "manifest", as_json=as_json)
        return
    settings = current_settings()
    archive, journal, offices = Archive(settings.archive), open_journal(settings), load_offices(settings.offices)

    def take(file: Path) -> tuple[Ingested, str]:
        done = ingest_manifest(file, archive, journal, rules, format=format, offices=offices)
        return done, f"{done.consignments:,} consignments, {done.new:,} new"

    take_in(files, take, settings.home / "quarantine", "manifest")


def outcomes(
    files: Files,
    mapping: MappingFile = None,
    separator: SeparatorOption = "",
    encoding: EncodingOption = "",
    decimal: DecimalOption = "",
    grouping: GroupingOption = "",
    zone: ZoneOption = "",
    sheet: SheetOption = "",
    preview: PreviewOption = False,
    as_json: AsJson = False,
) -> None:
    """Import control results and update the history of senders, addresses and routes.

    With --preview it shows what the first rows would be understood as, proposes a mapping, and writes nothing.
    """
    from features.finding_kinds import load_kinds
    from pipelines.batch.archive import Archive
    from pipelines.batch.ingest import Ingested, ingest_outcomes
    from pipelines.commands.intake import take_in
    from service.journal import open_journal

    rules = mapping_of(
        mapping, separator=separator, encoding=encoding, decimal=decimal, grouping=grouping, zone=zone, sheet=sheet
    )
    if preview:
        show_previews(files, rules, None, "outcomes", as_json=as_json)
        return
    settings = current_settings()
    archive, journal, kinds = Archive(settings.archive), open_journal(settings), load_kinds(settings.kinds)

    def take(file: Path) -> tuple[Ingested, str]:
        done, received = ingest_outcomes(file, archive, journal, rules, kinds)
        unknown = f", {received.unknown:,} for consignments never seen" if received.unknown else ""
        superseding = f", {received.superseding:,} in place of an earlier one" if received.superseding else ""
        return done, f"{received.recorded:,} new{superseding}{unknown}"

    try:
        take_in(files, take, settings.home / "quarantine", "outcomes")
    finally:
        sign_checkpoint(settings, journal.store)


def score(
    files: Messages,
    out: Annotated[Path, typer.Option(help="folder for the results")],
    mapping: MappingFile = None,
    format: FormatOption = None,
    separator: SeparatorOption = "",
    encoding: EncodingOption = "",
    decimal: DecimalOption = "",
    grouping: GroupingOption = "",
    zone: ZoneOption = "",
    sheet: SheetOption = "",
    answer: Annotated[AnswerKind | None, typer.Option(help="also write an answer to each file, in these words")] = None,
    expectations: Annotated[
        bool | None,
        typer.Option(
            help="let Great Expectations judge the manifest as a whole; where it is installed, if not said",
            show_default=False,
        ),
    ] = None,
    engine: EngineOption = "local",
) -> None:
    """Decide every consignment of the manifests and publish orientations, quarantine, summary and report."""
    rules = mapping_of(
        mapping, separator=separator, encoding=encoding, decimal=decimal, grouping=grouping, zone=zone, sheet=sheet
    )
    result, summary = score_and_publish(
        current_settings(), files, out, rules, format=format, answer=answer, judged=judges(expectations), engine=engine
    )
    _show_scored(result, summary, out)


def _show_scored(result: Scored, summary: Mapping[str, Any], out: Path) -> None:
    """Print the riskiest, what was refused, and how many went into which lane; raises NothingAccepted."""
    from pipelines.batch.refusals import NothingAccepted, unknown_offices_in_words
    from pipelines.commands.intake import NOTHING, say_refusals

    show.top(result.orientations, result.declared, 10)
    say_refusals(result.refusals, out / "quarantine.csv")
    if result.unknown_offices:
        show.line(f"  {unknown_offices_in_words(result.unknown_offices)}")
    lanes = ", ".join(f"{count:,} {lane}" for lane, count in summary["lanes"].items())
    show.line(f"{summary['consignments']:,} consignments: {lanes or 'none'}; report in {out / 'report.html'}")
    if result.refused.height and not result.accepted:
        raise NothingAccepted(f"{NOTHING}; the report says why")


def link(
    on: Annotated[bool, typer.Option("--on", help="switch linking on, with a name and a legal basis")] = False,
    off: Annotated[bool, typer.Option("--off", help="switch it off and delete what was linked")] = False,
    by: Annotated[str, typer.Option(help="who switches it on")] = "",
    basis: Annotated[str, typer.Option(help="the legal basis of attributing consignments to persons")] = "",
    addressees: Annotated[
        bool, typer.Option("--addressees", help="addressees instead of senders: they have a switch of their own")
    ] = False,
) -> None:
    """Link senders, or addressees, into parties and networks over the archive; off until a named person allows it."""
    from pipelines.batch.link_archive import forget, resolve, resolve_addressees
    from service.parties.linking_switch import LinkingSwitch
    from service.runtime.private_files import make_home

    settings = current_settings()
    make_home(settings.home)
    if off:
        forget(settings, addressees=addressees)
        which = "linking of addressees" if addressees else "linking"
        show.line(f"{which} is off: nobody is attributed, and what was linked is deleted")
        return
    if on:
        path = settings.linking_addressees if addressees else settings.linking
        LinkingSwitch(path).turn_on(by, basis, datetime.now(UTC))
    done = resolve_addressees(settings) if addressees else resolve(settings)
    parties = "addressees" if addressees else "senders"
    show.line(
        f"{done.cards:,} {parties} as declared on {done.consignments:,} consignments; {done.links:,} pairs are linked; "
        f"{done.networks:,} networks, the largest of {done.largest:,}"
    )
    if on and not addressees:
        show.line("models learn from networks from now on: run `tamis train`, and promote the new version")


def monitor(
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="judge from this day on")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="nothing from this day on")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for monitor.json; below the reports when not named")] = None,
    thresholds: Annotated[
        Path | None, typer.Option(help="TOML file instead of pipelines/monitor/monitor.toml", callback=readable_file)
    ] = None,
    fail_on_alarm: Annotated[bool, typer.Option("--fail-on-alarm", help="exit with 1 when an alarm rings")] = False,
) -> None:
    """Report drift, data quality, calibration and hit rate against the random sample; list alarms and what to do."""
    from pipelines.monitor.monitor_command import insist, run

    before = end or datetime.now(UTC)
    seen = run(current_settings(), start.date() if start else None, before.date(), out, thresholds)
    if fail_on_alarm:
        insist(seen)
