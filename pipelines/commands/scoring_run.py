"""One run in bulk as `tamis score` and `tamis watch` make it: decided, recorded, signed, and published as files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.choices import AnswerKind, FormatName
from features.finding_kinds import load_kinds
from pipelines import show
from pipelines.commands.shared_options import sign_checkpoint

if TYPE_CHECKING:
    from features.messages.mapping import Mapping as Rules
    from pipelines.batch.run_account import Scored
    from pipelines.distributed import Cluster
    from service.desk import Desk
    from service.settings import Settings


def score_and_publish(
    settings: Settings,
    files: Sequence[Path],
    out: Path,
    rules: Rules,
    *,
    format: FormatName | None,
    answer: AnswerKind | None,
    judged: bool,
    engine: str = "local",
    kept_in: Path | None = None,
) -> tuple[Scored, Mapping[str, Any]]:
    """Decide the manifests of some files, and publish what came of it into a folder; return its account and summary.

    kept_in: the folder within which the published one will be moved. Raises Taken while another run has a file or the
    folder.
    """
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

    now, offices, suite = datetime.now(UTC), load_offices(settings.offices), load_suite(settings.home)
    past = history(settings.reports) if judged and suite.against_last else []
    held = [out / ".lease", *(settings.home / "leases" / f"{file.name}.lease" for file in files)]
    with leases(held), connect_workers(engine) as cluster:
        desk = desk_of_today(settings, cluster, now)
        with show.progress("manifests", len(files)) as advance:
            result = scored(
                files, desk, Archive(settings.archive), now,
                mapping=rules, format=format, offices=offices,
                expectations=judged, suite=suite, reference=past[-1].profile if past else None,
                say=advance, part=advance.part,
            )  # fmt: skip
        show.line("writing the report")
        note_published(settings, kept_in or out)
        sign_checkpoint(settings, desk.journal.store)
        if result.judgement is not None:
            keep(settings.reports, [file.name for file in files], result.judgement, result.profile, now, suite)
        summary = publish(result, desk, out, now, f"Orientations of {', '.join(f.name for f in files)}"[:120])
        if answer is not None:
            answered = write_answers(result, answer, load_codes(settings.answers, load_kinds(settings.kinds)), out)
            show.line(f"{len(answered)} answers ({answer}) in {out / 'answers'}")
    return result, summary


def judges(asked: bool | None) -> bool:
    """Whether Great Expectations judges; raises before anything is decided where it was asked for and is not there."""
    from importlib.util import find_spec

    installed = find_spec("great_expectations") is not None
    if asked and not installed:
        raise ModuleNotFoundError(name="great_expectations")
    if asked is None and not installed:
        show.line("! the manifest is not judged as a whole: that needs Great Expectations, of the extra `train`")
    return installed if asked is None else asked


def desk_of_today(settings: Settings, cluster: Cluster | None, now: datetime) -> Desk:
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
