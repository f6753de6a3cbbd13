"""Hyper-parameters by hand and by search: named faults, no knowledge of the future or the test, runs within one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from features.catalogue import INPUTS
from features.messages.mapping import UNMAPPED
from pipelines.batch.archive import Archive
from pipelines.commands.train_command import learn
from pipelines.training.hyper_parameters import (
    CHOSEN,
    PARAMETERS,
    ParameterFault,
    as_toml,
    checked,
    read_parameters,
)
from pipelines.training.promotion import promote
from pipelines.training.registered_versions import NAME
from pipelines.training.registry import Registry
from pipelines.training.search import LOSS, Found, Plan, search, temporal_folds
from pipelines.training.train import split_by_time
from pipelines.training.training_frame import TrainingFrame, build_training_frame
from service.settings import Settings
from tests.pipelines.thread import NOW
from tests.worlds import archived_world

SECRET = "Ningbo-Trading-Ltd"
PLAN = Plan(trials=3, seed=5)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return archived_world(tmp_path_factory.mktemp("search") / "archive", days=32, per_day=500, seed=5)


@pytest.fixture(scope="module")
def frame(archive: Archive) -> TrainingFrame:
    return build_training_frame(archive, INPUTS)


@pytest.fixture(scope="module")
def found(frame: TrainingFrame) -> Found:
    return search(frame, INPUTS, split_by_time(frame.facts), PLAN)


def test_hyper_parameters_are_read_from_files_and_texts_the_later_over_the_earlier(tmp_path: Path) -> None:
    file = tmp_path / "chosen.toml"
    file.write_text("num_leaves = 15\nlambda_l2 = 1\n", encoding="utf-8")
    assert read_parameters([str(file), "num_leaves=9"]) == {"num_leaves": 9, "lambda_l2": 1.0}
    file.write_text(as_toml({"learning_rate": 0.0661420957364, "seed": 7}), encoding="utf-8")
    assert read_parameters([str(file)]) == {"learning_rate": 0.0661420957364, "seed": 7}


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        (f"learning_rate={SECRET}", "learning_rate takes a number from 0.005 to 0.5"),
        ("num_leaves=2.5", "num_leaves takes a whole number from 2 to 255"),
        ("num_leaves=1", "num_leaves takes a whole number from 2 to 255"),
        ("lambda_l2=nan", "lambda_l2 takes a number from 0 to 1000"),
        (f"{SECRET}=1", "hyper-parameter 1 is unknown; there are learning_rate"),
        (f"/nowhere/{SECRET}", "hyper-parameters 1 are neither name=value nor a TOML file that can be read"),
    ],
)
def test_a_hyper_parameter_that_cannot_be_is_named_and_its_value_is_not(given: str, fault: str) -> None:
    with pytest.raises(ParameterFault) as raised:
        read_parameters([given])
    assert fault in str(raised.value)
    assert SECRET not in str(raised.value)


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    with pytest.raises(ParameterFault, match=r"num_leaves takes .*; seed takes"):
        checked({"num_leaves": True, "lambda_l2": 5, "seed": -1})


def test_the_standard_values_are_among_those_that_may_be_chosen() -> None:
    for item in CHOSEN:
        if item.name in PARAMETERS:
            assert item.read(PARAMETERS[item.name]) == PARAMETERS[item.name]
        assert item.searched is None or item.least <= item.searched[0] < item.searched[1] <= item.most


def test_folds_learn_from_nothing_that_was_not_known_when_the_later_rows_began(frame: TrainingFrame) -> None:
    rows = np.flatnonzero(split_by_time(frame.facts).learn)
    folds = temporal_folds(frame.facts, rows)
    assert len(folds) >= 2
    known, lodged = frame.facts["known_at"].to_numpy(), frame.facts["lodged_at"].to_numpy()
    for earlier, later in folds:
        assert known[earlier].max() < lodged[later].min()
        assert lodged[earlier].max() <= lodged[later].min()
    assert set(np.concatenate([np.concatenate(fold) for fold in folds])) <= set(rows)


def test_a_search_never_looks_at_test_days(frame: TrainingFrame, found: Found) -> None:
    split = split_by_time(frame.facts)
    test = pl.Series(split.test)
    turned = replace(
        frame,
        facts=frame.facts.with_columns(pl.when(test).then(~pl.col("hit")).otherwise("hit").alias("hit")),
        rows=type(frame.rows).of_frame(
            frame.rows.frame.with_columns(
                pl.when(test).then(-1.0).otherwise(pl.col(item.name)).alias(item.name)
                for item in INPUTS
                if item.kind == "number"
            )
        ),
    )
    blind = search(turned, INPUTS, split, PLAN)
    assert [(t.parameters, t.figures[LOSS]) for t in blind.trials] == [
        (t.parameters, t.figures[LOSS]) for t in found.trials
    ]


def test_a_search_begins_with_the_standard_ones_and_keeps_what_a_person_chose(
    frame: TrainingFrame, found: Found
) -> None:
    first = found.trials[0].parameters
    assert first == {item.name: PARAMETERS[item.name] for item in CHOSEN if item.searched}
    assert found.best.figures[LOSS] == min(trial.figures[LOSS] for trial in found.trials)
    kept = search(frame, INPUTS, split_by_time(frame.facts), Plan(2, seed=1), fixed={"num_leaves": 5})
    assert [trial.parameters["num_leaves"] for trial in kept.trials] == [5, 5]
    assert kept.trials[0].parameters["learning_rate"] != kept.trials[1].parameters["learning_rate"]


def test_a_search_ends_when_its_time_is_up(frame: TrainingFrame) -> None:
    assert len(search(frame, INPUTS, split_by_time(frame.facts), Plan(1_000, seconds=0.01)).trials) == 1


def test_trials_are_runs_within_one_and_the_model_and_its_bundle_say_what_was_chosen(
    archive: Archive, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    settings.archive.symlink_to(archive.folder)
    version = learn(settings, UNMAPPED, NAME, parameters={"num_leaves": 5}, plan=Plan(trials=2, seed=5))
    registry = Registry(settings)
    run: Any = registry.client.get_run(str(registry.client.get_model_version(NAME, str(version)).run_id))
    whole: Any = registry.client.get_run(run.data.tags["tamis.search_run"])
    assert whole.info.run_name.split()[1] == "search"
    experiment = [run.info.experiment_id]
    within = f"tags.mlflow.parentRunId = '{whole.info.run_id}'"
    trials = registry.client.search_runs(experiment, within)
    assert {trial.info.run_name for trial in trials} == {"trial 0", "trial 1"}
    best = next(t for t in trials if t.info.run_name == f"trial {whole.data.params['best_trial']}")
    assert best.data.metrics[LOSS] == whole.data.metrics[f"best.{LOSS}"]
    assert run.data.params["learning_rate"] == best.data.params["learning_rate"]
    assert run.data.params["num_leaves"] == "5"
    bundle = promote(version, "A. Martin", "searched", settings, NOW, although="a drill")
    manifest = json.loads((bundle / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["grown_with"]["learning_rate"] == best.data.params["learning_rate"]
    assert "num_leaves 5" in (bundle / "card.md").read_text(encoding="utf-8")
    kept = read_parameters([str(settings.reports / f"{NAME}-parameters.toml")])
    assert kept["num_leaves"] == 5
