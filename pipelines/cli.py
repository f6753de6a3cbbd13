"""The `tamis` command: each sub-command says what it did, shows progress, and names a fault in one line."""

from __future__ import annotations

import os
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import click
import typer

from features.fault import Fault
from features.words import AnswerKind, FormatName
from pipelines import show
from pipelines.applications import applications
from pipelines.bundles import bundles
from pipelines.cases import cases
from pipelines.genuine import genuine
from pipelines.keeping import erase, retain
from pipelines.keys import invite, keys
from pipelines.lists import lists
from service.lean import a_core_each, collect_seldom, without_training_libraries
from service.settings import Settings

if TYPE_CHECKING:
    from features.messages.mapping import Mapping
    from service.store import Store

app = typer.Typer(
    help="Tamis: which postal and express consignments to look at, why, and what to do next.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)

app.add_typer(lists, name="lists")
app.add_typer(genuine, name="genuine")
app.add_typer(bundles, name="bundles")
app.add_typer(cases, name="cases")
app.add_typer(keys, name="keys")
app.command()(applications)
app.command()(invite)
app.command()(erase)
app.command()(retain)
Files = Annotated[list[Path], typer.Argument(help="CSV or Parquet files", show_default=False)]
Messages = Annotated[
    list[Path],
    typer.Argument(
        help="CSV, Parquet, ICS2 XML, Cargo-XML, FHL, postal XML or JSON; gzip and zstd", show_default=False
    ),
]
FormatOption = Annotated[
    FormatName | None, typer.Option("--format", help="of all files; told from their content where it is not named")
]
MappingFile = Annotated[Path | None, typer.Option("--mapping", help="TOML file that makes a foreign file readable")]
EngineOption = Annotated[
    str, typer.Option("--engine", help="who works: here; dask, a worker a core; or dask=ADDRESS of a scheduler")
]
DAYS = ["%Y-%m-%d"]
LOOPBACK = ("127.0.0.1", "::1", "localhost")
STARTS_WITHIN = 60  # seconds a worker has to load and prove its bundle before it takes the place of another


def _mapping(path: Path | None) -> Mapping:
    from features.messages.mapping import UNMAPPED, load_mapping

    return load_mapping(path) if path else UNMAPPED


def _utc(day: datetime | None) -> datetime | None:
    return day.replace(tzinfo=UTC) if day else None


@app.command()
def demo() -> None:
    """The main job end to end on a small synthetic world: ingest, gate, train, register, score the last day, report."""
    from pipelines.demo import run

    run(Settings(), datetime.now(UTC))


@app.command()
def synth(
    days: Annotated[int, typer.Option(help="days of traffic")] = 60,
    per_day: Annotated[int, typer.Option(help="consignments a day")] = 1500,
    seed: Annotated[int, typer.Option(help="the same seed gives the same world")] = 1,
    out: Annotated[Path, typer.Option(help="folder for manifests, outcomes and truth")] = Path("world"),
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="first day")] = datetime(2026, 1, 1),  # noqa: DTZ001
) -> None:
    """Write a synthetic world: manifests/, outcomes/, and the truth apart."""
    from pipelines.synthetic import build_world

    with show.progress("days", days) as advance:
        made = build_world(days, per_day, seed, out, start=date(start.year, start.month, start.day), progress=advance)
    show.line(
        f"{made.consignments:,} consignments in {made.messages:,} messages, {made.inspected:,} inspected, in {out}"
    )


@app.command()
def ingest(files: Messages, mapping: MappingFile = None, format: FormatOption = None) -> None:
    """Read manifests, gate every row, quarantine what cannot be read, archive the rest and remember it."""
    from pipelines.archive import Archive
    from pipelines.ingest import ingest_manifest, keep_quarantine
    from service.journal import open_journal

    settings = Settings()
    archive, journal, rules = Archive(settings.archive), open_journal(settings), _mapping(mapping)
    with show.progress("manifests", len(files)) as advance:
        for file in files:
            done = ingest_manifest(file, archive, journal, rules, format=format)
            advance(f"{done.file}: {done.account}; {done.consignments:,} consignments, {done.new:,} new")
            kept = keep_quarantine(done.refused, settings.home / "quarantine", done.file)
            show.faults(done.refused, kept)


