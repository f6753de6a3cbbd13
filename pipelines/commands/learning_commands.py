"""Commands that learn and judge: train, promote, replay days, try rules and capacities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import typer

from pipelines import show
from pipelines.commands.shared_options import (
    DAYS,
    EngineOption,
    MappingFile,
    current_settings,
    mapping_of,
    readable_file,
    readable_files,
    utc,
)
from pipelines.commands.usage import BadValue


def hyper_parameters(given: list[str] | None) -> list[str] | None:
    """Take hyper-parameters that exist, with values that they can have."""
    from pipelines.training.hyper_parameters import ParameterFault, read_parameters

    try:
        read_parameters(given or [])
    except ParameterFault as fault:
        raise BadValue(str(fault)) from fault
    return given


def train(
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="learn from this day on")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="nothing known from this day on")] = None,
    test_from: Annotated[datetime | None, typer.Option(formats=DAYS, help="test from this day on")] = None,
    exclude_test: Annotated[
        bool, typer.Option("--exclude-test", help="keep the test period out of the final fit")
    ] = False,
    name: Annotated[str, typer.Option(help="name of the registered model")] = "tamis",
    mapping: MappingFile = None,
    engine: EngineOption = "local",
    params: Annotated[
        list[str] | None,
        typer.Option(
            "--params",
            help="hyper-parameter of the trees as name=value, or a TOML file of them; may be repeated",
            metavar="NAME=VALUE|FILE",
            callback=hyper_parameters,
        ),
    ] = None,
    search: Annotated[
        bool, typer.Option("--search", help="search for hyper-parameters first, on days before the test")
    ] = False,
    trials: Annotated[int, typer.Option(min=1, help="sets that a search tries at most")] = 40,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="minutes after which a search begins no further trial")
    ] = None,
    search_seed: Annotated[int, typer.Option(min=0, help="seed of what a search tries")] = 0,
) -> None:
    """Train, calibrate and evaluate a model on the archive, log it to MLflow and register it as challenger."""
    from pipelines.commands.train_command import learn
    from pipelines.distributed import connect_workers
    from pipelines.training.hyper_parameters import read_parameters
    from pipelines.training.registered_versions import promote_command
    from pipelines.training.search import Plan

    plan = Plan(trials, None if minutes is None else minutes * 60, search_seed) if search else None
    rules = mapping_of(mapping)
    with connect_workers(engine) as cluster:
        version = learn(
            current_settings(), rules, name,
            start=utc(start), end=utc(end), test_from=utc(test_from), test_apart=exclude_test, cluster=cluster,
            parameters=read_parameters(params or []), plan=plan,
        )  # fmt: skip
    show.line(f"registered as {name} version {version} (challenger); next: {promote_command(version, name)}")


def promote(
    by: Annotated[str, typer.Option(help="who decides it")],
    reason: Annotated[str, typer.Option(help="why")],
    version: Annotated[int | None, typer.Argument(help="the registered version", show_default=False)] = None,
    rules: Annotated[bool, typer.Option("--rules", help="no model: rules, lists and indicators decide")] = False,
    name: Annotated[str, typer.Option(help="name of the registered model")] = "tamis",
    policy: Annotated[
        Path | None, typer.Option(help="another policy than the one it was trained with", callback=readable_file)
    ] = None,
    force_reason: Annotated[
        str,
        typer.Option(help="required to promote a model that performs worse than the champion, or cannot be judged"),
    ] = "",
) -> None:
    """Make a challenger the champion, or let rules decide without a model; running services follow within seconds."""
    from pipelines.training.promotion import promote as promoted
    from pipelines.training.promotion import promote_rules

    now = datetime.now(UTC)
    if rules == (version is not None):
        raise BadValue("name either a registered version or --rules")
    if version is None:
        folder = promote_rules(by, reason, current_settings(), now, policy=policy)
        show.line(f"rules, lists, indicators and chance decide now, without a model; signed in {folder}")
        return
    bundle = promoted(version, by, reason, current_settings(), now, name=name, policy=policy, although=force_reason)
    show.line(f"{bundle.name} serves now; signed bundle in {bundle}")


def backtest(
    world: Annotated[
        bool, typer.Option("--world", help="a synthetic world that reacts, in place of the archive")
    ] = False,
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first archived day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="no archived day from this one on")] = None,
    policy: Annotated[
        list[Path] | None, typer.Option(help="a policy to compare; may be repeated", callback=readable_files)
    ] = None,
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
    """Replay past days through the real decision code, each policy seeing only the results it selected; compare."""
    from pipelines import backtest as replays
    from pipelines.batch.archive import Archive
    from service.parties.linking_switch import LinkingSwitch

    settings, plan = current_settings(), replays.Plan(start_up, retrain, cold)
    entries = replays.entries_of(arms, policy or [])
    if world:
        over = range(1, seeds + 1)
        ledger = replays.over_worlds(entries, days=days, per_day=per_day, seeds=over, plan=plan, capacity=capacity)
    else:
        archive = Archive(settings.archive, linking=LinkingSwitch(settings.linking).on)
        ledger = replays.over_archive(archive, entries, start=utc(start), end=utc(end), plan=plan, capacity=capacity)
    show.line(f"written to {replays.report(ledger, plan, out or settings.reports / 'backtest')}")


def rules(
    policy: Annotated[
        Path | None,
        typer.Argument(help="policy whose rules are tried; the serving one when absent", callback=readable_file),
    ] = None,
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first archived day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="no archived day from this one on")] = None,
) -> None:
    """Try the rules of a policy on past days: how many consignments each would have selected, and its hit rate."""
    from pipelines.batch.archive import Archive
    from pipelines.commands.rules_command import dry_run, tell
    from service.orientation import load_policy
    from service.parties.linking_switch import LinkingSwitch
    from service.serving.serving_bundle import open_serving

    settings = current_settings()
    archive = Archive(settings.archive, linking=LinkingSwitch(settings.linking).on)
    meant = load_policy(policy.read_text(encoding="utf-8")) if policy else open_serving(settings).policy
    tell(dry_run(meant, archive, datetime.now(UTC).date(), utc(start), utc(end)))


def what_if(
    office: Annotated[str, typer.Option(help="the office")],
    physical: Annotated[int, typer.Option(min=0, help="physical checks a day, in place of those that were made")],
    start: Annotated[datetime | None, typer.Option("--from", formats=DAYS, help="first day")] = None,
    end: Annotated[datetime | None, typer.Option("--to", formats=DAYS, help="last day")] = None,
) -> None:
    """Estimate what more or fewer physical checks at an office would have found or missed, by kind of finding."""
    from pipelines.commands.what_if_command import tell
    from service.officers import what_if as whatif
    from service.serving.serving_bundle import open_serving
    from service.store.database import open_store

    settings = current_settings()
    last = (end or datetime.now(UTC)).date()
    first = start.date() if start else last - timedelta(days=28)
    record = whatif.record_of(open_store(settings), office, first, last)
    tell(whatif.what_if(record, physical, open_serving(settings).policy.least_risk), office)


def benchmark(
    seeds: Annotated[str, typer.Option(help="number of synthetic worlds, or their seeds, such as 101-105,140")] = "10",
    world: Annotated[
        Literal["family", "classic"], typer.Option(help="worlds that differ in their parameters, or the one of synth")
    ] = "family",
    tuning: Annotated[bool, typer.Option("--tuning", help="the seeds to tune on, not those to report on")] = False,
    days: Annotated[int, typer.Option(min=3, help="days of each world")] = 120,
    per_day: Annotated[int, typer.Option(min=1, help="consignments a day")] = 2_000,
    judged_from: Annotated[
        int | None, typer.Option(min=1, help="first day that is judged; after two thirds where absent")
    ] = None,
    ablations: Annotated[bool, typer.Option(help="also with one thing left out or added at a time")] = False,
    out: Annotated[Path | None, typer.Option(help="write every figure to this JSON file, world by world")] = None,
) -> None:
    """Measure Tamis and its baselines against the truth of synthetic worlds: mean, half interval, worst world."""
    from pipelines import benchmark as judging
    from pipelines.benchmark.world_evidence import Size

    worlds = judging.worlds_of(world, seeds, tuning=tuning)
    size = Size(days, per_day, days * 2 // 3 if judged_from is None else judged_from)
    figures: list[judging.Figures] = []
    for of_seed in judging.climb(worlds, size, show.line, ablations=ablations):
        figures.append(of_seed)
        if out is not None:
            judging.write_figures(out, figures)
    show.line(f"{worlds.name}: mean ± half the 95 % interval over worlds (the worst world)")
    show.line(judging.table(figures, judging.COLUMNS))
    show.line(judging.table(figures, judging.OF_LINKING))
    part = judging.closed(figures)
    show.line(
        f"Tamis closes {part.mean:.2f} ± {part.half:.2f} of the distance between raw LightGBM and full information"
    )
