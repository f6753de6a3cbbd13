"""The only file that knows MLflow: runs are logged, models registered, aliases moved, bundles fetched."""

from __future__ import annotations

import logging
import math
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # customs networks are closed
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import lightgbm as lgb
import mlflow
import mlflow.pyfunc
import numpy as np
import pandas as pd
import polars as pl
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.data.polars_dataset import PolarsDataset
from mlflow.models import Model, infer_signature

from features.assemble import Rows
from features.fault import Fault
from pipelines.training.labels import TARGET
from pipelines.training.registered_versions import CHALLENGER, CHAMPION, NAME
from pipelines.training.training_run import TrainingRun
from service.runtime.private_files import make_home
from service.scoring.bundle import FILES, files_in, parse
from service.scoring.model import Model as ScoringModel
from service.settings import Settings
from service.store.tracking_paths import follow_home

CONTRIBUTIONS = "contributions"  # parameter of `predict`
TREES = "model.lgb"
PAGES = {"mlflow.experimentKind": "custom_model_development"}  # of models that learn, not of language models
SOURCE = "mlflow.source.name"
WHAT_IT_IS = "Ranks consignments by the chance that an inspection would find something non-compliant."
for noisy in ("mlflow", "alembic", "mlflow.store.db.utils"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


class NotRegistered(Fault):
    """A model version that the registry does not hold."""


class Registry:
    """The models of one installation, in an SQLite store with artifacts beside it."""

    def __init__(self, settings: Settings) -> None:
        if not hasattr(mlflow, "start_run"):
            raise ImportError("the name mlflow is taken by another folder; take its .py files out of mlflow/")
        make_home(settings.home)
        follow_home(settings.home)
        self.address = f"sqlite:///{settings.tracking.absolute()}"
        self.artifacts = settings.artifacts.absolute()
        mlflow.set_tracking_uri(self.address)
        mlflow.set_registry_uri(self.address)
        self.client = mlflow.MlflowClient(self.address, self.address)

    def log(self, bundle: Path, run: TrainingRun, example: pl.DataFrame, *, name: str = NAME) -> int:
        """Log a run with its bundle and register it as challenger; returns its version."""
        self._experiment(name)
        with warnings.catch_warnings(), mlflow.start_run(run_name=run.title, description=run.description or None):
            warnings.simplefilter("ignore")  # deprecations within MLflow cannot be fixed here
            self.note(run)
            given = _pandas(example)
            answered = _load_pyfunc(str(bundle)).predict(given)
            logged = Model.log(
                name="model",
                artifact_path=None,
                flavor=BundleFlavours,
                bundle=bundle,
                signature=infer_signature(given, answered, {CONTRIBUTIONS: False}),
                input_example=given,
            )
        version = self._register(logged, name, run)
        self.client.set_registered_model_alias(name, CHALLENGER, str(version))
        return version

    @contextmanager
    def searching(self, title: str, name: str, tags: Mapping[str, str]) -> Iterator[SearchRun]:
        """Open a run for a search, which its trials are nested in; it ends as failed where the search does."""
        self._experiment(name)
        with mlflow.start_run(run_name=title) as opened:
            mlflow.set_tags({SOURCE: "tamis train --search", **tags})
            yield SearchRun(self, opened.info.run_id)

    def note(self, run: TrainingRun) -> None:
        """Log everything of a run but its model, in the run that is open."""
        mlflow.log_params({key: str(value)[:500] for key, value in run.parameters.items()})
        mlflow.log_metrics({_key(k): float(v) for k, v in run.metrics.items() if math.isfinite(v)})
        mlflow.set_tags({SOURCE: "tamis train", **run.tags})
        if run.card:
            mlflow.log_text(run.card, "card.md")
        for file, picture in run.pictures.items():
            mlflow.log_figure(picture, f"pictures/{file}")
        if (data := run.learned_from) is not None:
            source = CodeDatasetSource({"command": data.command})
            mlflow.log_input(
                PolarsDataset(data.rows, source, targets=TARGET, name=data.name, digest=data.digest), context="training"
            )

    def _register(self, logged: Any, name: str, run: TrainingRun) -> int:
        if not self.client.search_registered_models(f"name = '{name}'"):
            self.client.create_registered_model(name, description=WHAT_IT_IS)
        registered = self.client.create_model_version(
            name, logged.model_uri, logged.run_id, model_id=logged.model_id, description=run.description or None
        )
        return int(registered.version)

    def _experiment(self, name: str) -> None:
        if self.client.get_experiment_by_name(name) is None:
            self.artifacts.mkdir(parents=True, exist_ok=True)
            self.client.create_experiment(name, artifact_location=self.artifacts.as_uri(), tags=PAGES)
        mlflow.set_experiment(name)

    def fetch(self, version: int, name: str = NAME) -> Path:
        """Download the bundle files of a registered version, as logged, to a new folder."""
        self._known(version, name)
        folder = tempfile.mkdtemp(prefix="tamis-bundle-")
        downloaded = mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=folder)
        return next(path.parent for path in Path(downloaded).rglob(FILES[0]))

    def metrics_of(self, version: int, name: str = NAME) -> dict[str, float]:
        """Return the metrics that were logged with a version."""
        run = self._known(version, name).run_id
        return dict(self.client.get_run(run).data.metrics) if run else {}

    def parameters_of(self, version: int, name: str = NAME) -> dict[str, str]:
        """Return the training parameters logged with a version."""
        run = self._known(version, name).run_id
        return dict(self.client.get_run(run).data.params) if run else {}

    def promote(self, version: int, by: str, reason: str, name: str = NAME) -> None:
        """Make a version the champion, tagged with the name and reason."""
        self._known(version, name)
        for key, value in (("promoted_by", by), ("promoted_because", reason)):
            self.client.set_model_version_tag(name, str(version), key, value)
        self.client.set_registered_model_alias(name, CHAMPION, str(version))

    def version_of(self, alias: str, name: str = NAME) -> int | None:
        """Return the version that an alias points at; none where it is unset."""
        try:
            return int(self.client.get_model_version_by_alias(name, alias).version)
        except mlflow.exceptions.MlflowException:
            return None

    def _known(self, version: int, name: str) -> Any:
        try:
            return self.client.get_model_version(name, str(version))
        except mlflow.exceptions.MlflowException as fault:
            raise NotRegistered(f"no version {version} of {name} is registered") from fault