@app.command()
def outcomes(files: Files, mapping: MappingFile = None) -> None:
    """Record inspection results and post what they say about senders, addresses and routes."""
    from pipelines.archive import Archive
    from pipelines.ingest import ingest_outcomes, keep_quarantine
    from service.journal import open_journal

    settings = Settings()
    archive, journal, rules = Archive(settings.archive), open_journal(settings), _mapping(mapping)
    with show.progress("outcome files", len(files)) as advance:
        for file in files:
            done, received = ingest_outcomes(file, archive, journal, rules)
            unknown = f", {received.unknown:,} for consignments never seen" if received.unknown else ""
            advance(f"{done.file}: {done.account}; {received.recorded:,} new{unknown}")
            show.faults(done.refused, keep_quarantine(done.refused, settings.home / "quarantine", done.file))
    _sign(settings, journal.store)


@app.command()
def link(
    on: Annotated[bool, typer.Option("--on", help="switch linking on, with a name and a legal basis")] = False,
    off: Annotated[bool, typer.Option("--off", help="switch it off and delete what was linked")] = False,
    by: Annotated[str, typer.Option(help="who switches it on")] = "",
    basis: Annotated[str, typer.Option(help="the legal basis of attributing consignments to persons")] = "",
) -> None:
    """Resolve parties and networks over the archive; linking persons is off until somebody switches it on."""
    from pipelines.link import forget, resolve
    from service.linking_switch import LinkingSwitch

    settings = Settings()
    settings.home.mkdir(parents=True, exist_ok=True)
    if off:
        forget(settings)
        show.line("linking is off: nobody is attributed, and what was linked is deleted")
        return
    if on:
        LinkingSwitch(settings.linking).turn_on(by, basis, datetime.now(UTC))
    done = resolve(settings)
    show.line(
        f"{done.cards:,} senders as declared on {done.consignments:,} consignments; {done.links:,} pairs are linked; "
        f"{done.networks:,} networks, the largest of {done.largest:,}"
    )


@app.command()
def network(
    code: Annotated[str, typer.Argument(help="a party (P-…) or a network (N-…)")],
    out: Annotated[Path, typer.Option(help="FollowTheMoney JSON lines")],
    by: Annotated[str, typer.Option(help="who hands it on")],
    reason: Annotated[str, typer.Option(help="to whom and why; it stands on the audit chain")],
) -> None:
    """Write what the parties of a network declared as FollowTheMoney entities, to hand it on."""
    from pipelines.link import hand_on

    lines = hand_on(Settings(), code, out, by, reason, datetime.now(UTC))
    show.line(f"{lines:,} entities written to {out}")


@app.command()
def train(
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="learn from this day on")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="nothing known from this day on")] = None,
    test_from: Annotated[datetime | None, typer.Option(formats=DAYS, help="test from this day on")] = None,
    test_apart: Annotated[bool, typer.Option("--test-apart", help="what serves learns nothing from the test")] = False,
    name: Annotated[str, typer.Option(help="name of the registered model")] = "tamis",
    mapping: MappingFile = None,
    engine: EngineOption = "here",
) -> None:
    """Train, calibrate and evaluate a model on the archive, log it to MLflow and register it as challenger."""
    from pipelines.learn import learn
    from pipelines.many import working

    rules = _mapping(mapping)
    with working(engine) as crew:
        version = learn(
            Settings(), rules, name,
            start=_utc(start), end=_utc(end), test_from=_utc(test_from), test_apart=test_apart, crew=crew,
        )  # fmt: skip
    show.line(
        f'registered as {name} version {version} (challenger); next: tamis promote {version} --by NAME --reason "…"'
    )


