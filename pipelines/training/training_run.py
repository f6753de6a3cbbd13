"""What a run of MLflow is to hold of one training, so that whoever opens it later need not ask anybody."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from matplotlib.figure import Figure

from features.assemble import Rows
from features.catalogue import Input
from pipelines.training.champion_comparison import ChampionComparison
from pipelines.training.code_version import code_version
from pipelines.training.hyper_parameters import SEVERITY_PARAMETERS
from pipelines.training.labels import TARGET
from pipelines.training.model_card import model_card
from pipelines.training.run_pictures import pictures_of
from pipelines.training.train import Trained
from pipelines.training.training_frame import TrainingFrame

LONGEST_DESCRIPTION = 5_000  # characters that the registry keeps of a version's description


@dataclass(frozen=True, slots=True)
class TrainingData:
    """What a model learned from: its name, rows with their label in column `hit`, and the command that gives them."""

    name: str
    rows: pl.DataFrame
    command: str

    @property
    def digest(self) -> str:
        """Return a hash of every value and the order of rows, the same wherever and whenever it is computed."""
        found = hashlib.sha256()
        for column in self.rows.iter_columns():
            found.update(f"{column.name}\0{column.dtype}\0".encode())
            if column.dtype == pl.String:
                found.update("\0".join("\1" if word is None else word for word in column).encode())
            else:
                found.update(np.ascontiguousarray(column.cast(pl.Float64).to_numpy()).tobytes())
        return found.hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """A run to be logged.

    title: its name in the list of runs; card: Markdown; pictures: by file name.
    """

    title: str
    parameters: Mapping[str, Any]
    metrics: Mapping[str, float]
    tags: Mapping[str, str] = field(default_factory=dict)
    card: str = ""
    pictures: Mapping[str, Figure] = field(default_factory=dict)
    learned_from: TrainingData | None = None

    @property
    def description(self) -> str:
        """Return the card as far as a description goes: without the list of inputs, which the whole card has."""
        return self.card.partition("\n## Inputs")[0][:LONGEST_DESCRIPTION]


def training_run(
    trained: Trained,
    frame: TrainingFrame,
    name: str,
    home: Path,
    contested: ChampionComparison | None,
    search_run: str | None = None,
    shown: Mapping[str, float] | None = None,
) -> TrainingRun:
    """Gather what is worth keeping of a training.

    search_run: that found its hyper-parameters, if any. shown: figures beside rules that decide without a model.
    """
    facts = dict(trained.facts)
    figures = {f"{ranking}.{k}": v for ranking, of in trained.comparison.figures.items() for k, v in of.items()}
    figures |= {f"unseen.{r}.{k}": v for r, of in trained.comparison.unseen.items() for k, v in of.items()}
    figures |= shown or {}
    if contested is not None:
        facts |= {"contest_champion": contested.champion}
        figures |= contested.as_metrics()
    grown = dict(trained.parameters)
    if trained.model.severity is not None:
        grown |= {f"severity.{key}": value for key, value in SEVERITY_PARAMETERS.items()}
    tags = code_version(trained.model.inputs) | {"tamis.purpose": "train", "tamis.home": place_of(home)}
    return TrainingRun(
        title=title_of(name, facts["to"], home),
        parameters=facts | grown,
        metrics=figures,
        tags=tags | ({"tamis.search_run": search_run} if search_run else {}),
        card=model_card(trained, name),
        pictures=pictures_of(trained, frame.ordinary),
        learned_from=training_data(frame.rows, frame.facts, trained.model.inputs, name, facts["to"]),
    )


def title_of(name: str, to: str, home: Path, purpose: str = "train") -> str:
    """Name a run: up to which day it learned, what it is for, which model of which home."""
    return f"{to[:10]} {purpose} {name} ({place_of(home)})"


def place_of(home: Path) -> str:
    """Return the name of the home's folder, which says enough and moves with it."""
    return home.absolute().name


def training_data(rows: Rows, facts: pl.DataFrame, inputs: Sequence[Input], name: str, to: str) -> TrainingData:
    """Return labelled rows as a data set; it names the command that exports them again."""
    labelled = rows.frame.select(item.name for item in inputs).with_columns(facts[TARGET].alias(TARGET))
    return TrainingData(f"{name} to {to[:10]}", labelled, f"tamis export --what training --to {to[:10]}")
