"""What MLflow keeps of a training: a run that speaks for itself, a model that scores alike, in a home that may move."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import mlflow
import mlflow.lightgbm
import mlflow.pyfunc
import numpy as np
import pandas as pd
import polars as pl
import pytest
import shap
from PIL import Image

from features.assemble import Rows
from features.messages.mapping import UNMAPPED
from pipelines.commands.train_command import learn
from pipelines.training.code_version import CHANGED, COMMIT, ROOT
from pipelines.training.hyper_parameters import PARAMETERS
from pipelines.training.promotion import promote
from pipelines.training.registered_versions import NAME
from pipelines.training.registry import Registry
from pipelines.training.training_run import TrainingData
from service.scoring.bundle import FILES, GOLDEN_SCORE, GOLDEN_SEVERITY, parse
from service.scoring.model import Model
from service.settings import Settings
from tests.docs.pages import FENCE
from tests.pipelines.thread import NOW
from tests.worlds import archived_world

PICTURES = {"calibration", "cumulative_gain", "precision_recall", "feature_importance", "shap_beeswarm"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home in which one model was trained and registered."""
    settings = Settings(home=tmp_path_factory.mktemp("runs") / "first home")
    archived_world(settings.archive, days=24, per_day=300, seed=5)
    assert learn(settings, UNMAPPED, NAME) == 1
    return settings


@pytest.fixture(scope="module")
def run(settings: Settings) -> Any:
    return run_of(Registry(settings))


def run_of(registry: Registry) -> Any:
    return registry.client.get_run(str(registry.client.get_model_version(NAME, "1").run_id))


def place_of_experiment(registry: Registry, name: str) -> str:
    experiment: Any = registry.client.get_experiment_by_name(name)
    return str(experiment.artifact_location)


def test_a_run_names_its_day_purpose_model_and_home(run: Any) -> None:
    assert run.info.run_name == f"{run.data.params['to'][:10]} train tamis (first home)"
    assert run.data.tags["mlflow.source.name"] == "tamis train"


def test_a_run_holds_hyper_parameters_and_the_code(run: Any) -> None:
    for name in ("learning_rate", "num_leaves", "lambda_l2", "seed"):
        assert run.data.params[name] == str(PARAMETERS[name])
    assert run.data.tags["tamis.version"]
    assert len(run.data.tags["tamis.code_of_features"]) >= 16
    if (ROOT / ".git").exists():
        assert len(run.data.tags[COMMIT]) == 40
        assert run.data.tags[CHANGED] in ("yes", "no")


def test_a_run_names_its_data_by_a_digest_that_any_change_of_it_changes(run: Any) -> None:
    (given,) = run.inputs.dataset_inputs
    assert given.dataset.name == f"tamis to {run.data.params['to'][:10]}"
    assert "tamis export" in given.dataset.source
    rows = pl.DataFrame({"a": [1.0, None, 3.0], "b": ["x", None, ""], "hit": [True, False, False]})
    digests = {
        TrainingData("n", changed, "").digest
        for changed in (
            rows,
            rows[::-1],
            rows.with_columns(pl.col("a").fill_null(0.0)),
            rows.with_columns(pl.col("b").fill_null("")),
            rows.with_columns(pl.col("hit").not_()),
            rows.rename({"a": "c"}),
        )
    }
    assert len(digests) == 6
    assert TrainingData("m", rows.clone(), "").digest in digests
    assert len(given.dataset.digest) == 12


def test_a_run_and_its_version_are_described_by_the_card(settings: Settings, run: Any) -> None:
    version = Registry(settings).client.get_model_version(NAME, "1")
    assert run.data.tags["mlflow.note.content"] == version.description
    assert "## Figures on days it never saw" in str(version.description)
    assert "## Inputs" not in str(version.description)
    card = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="card.md"))
    assert "## Inputs" in card.read_text(encoding="utf-8")


def test_a_run_has_its_pictures(run: Any) -> None:
    folder = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="pictures"))
    assert {file.stem for file in folder.iterdir()} == PICTURES
    for file in folder.iterdir():
        colours = Image.open(file).convert("RGB").getcolors(maxcolors=1_000_000)
        assert colours is not None, file
        assert len(colours) > 20, file


