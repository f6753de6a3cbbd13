"""From the archive to a registered challenger, told as it goes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from features.assemble import assemble
from features.catalogue import Input, with_extras
from features.messages.mapping import Mapping as ColumnMapping
from pipelines import show
from pipelines.batch.archive import Archive
from pipelines.batch.archive_calls import sweep
from pipelines.distributed import Cluster
from pipelines.distributed.distributed_desk import assemble_distributed
from pipelines.distributed.distributed_training import DistributedGrower
from pipelines.training.beside_rules import beside_rules
from pipelines.training.champion_comparison import ChampionComparison, compare_with_champion
from pipelines.training.results_needed import Results
from pipelines.training.search import Plan, optuna_or_why
from pipelines.training.shown_beside_rules import Shown, as_metrics, in_words, shown_better
from pipelines.training.standard_policy import standard_policy
from pipelines.training.train import Trained, train
from pipelines.training.training_frame import TrainingFrame, build_training_frame
from pipelines.training.tree_growing import HERE, Grower
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.registered_serials import registered
from service.parties.stored_parties import judged_ever
from service.parties.watch_lists import addressees_ever, listed_ever
from service.scoring.bundle import BundleRefused, load_bundle, write_bundle
from service.serving.serving_bundle import RULES
from service.settings import Settings
from service.store.database import open_store


def learn(
    settings: Settings,
    mapping: ColumnMapping,
    name: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    test_from: datetime | None = None,
    test_apart: bool = False,
    cluster: Cluster | None = None,
    parameters: Mapping[str, float | int] | None = None,
    plan: Plan | None = None,
) -> int:
    """Train on the archive, print what it is worth, and register it; the version it was given.

    cluster: the workers that work out rows and grow trees; none where this process does. parameters: of the trees, in
    place of the standard ones. plan: of a search for the others; none where there is to be none.
    """
    from pipelines.commands.parameter_search import search_parameters
    from pipelines.training.registry import Registry
    from pipelines.training.training_run import training_run

    if plan is not None:
        optuna_or_why()  # before the archive is read
    linking = LinkingSwitch(settings.linking)
    archive, inputs = Archive(settings.archive, linking=linking.on), with_extras(mapping.extras)
    store = open_store(settings)
    sweep(Journal(store, linking), archive)
    if linking.on:
        archive.keep_listed(listed_ever(store))
        archive.keep_addressed(addressees_ever(store))
        archive.keep_judged(judged_ever(store))
    archive.keep_registered(registered(store))
    store.close()
    show.line("assembling what was known of every inspected consignment on the day it was lodged")
    show.line(f"linking is {'on' if linking.on else 'off; `tamis link --on` says how to switch it on'}")
    grower, assembled = (
        (HERE, assemble) if cluster is None else (DistributedGrower(cluster), partial(assemble_distributed, cluster))
    )
    frame = build_training_frame(archive, inputs, start, end, assembled=assembled)
    show.line(f"{frame.consignments:,} consignments, {frame.facts.height:,} of them with a result")
    chosen, search_run = dict(parameters or {}), None
    if plan is not None:
        chosen, search_run = search_parameters(
            settings, frame, inputs, name, plan, fixed=chosen, test_from=test_from, grower=grower
        )
    trained = train(
        frame, inputs, name, test_from=test_from, lookup=mapping.lookup, caution=mapping.caution,
        test_apart=test_apart, grower=grower, parameters=chosen,
    )  # fmt: skip
    tell(trained)
    show.line("what results there are, and what is still needed")
    for sentence in Results.of(frame.facts).sentences():
        show.line(f"  {sentence}")
    contested = against_champion(settings, frame, trained, name)
    shown = against_rules(settings, frame, inputs, grower, chosen)
    run = training_run(trained, frame, name, settings.home, contested, search_run, as_metrics(shown) if shown else {})
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        texts = {"policy.toml": standard_policy(), "card.md": run.card}
        write_bundle(bundle, trained.model, trained.golden, texts)
        _keep_figures(settings, trained, name, contested)
        return Registry(settings).log(bundle, run, trained.golden.frame.head(5), name=name)


def against_champion(
    settings: Settings, frame: TrainingFrame, trained: Trained, name: str
) -> ChampionComparison | None:
    """The new model beside the one that serves, on days that taught neither; told, and none where it cannot be."""
    if not settings.champion.exists():
        return None
    if settings.serving.name == RULES:
        return None
    try:
        champion, _ = load_bundle(settings.serving, settings.keys)
    except BundleRefused as fault:
        show.line(f"! no comparison with the champion: {fault}")
        return None
    learned_to = champion.facts.get("learned_to")
    if not champion.model_id.startswith(f"{name}-v") or learned_to is None:
        show.line(f"no comparison: {champion.model_id} serves, which is no {name} or does not say what it learned from")
        return None
    held = compare_with_champion(
        frame, trained.split.test, trained.margin, champion, datetime.fromisoformat(str(learned_to))
    )
    if held is None:
        show.line(f"no comparison with {champion.model_id}: too few results since it learned, until {learned_to[:10]}")
        return None
    show.figures(f"Beside {held.champion}, on results that taught neither", held.figures)
    mean, low, high = held.difference
    show.line(f"average precision {mean:+.3f} against {held.champion} ({low:+.3f} to {high:+.3f}, 95 %)")
    return held


def against_rules(
    settings: Settings, frame: TrainingFrame, inputs: Sequence[Input], grower: Grower, parameters: Mapping[str, Any]
) -> tuple[Shown, ...]:
    """What is shown of the new model beside rules that decide without one; told, and nothing where a model serves."""
    if not settings.champion.exists() or settings.serving.name != RULES:
        return ()
    shown = beside_rules(frame, inputs, grower, parameters)
    verdict = "the model is shown to find more" if shown_better(shown) else "the model is not shown to find more yet"
    show.line(f"rules decide today; {verdict}: {in_words(shown)}")
    return shown


def tell(trained: Trained) -> None:
    """Print the figures, what they must be read with, and what chance alone found."""
    facts, comparison = trained.facts, trained.comparison
    show.line(
        f"{facts['trees']} trees on {facts['inputs']} inputs; learned on {facts['learned_on']:,} results; calibration: "
        f"{facts['calibration']}"
    )
    show.line(
        f"judged on the {facts['tested_on']:,} lodged from {facts['test_from'][:10]} on, by what the "
        f"{facts['judged_after']:,} results before them teach"
    )
    if why := comparison.unjudged():
        show.line(f"! {why}")
        return
    show.figures("On inspected consignments of days it never saw", comparison.figures)
    if comparison.unseen:
        show.figures("On those of them whose look-up tuple was never seen before", comparison.unseen)
    for note in comparison.notes:
        show.line(f"! {note}")
    drawn, hits, low, high = comparison.random_arm
    if drawn:
        show.line(
            f"drawn at random in the test: {drawn:,}, with {show.counted(hits, 'hit')}: "
            f"{low:.1%} to {high:.1%} of all (95 %)"
        )


def _keep_figures(settings: Settings, trained: Trained, name: str, contested: ChampionComparison | None) -> None:
    """The figures of the latest training, for the report of the next scoring and for the console."""
    settings.reports.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = {
        "facts": dict(trained.facts),
        "figures": trained.comparison.figures,
        "unseen": trained.comparison.unseen,
    }
    if contested is not None:
        content |= {"champion": contested.champion, "contest": contested.figures}
    (settings.reports / f"{name}-training.json").write_text(json.dumps(content, indent=1), encoding="utf-8")