@app.command()
def promote(
    version: Annotated[int, typer.Argument(help="the registered version")],
    by: Annotated[str, typer.Option(help="who decides it")],
    reason: Annotated[str, typer.Option(help="why")],
    name: Annotated[str, typer.Option(help="name of the registered model")] = "tamis",
    policy: Annotated[Path | None, typer.Option(help="another policy than the one it was trained with")] = None,
    although: Annotated[str, typer.Option(help="why it should serve although it did worse than the champion")] = "",
) -> None:
    """Make a challenger the champion; a signed bundle is exported and running services take it within seconds."""
    from pipelines.promote import promote as promoted

    now = datetime.now(UTC)
    bundle = promoted(version, by, reason, Settings(), now, name=name, policy=policy, although=although)
    show.line(f"{bundle.name} serves now; signed bundle in {bundle}")


@app.command()
def score(
    files: Messages,
    out: Annotated[Path, typer.Option(help="folder for the results")],
    mapping: MappingFile = None,
    format: FormatOption = None,
    answer: Annotated[AnswerKind | None, typer.Option(help="also write an answer to each file, in these words")] = None,
    expectations: Annotated[bool, typer.Option(help="let Great Expectations judge the manifest as a whole")] = True,
    engine: EngineOption = "here",
) -> None:
    """Orient every consignment of some manifests and publish orientations, quarantine, summary and report."""
    from pipelines.archive import Archive
    from pipelines.many import spread, working
    from pipelines.score import publish, write_answers
    from pipelines.score import score as scored
    from service.answers import load_codes
    from service.desk import open_desk
    from service.lease import leases
    from service.reassessing import reassess

    settings, now = Settings(), datetime.now(UTC)
    held = [out / ".lease", *(settings.home / "leases" / f"{file.name}.lease" for file in files)]
    with leases(held), working(engine) as crew:
        desk = open_desk(settings)
        if crew is not None:
            desk = spread(desk, crew)
        desk.journal.catch_up()
        if amended := reassess(desk, now):
            show.line(f"{amended:,} decisions that lacked the past or the model were given again and are stricter now")
        with show.progress("manifests", len(files)) as advance:
            result = scored(
                files, desk, Archive(settings.archive), now,
                mapping=_mapping(mapping), format=format, expectations=expectations, say=advance, part=advance.part,
            )  # fmt: skip
        show.line("writing the report")
        _sign(settings, desk.journal.store)
        summary = publish(result, desk, out, now, f"Orientations of {', '.join(f.name for f in files)}"[:120])
        if answer is not None:
            told = write_answers(result, answer, load_codes(settings.answers), out)
            show.line(f"{len(told)} answers ({answer}) in {out / 'answers'}")
    show.top(result.orientations, result.declared, 10)
    show.faults(result.refused, out / "quarantine.parquet")
    lanes = ", ".join(f"{count:,} {lane}" for lane, count in summary["lanes"].items())
    show.line(f"{summary['consignments']:,} consignments: {lanes}; report in {out / 'report.html'}")


@app.command()
def verify() -> None:
    """Check the audit chain, all that it vouches for and the signed checkpoints; exits with 1 where one differs."""
    from service.auditing import verify_record
    from service.store import open_store

    settings = Settings()
    told = verify_record(open_store(settings), settings.checkpoints, settings.keys)
    show.line(
        f"{told.entries:,} entries: {told.decisions:,} decisions, {told.outcomes:,} outcomes, {told.erased:,} erased; "
        f"{told.checkpoints:,} checkpoints in {settings.checkpoints}"
    )
    for fault in told.faults:
        show.line(fault)
    if not told.holds:
        raise Fault(f"{told.wrong:,} faults: the record is not as it was written")
    show.line("the record is as it was written")


@app.command()
def replay(
    decision_id: Annotated[str, typer.Argument(help="the decision, as its answer names it")],
) -> None:
    """Give one decision again from its bundle, row, policy and circumstances, and compare it byte for byte."""
    from service.replaying import Bundles, replay
    from service.store import open_store

    settings = Settings()
    told = replay(open_store(settings), Bundles(settings.bundles, settings.keys), decision_id)
    for name, recorded, given in told.differences:
        show.line(f"{name}: on record {recorded!r}, given now {given!r}")
    if not told.identical:
        raise Fault(f"{len(told.differences)} fields differ")
    show.line(f"decision {decision_id}: the same, byte for byte")


