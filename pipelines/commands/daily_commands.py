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
    from pipelines.distributed import Cluster
    from service.desk import Desk
    from service.settings import Settings


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
    archive, journal = Archive(settings.archive), open_journal(settings)

    def take(file: Path) -> tuple[Ingested, str]:
        done, received = ingest_outcomes(file, archive, journal, rules)
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
    from features.messages.offices import load_offices
    from pipelines.batch.archive import Archive
    from pipelines.batch.expectation_suite import load_suite
    from pipelines.batch.publish import publish, write_answers
    from pipelines.batch.published_folders import note_published
    from pipelines.batch.score import score as scored
    from pipelines.batch.verdicts import history, keep
    from pipelines.distributed import connect_workers
    from service.answers import load_codes
    from service.runtime.batch_lease import leases

    rules = mapping_of(
        mapping, separator=separator, encoding=encoding, decimal=decimal, grouping=grouping, zone=zone, sheet=sheet
    )
    settings, now, judged = current_settings(), datetime.now(UTC), _judged(expectations)
    suite = load_suite(settings.home)
    past = history(settings.reports) if judged and suite.against_last else []
    offices = load_offices(settings.offices)
    held = [out / ".lease", *(settings.home / "leases" / f"{file.name}.lease" for file in files)]
    with leases(held), connect_workers(engine) as cluster:
        desk = _desk_of_today(settings, cluster, now)
        with show.progress("manifests", len(files)) as advance:
            result = scored(
                files, desk, Archive(settings.archive), now,
                mapping=rules, format=format, offices=offices,
                expectations=judged, suite=suite, reference=past[-1].profile if past else None,
                say=advance, part=advance.part,
            )  # fmt: skip
        show.line("writing the report")
        note_published(settings, out)
        sign_checkpoint(settings, desk.journal.store)
        if result.judgement is not None:
            keep(settings.reports, [file.name for file in files], result.judgement, result.profile, now)
        summary = publish(result, desk, out, now, f"Orientations of {', '.join(f.name for f in files)}"[:120])
        if answer is not None:
            answered = write_answers(result, answer, load_codes(settings.answers), out)
            show.line(f"{len(answered)} answers ({answer}) in {out / 'answers'}")
    _show_scored(result, summary, out)


def _judged(asked: bool | None) -> bool:
    """Whether Great Expectations judges; raises before anything is decided where it was asked for and is not there."""
    from importlib.util import find_spec

    installed = find_spec("great_expectations") is not None
    if asked and not installed:
        raise ModuleNotFoundError(name="great_expectations")
    if asked is None and not installed:
        show.line("! the manifest is not judged as a whole: that needs Great Expectations, of the extra `train`")
    return installed if asked is None else asked


def _desk_of_today(settings: Settings, cluster: Cluster | None, now: datetime) -> Desk:
    """Open the desk, and bring up to date what was recorded while something failed."""
    from pipelines.distributed import distribute
    from service.calls.reassessment import reassess
    from service.desk import open_desk
    from service.serving.serving_bundle import open_serving

    serving = open_serving(settings)
    for name, why in serving.refused.items():
        show.line(f"! {name} does not serve: {why}")
    desk = open_desk(settings, serving)
    if cluster is not None:
        desk = distribute(desk, cluster)
    desk.journal.catch_up()
    if amended := reassess(desk, now):
        show.line(f"{amended:,} decisions that lacked the past or the model were given again and are stricter now")
    return desk


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
