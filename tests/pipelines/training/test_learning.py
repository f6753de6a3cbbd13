"""What may teach a model and what may not: no truth, no one-sided past; and who may follow whom."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import pipelines.training.training_frame as training_frame
from features.catalogue import INPUTS
from features.contract import gate_manifest, gate_outcomes
from features.fault import Fault
from features.history import tiles
from features.messages.flat import read_flat
from features.messages.mapping import UNMAPPED
from pipelines.batch.archive import Archive
from pipelines.commands.train_command import learn
from pipelines.synthetic import build_world
from pipelines.training.hyper_parameters import PARAMETERS, REPEATING
from pipelines.training.promotion import promote
from pipelines.training.registered_versions import CHAMPION
from pipelines.training.registry import Registry
from pipelines.training.train import learner_of, train
from pipelines.training.training_frame import TrainingFrame, build_training_frame
from pipelines.training.tree_growing import HERE
from service.settings import Settings

NOW = datetime(2026, 11, 1, tzinfo=UTC)
JUDGES = ("synthetic", "benchmark", "backtest")  # they make worlds or judge by the truth, and teach nobody
LONG_AGO = timedelta(days=4 * 365)


def archived(world: Path, folder: Path) -> Archive:
    archive = Archive(folder)
    for file in sorted((world / "manifests").glob("*.parquet")):
        archive.keep_manifest(gate_manifest(read_flat(file).rows, file.name).accepted)
    for file in sorted((world / "outcomes").glob("*.parquet")):
        archive.keep_outcomes(gate_outcomes(read_flat(file).rows).accepted)
    return archive


def test_a_world_with_another_truth_teaches_the_same(tmp_path: Path) -> None:
    taught = []
    for name in ("as it is", "turned round"):
        build_world(16, 300, 5, tmp_path / name)
        if name == "turned round":
            told = pl.read_parquet(tmp_path / name / "truth.parquet")
            told.with_columns(~pl.col("illicit"), pl.lit("nobody").alias("actor_id")).write_parquet(
                tmp_path / name / "truth.parquet"
            )
        frame = build_training_frame(archived(tmp_path / name, tmp_path / name / "archive"), INPUTS)
        trees = train(frame, INPUTS, "m").model.trees
        assert trees is not None
        taught.append(trees.booster.model_to_string())
    assert taught[0] == taught[1]


def test_nothing_but_worlds_and_judges_knows_of_the_truth() -> None:
    root = Path(training_frame.__file__).parents[2]
    learning = [file for floor in ("features", "service") for file in (root / floor).rglob("*.py")]
    learning += [
        f for f in (root / "pipelines").rglob("*.py") if f.relative_to(root / "pipelines").parts[0] not in JUDGES
    ]
    assert len(learning) > 60
    for file in learning:
        texts = [n.value for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Constant)]
        named = [
            t for t in texts if isinstance(t, str) and t in ("truth", "truth.parquet", "illicit", "actor_id", "scheme")
        ]
        assert named == [], file


def two_eras(world: Path, folder: Path, *, pruned: bool) -> Archive:
    """The first half of a world moved four years back; with `pruned`, its compliant results are gone by now."""
    middle = datetime(2026, 1, 13, tzinfo=UTC)
    whole, archive = archived(world, folder / "whole"), Archive(folder / "eras")
    flat = whole.consignments().flat()
    early = pl.when(pl.col("lodged_at") < middle).then(pl.col("lodged_at") - LONG_AGO).otherwise("lodged_at")
    ids = flat.filter(pl.col("lodged_at") < middle)["consignment_id"].unique()
    archive.keep_manifest(flat.with_columns(early))
    results = whole.outcomes().with_columns(pl.col("consignment_id").is_in(ids.implode()).alias("old"))
    results = results.with_columns(
        pl.when("old").then(pl.col("known_at") - LONG_AGO).otherwise("known_at").alias("known_at")
    )
    if pruned:
        results = results.filter(~pl.col("old") | (pl.col("result") == "non_compliant"))
    archive.keep_outcomes(results.drop("old"))
    return archive


@pytest.fixture(scope="module")
def eras(tmp_path_factory: pytest.TempPathFactory) -> tuple[Archive, Archive]:
    folder = tmp_path_factory.mktemp("eras")
    build_world(24, 300, 5, folder / "world")
    return (
        two_eras(folder / "world", folder / "kept", pruned=False),
        two_eras(folder / "world", folder / "pruned", pruned=True),
    )


def both(eras: tuple[Archive, Archive]) -> tuple[TrainingFrame, TrainingFrame]:
    return build_training_frame(eras[0], INPUTS), build_training_frame(eras[1], INPUTS)


def test_old_senders_do_not_grow_guilty_when_compliant_files_are_gone(eras: tuple[Archive, Archive]) -> None:
    kept, pruned = both(eras)
    assert pruned.rows.frame.equals(kept.rows.frame, null_equal=True)
    assert pruned.ordinary.frame.equals(kept.ordinary.frame, null_equal=True)
    scores = [
        train(frame, INPUTS, "m").model.score(frame.ordinary).frame["risk"].to_numpy() for frame in (kept, pruned)
    ]
    assert np.array_equal(scores[0], scores[1])


def test_without_the_limit_they_would(eras: tuple[Archive, Archive], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_frame, "RETENTION", timedelta(days=10 * 365))
    monkeypatch.setattr(tiles, "RESULT_DAYS", 10 * 365)
    kept, pruned = both(eras)
    assert pruned.facts["hit"].to_numpy().mean() > 1.3 * kept.facts["hit"].to_numpy().mean()
    rates = [frame.ordinary.frame["identifiers_hit_rate"] for frame in (kept, pruned)]
    assert ((rates[1] - rates[0]).fill_null(0.0) > 0).sum() > 20


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, datetime]:
    """A home with an archive of 50 days and a champion that learned from 25 of them."""
    folder = tmp_path_factory.mktemp("contest")
    build_world(50, 400, 6, folder / "world")
    settings = Settings(home=folder / "home")
    archived(folder / "world", settings.archive)
    middle = datetime(2026, 1, 26, tzinfo=UTC)
    assert learn(settings, UNMAPPED, "tamis", end=middle) == 1
    promote(1, "A. Martin", "first", settings, NOW)
    return settings, middle


def test_a_better_challenger_is_compared_on_days_that_taught_neither(champion: tuple[Settings, datetime]) -> None:
    settings, middle = champion
    version = learn(settings, UNMAPPED, "tamis", test_from=middle)
    told, facts = Registry(settings).metrics_of(version), Registry(settings).parameters_of(version)
    assert facts["contest_champion"] == "tamis-v1"
    assert told["challenger.rows"] == told["champion.rows"] >= 100
    assert told["contest.low"] <= told["contest.difference"] <= told["contest.high"]
    assert told["contest.difference"] == pytest.approx(
        told["challenger.average_precision"] - told["champion.average_precision"]
    )


def test_a_worse_challenger_is_refused_unless_told_why(
    champion: tuple[Settings, datetime], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, middle = champion
    monkeypatch.setitem(PARAMETERS, "min_data_in_leaf", 100_000)  # trees that cannot split
    version = learn(settings, UNMAPPED, "tamis", test_from=middle)
    with pytest.raises(Fault, match=f"version {version} did worse than version 1 .*--force-reason"):
        promote(version, "A. Martin", "newer", settings, NOW)
    assert Registry(settings).version_of(CHAMPION) == 1
    bundle = promote(version, "A. Martin", "newer", settings, NOW, although="a drill")
    assert '"promoted_although":"a drill"' in (bundle / "manifest.json").read_text().replace('": "', '":"')


def test_a_challenger_never_compared_is_refused(champion: tuple[Settings, datetime]) -> None:
    settings, middle = champion
    version = learn(settings, UNMAPPED, "tamis", end=middle - timedelta(days=3))
    with pytest.raises(Fault, match="was not compared with version"):
        promote(version, "A. Martin", "newer", settings, NOW)


def test_what_serves_learns_from_the_test_days_too_unless_they_are_kept_apart(eras: tuple[Archive, Archive]) -> None:
    frame = build_training_frame(eras[0], INPUTS)
    newest, apart = (train(frame, INPUTS, "m", test_apart=one) for one in (False, True))
    assert newest.facts["learned_on"] == frame.facts.height > apart.facts["learned_on"] == newest.facts["judged_after"]
    assert apart.facts["to"] == apart.facts["test_from"] < newest.facts["to"]
    assert np.array_equal(newest.margin, apart.margin)
    assert np.array_equal(apart.model.score(frame.rows).frame["margin"].to_numpy(), apart.margin)
    assert not np.array_equal(newest.model.score(frame.rows).frame["margin"].to_numpy(), newest.margin)


def test_where_results_come_from_a_selection_no_tree_splits_on_what_inspectors_chose_by(
    eras: tuple[Archive, Archive],
) -> None:
    frame = build_training_frame(eras[0], INPUTS)
    everything, rows = np.ones(frame.facts.height, np.bool_), np.arange(frame.facts.height)
    few = replace(learner_of(frame, everything, INPUTS, HERE, {}), hit=rows % 2 == 0)
    many = learner_of(replace(frame, consignments=frame.facts.height), everything, INPUTS, HERE, {})
    apart = few.telling_apart(few.hit, {})
    chapter = [item.name for item in INPUTS].index("hs_chapter")
    few.matrix[:, chapter] = few.hit  # it tells all
    rounds = 40  # each tree looks at some inputs alone
    splits = [learner.learn(rows, rounds).booster.feature_importance()[chapter] for learner in (few, apart)]
    assert (few.unused, many.unused, apart.unused) == (REPEATING, (), ())
    assert splits[0] == 0 < splits[1]