@app.command()
def monitor(
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="judge from this day on")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="nothing from this day on")] = None,
    out: Annotated[Path | None, typer.Option(help="folder for monitor.json; below the reports when not named")] = None,
    thresholds: Annotated[Path | None, typer.Option(help="instead of pipelines/monitor/monitor.toml")] = None,
    fail_on_alarm: Annotated[bool, typer.Option("--fail-on-alarm", help="exit with 1 when an alarm rings")] = False,
) -> None:
    """Drift, data quality, calibration and hits against chance, with an alarm and a remedy for each."""
    from pipelines.monitor.command import insist, run

    before = end or datetime.now(UTC)
    seen = run(Settings(), start.date() if start else None, before.date(), out, thresholds)
    if fail_on_alarm:
        insist(seen)


@app.command()
def backtest(
    world: Annotated[
        bool, typer.Option("--world", help="a synthetic world that reacts, in place of the archive")
    ] = False,
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first archived day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="no archived day from this one on")] = None,
    policy: Annotated[list[Path] | None, typer.Option(help="a policy to compare; may be given several times")] = None,
    capacity: Annotated[
        int | None, typer.Option(min=1, help="physical checks a day, in place of the policies' own")
    ] = None,
    days: Annotated[int, typer.Option(min=1, help="days of a world")] = 182,
    per_day: Annotated[int, typer.Option(min=1, help="consignments a day of a world")] = 1500,
    seeds: Annotated[int, typer.Option(min=1, help="worlds to average over")] = 3,
    arms: Annotated[str, typer.Option(help="arms, separated by commas; over a world, all where none is named")] = "",
    start_up: Annotated[int, typer.Option(min=0, help="days before the arms decide, to have results")] = 28,
    cold: Annotated[bool, typer.Option("--cold", help="start up a world without its historical regime")] = False,
    retrain: Annotated[int, typer.Option(min=1, help="days from one training to the next")] = 7,
    out: Annotated[Path | None, typer.Option(help="folder for backtest.json; reports/backtest where absent")] = None,
) -> None:
    """Replay days through the real decision code, revealing only what each arm selected itself, and compare."""
    from pipelines import backtest as replays
    from pipelines.archive import Archive
    from service.linking_switch import LinkingSwitch

    settings, plan = Settings(), replays.Plan(start_up, retrain, cold)
    entries = replays.entries_of(arms, policy or [])
    if world:
        over = range(1, seeds + 1)
        ledger = replays.over_worlds(entries, days=days, per_day=per_day, seeds=over, plan=plan, capacity=capacity)
    else:
        archive = Archive(settings.archive, linking=LinkingSwitch(settings.linking).on)
        ledger = replays.over_archive(archive, entries, start=_utc(start), end=_utc(end), plan=plan, capacity=capacity)
    show.line(f"written to {replays.report(ledger, plan, out or settings.reports / 'backtest')}")


@app.command("what-if")
def what_if(
    office: Annotated[str, typer.Option(help="the office")],
    physical: Annotated[int, typer.Option(min=0, help="physical checks a day, in place of those that were made")],
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="last day")] = None,
) -> None:
    """More or fewer physical checks at an office: what that would have found or missed, by kind of finding."""
    from pipelines.whatif import tell
    from service import whatif
    from service.bundles import open_serving
    from service.store import open_store

    settings = Settings()
    last = (end or datetime.now(UTC)).date()
    first = start.date() if start else last - timedelta(days=28)
    record = whatif.record_of(open_store(settings), office, first, last)
    tell(whatif.what_if(record, physical, open_serving(settings).policy.least_risk), office)