def golden_of(settings: Settings) -> tuple[Model, pl.DataFrame]:
    bundle = Registry(settings).fetch(1)
    model = parse({name: (bundle / name).read_bytes() for name in FILES}, "m")
    return model, pl.read_parquet(bundle / "golden.parquet")


def as_pandas(model: Model, golden: pl.DataFrame) -> pd.DataFrame:
    return golden.select(item.name for item in model.inputs).to_pandas()


def test_every_flavour_scores_as_the_bundle_does_bit_for_bit(settings: Settings) -> None:
    model, golden = golden_of(settings)
    rows = as_pandas(model, golden)
    margin = golden[GOLDEN_SCORE].to_numpy()
    answered = mlflow.pyfunc.load_model("models:/tamis/1").predict(rows)
    assert np.array_equal(answered["margin"].to_numpy(), margin)
    assert np.array_equal(answered["risk"].to_numpy(), model.calibration.apply(margin))
    trees = mlflow.lightgbm.load_model("models:/tamis/1")
    words = [item.name for item in model.inputs if item.kind == "category"]
    assert np.array_equal(trees.predict(rows.astype(dict.fromkeys(words, "category")), raw_score=True), margin)


def test_contributions_come_with_the_score_and_are_those_that_shap_computes(settings: Settings) -> None:
    model, golden = golden_of(settings)
    rows = as_pandas(model, golden)
    answered = mlflow.pyfunc.load_model("models:/tamis/1").predict(rows, params={"contributions": True})
    shares = answered[[f"shap.{item.name}" for item in model.inputs] + ["shap.expected"]].to_numpy()
    scores = model.score(Rows.of_frame(golden.drop(GOLDEN_SCORE, GOLDEN_SEVERITY)))
    assert np.array_equal(shares, scores.contributions(range(golden.height)))
    assert np.allclose(shares.sum(axis=1), answered["margin"], rtol=0, atol=1e-9)
    explainer = shap.TreeExplainer(mlflow.lightgbm.load_model("models:/tamis/1"))
    assert np.allclose(explainer.shap_values(scores.matrix), shares[:, :-1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("former", ["gone", "still there"])
def test_a_home_may_be_moved_or_copied_with_its_models(settings: Settings, tmp_path: Path, former: str) -> None:
    first, second = tmp_path / "a home", tmp_path / "another"
    shutil.copytree(settings.home, first)
    Registry(Settings(home=first)).fetch(1)
    (shutil.move if former == "gone" else shutil.copytree)(first, second)
    moved = Registry(Settings(home=second))
    artifacts = (second / "artifacts").as_uri()
    assert place_of_experiment(moved, NAME) == artifacts
    assert run_of(moved).info.artifact_uri.startswith(f"{artifacts}/")
    if former == "still there":
        shutil.rmtree(first / "artifacts")
    answered = mlflow.pyfunc.load_model("models:/tamis/1").predict(as_pandas(*golden_of(Settings(home=second))))
    assert len(answered) > 100


def test_the_examples_of_the_guide_hold(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    shutil.copytree(settings.home, home)
    promote(1, "A. Martin", "first", Settings(home=home), NOW)
    monkeypatch.setenv("TAMIS_HOME", str(home))
    examples = [body for language, body in FENCE.findall((ROOT / "mlflow" / "README.md").read_text("utf-8"))
                if language == "python"]  # fmt: skip
    assert len(examples) == 2
    exec("\n".join(examples), {})


def test_artifacts_that_a_person_put_elsewhere_stay_there(settings: Settings, tmp_path: Path) -> None:
    home, shared = tmp_path / "home", tmp_path / "shared" / "artifacts"
    shutil.copytree(settings.home, home)
    registry = Registry(Settings(home=home))
    registry.client.create_experiment("of a person", artifact_location=shared.as_uri())
    assert place_of_experiment(Registry(Settings(home=home)), "of a person") == shared.as_uri()
