"""The only file that knows MLflow: runs are logged, models registered, aliases moved, bundles fetched."""

from __future__ import annotations

import logging
import math
import os
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # customs networks are closed
os.environ.setdefault("DO_NOT_TRACK", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")

import mlflow
import mlflow.pyfunc
import numpy as np
import pandas as pd
import polars as pl
from mlflow.models import infer_signature

from features.assemble import Rows
from features.fault import Fault
from pipelines.training.registered_versions import CHALLENGER, CHAMPION, NAME
from service.runtime.private_files import make_home
from service.scoring.bundle import FILES, parse
from service.scoring.model import Model
from service.settings import Settings

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
        self.address = f"sqlite:///{settings.tracking.absolute()}"
        self.artifacts = settings.artifacts.absolute()
        mlflow.set_tracking_uri(self.address)
        mlflow.set_registry_uri(self.address)
        self.client = mlflow.MlflowClient(self.address, self.address)

    def log(
        self,
        bundle: Path,
        parameters: Mapping[str, Any],
        metrics: Mapping[str, float],
        example: pl.DataFrame,
        *,
        name: str = NAME,
    ) -> int:
        """Log a run with its bundle and register it as challenger; returns its version."""
        self._experiment(name)
        with warnings.catch_warnings(), mlflow.start_run():
            warnings.simplefilter("ignore")  # deprecations within MLflow cannot be fixed here
            mlflow.log_params({key: str(value)[:500] for key, value in parameters.items()})
            mlflow.log_metrics({_key(k): float(v) for k, v in metrics.items() if math.isfinite(v)})
            given = _pandas(example)
            answered = _load_pyfunc(str(bundle)).predict(given)
            logged = mlflow.pyfunc.log_model(
                name="model",
                loader_module=__name__,
                data_path=str(bundle),
                signature=infer_signature(given, answered),
                input_example=given,
                pip_requirements=["tamis"],
            )
        version = self._register(logged, name)
        self.client.set_registered_model_alias(name, CHALLENGER, str(version))
        return version

    def _register(self, logged: Any, name: str) -> int:
        if not self.client.search_registered_models(f"name = '{name}'"):
            self.client.create_registered_model(name)
        registered = self.client.create_model_version(name, logged.model_uri, logged.run_id, model_id=logged.model_id)
        return int(registered.version)

    def _experiment(self, name: str) -> None:
        if self.client.get_experiment_by_name(name) is None:
            self.artifacts.mkdir(parents=True, exist_ok=True)
            self.client.create_experiment(name, artifact_location=self.artifacts.as_uri())
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


class Scorer:
    """The model that `mlflow.pyfunc` serves: model rows in, the bundle's margin and calibrated risk out."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """Compute margin and risk of each row; columns by the catalogue's names, unknown values missing."""
        del params
        columns = [item.name for item in self.model.inputs]
        frame = pl.from_pandas(model_input[columns]).with_columns(
            pl.col(item.name).cast(pl.Float64 if item.kind == "number" else pl.String).fill_nan(None)
            if item.kind == "number"
            else pl.col(item.name).cast(pl.String)
            for item in self.model.inputs
        )
        scores = self.model.score(Rows.of_frame(frame.with_row_index("row"))).frame
        return pd.DataFrame({name: np.asarray(scores[name]) for name in ("margin", "risk")})


def _load_pyfunc(path: str) -> Scorer:
    """Load a bundle folder as a scorer, as MLflow's loader module. No pickle is read."""
    contents = {name: (Path(path) / name).read_bytes() for name in FILES}
    return Scorer(parse(contents, "mlflow"))


def _pandas(rows: pl.DataFrame) -> pd.DataFrame:
    """Convert model rows to plain floats and strings, as MLflow's signature needs them."""
    return rows.drop("row", strict=False).to_pandas()


def _key(name: str) -> str:
    """Return a metric's name with the characters that MLflow allows."""
    return name.replace("%", "pct").replace(" ", "_")