@app.command()
def rules(
    policy: Annotated[Path | None, typer.Argument(help="the policy whose rules are tried; the one that serves")] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first archived day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="no archived day from this one on")] = None,
) -> None:
    """Try the rules of a policy on days gone by: what each would have held for, and what was found of it."""
    from pipelines.archive import Archive
    from pipelines.rules import dry_run, tell
    from service.bundles import open_serving
    from service.linking_switch import LinkingSwitch
    from service.orientation import load_policy

    settings = Settings()
    archive = Archive(settings.archive, linking=LinkingSwitch(settings.linking).on)
    meant = load_policy(policy.read_text(encoding="utf-8")) if policy else open_serving(settings).policy
    tell(dry_run(meant, archive, datetime.now(UTC).date(), _utc(start), _utc(end)))


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="address to listen on")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="port to listen on")] = 8000,
    workers: Annotated[int, typer.Option(help="processes, one for each core")] = 1,
) -> None:
    """The API; stops cleanly on Ctrl-C; with several workers, SIGHUP starts each anew, one after the other."""
    import uvicorn

    without_training_libraries()
    a_core_each(workers)
    settings = Settings()
    if not settings.champion.exists() and not settings.bundles.is_dir():
        raise Fault(f"no bundle serves in {settings.bundles}; run `tamis train` and `tamis promote` first")
    settings.home.mkdir(parents=True, exist_ok=True)
    _let_in(settings, host, port)
    uvicorn.run(
        "service.app:create", factory=True, host=host, port=port, workers=workers, access_log=False,
        timeout_worker_healthcheck=STARTS_WITHIN,
    )  # fmt: skip


def _let_in(settings: Settings, host: str, port: int) -> None:
    """Say who can come in; where nobody can yet, print a link by which the first administrator is made."""
    from service.access import open_access

    if settings.access == "open" and host not in LOOPBACK:
        raise Fault("TAMIS_ACCESS=open lets anybody in and listens on this machine alone; take it away, or --host")
    access = open_access(settings)
    if not access.anybody():
        token = access.invite("", "admin", ["*"], "set-up", datetime.now(UTC))
        show.line(f"nobody has an account yet; make the first: http://{host}:{port}/console/invitation/{token}")
    access.store.close()
    show.line("anybody on this machine may call /v1" if settings.access == "open" else "who calls /v1 needs a key")


@app.command()
def ladder(
    seeds: Annotated[int, typer.Option(help="worlds to climb in")] = 5,
    days: Annotated[int, typer.Option(help="days of each world")] = 120,
    per_day: Annotated[int, typer.Option(help="consignments a day")] = 2_000,
    judged_from: Annotated[int, typer.Option(help="first day that is judged")] = 80,
    ablations: Annotated[bool, typer.Option(help="also with one thing left out or added at a time")] = False,
    out: Annotated[Path | None, typer.Option(help="write every figure to this JSON file")] = None,
) -> None:
    """Measure rankings by the truth of synthetic worlds: chance, sender rule, raw LightGBM, Tamis, full information."""
    from pipelines.ladder import COLUMNS, climb, closed, table, write_figures
    from pipelines.ladder.evidence import Size

    size = Size(days, per_day, judged_from)
    figures = climb(range(1, seeds + 1), size, show.line, ablations=ablations)
    show.line(table(figures, COLUMNS))
    part = closed(figures)
    show.line(
        f"Tamis closes {part.mean:.2f} ± {part.half:.2f} of the distance between raw LightGBM and full information"
    )
    if out is not None:
        write_figures(out, figures)


def _sign(settings: Settings, store: Store) -> None:
    """Sign how far the audit chain reaches now."""
    from service.checkpoints import checkpoint

    checkpoint(store, settings.checkpoints, settings.keys, datetime.now(UTC))


def main() -> None:
    """Run the command; a fault that a user can mend is one line, and the exit code says so."""
    collect_seldom()
    try:
        app(standalone_mode=False)
    except typer.Exit as end:
        sys.exit(end.exit_code)
    except typer.Abort:
        sys.exit(130)
    except (Fault, OSError) as fault:
        if os.environ.get("TAMIS_TRACEBACK"):
            raise
        sys.exit(f"tamis: {fault}")
    except click.ClickException as fault:
        fault.show()
        sys.exit(fault.exit_code)


if __name__ == "__main__":
    main()