class SearchRun:
    """The open run of a search."""

    def __init__(self, registry: Registry, run_id: str) -> None:
        self.registry, self.id = registry, run_id

    def trial(self, run: TrainingRun) -> None:
        """Log a trial as a run within it."""
        with mlflow.start_run(run_name=run.title, nested=True):
            self.registry.note(run)

    def conclude(self, parameters: Mapping[str, Any], metrics: Mapping[str, float]) -> None:
        """Log what was found."""
        self.registry.note(TrainingRun("", parameters, metrics, {SOURCE: "tamis train --search"}))


class Scorer:
    """The model that `mlflow.pyfunc` serves: model rows in, the bundle's margin and calibrated risk out."""

    def __init__(self, model: ScoringModel) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Compute margin and risk of each row; columns by the catalogue's names, unknown values missing.

        With the parameter `contributions` also what each input adds to the margin, in columns `shap.<input>`, and the
        expected margin that they add to, in `shap.expected`.
        """
        columns = [item.name for item in self.model.inputs]
        frame = pl.from_pandas(model_input[columns]).with_columns(
            pl.col(item.name).cast(pl.Float64 if item.kind == "number" else pl.String).fill_nan(None)
            if item.kind == "number"
            else pl.col(item.name).cast(pl.String)
            for item in self.model.inputs
        )
        scores = self.model.score(Rows.of_frame(frame.with_row_index("row")))
        answer = {name: np.asarray(scores.frame[name]) for name in ("margin", "risk")}
        if (params or {}).get(CONTRIBUTIONS):
            shares = scores.contributions(range(frame.height)).T
            answer |= {f"shap.{name}": share for name, share in zip((*columns, "expected"), shares, strict=True)}
        return pd.DataFrame(answer)


class BundleFlavours:
    """How a bundle is saved as a model of MLflow: as `python_function`, and its trees as `lightgbm` beside it."""

    @classmethod
    def save_model(cls, path: str, mlflow_model: Model, bundle: Path, **described: Any) -> None:
        """Write the model's folder; `described` are its signature and example."""
        mlflow_model.add_flavor(
            "lightgbm",
            lgb_version=lgb.__version__,
            data=TREES,
            model_class="lightgbm.basic.Booster",
            code=None,
            serialization_format=None,
            skops_trusted_types=None,
        )
        mlflow.pyfunc.save_model(
            path,
            loader_module=__name__,
            data_path=str(bundle),
            mlflow_model=mlflow_model,
            pip_requirements=[f"tamis=={metadata.version('tamis')}"],
            **described,
        )
        (Path(path) / TREES).write_text(_trees_for_frames(bundle), encoding="utf-8")


def _trees_for_frames(bundle: Path) -> str:
    """Return a bundle's trees with its categories, so that LightGBM takes a frame of pandas without further ado."""
    model = _load_pyfunc(str(bundle)).model
    booster = lgb.Booster(model_str=(bundle / "model.txt").read_text(encoding="utf-8"))
    booster.pandas_categorical = [model.levels[item.name] for item in model.inputs if item.kind == "category"]
    return str(booster.model_to_string())


def _load_pyfunc(path: str) -> Scorer:
    """Load a bundle folder as a scorer, as MLflow's loader module. No pickle is read."""
    contents = {name: (Path(path) / name).read_bytes() for name in files_in(Path(path))}
    return Scorer(parse(contents, "mlflow"))


def _pandas(rows: pl.DataFrame) -> pd.DataFrame:
    """Convert model rows to plain floats and strings, as MLflow's signature needs them."""
    return rows.drop("row", strict=False).to_pandas()


def _key(name: str) -> str:
    """Return a metric's name with the characters that MLflow allows."""
    return name.replace("%", "pct").replace(" ", "_")
