"""Synthetic worlds with a model that learned in them: a small one in its store, a tiny one as a signed bundle."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest

from features.catalogue import INPUTS
from features.consignment import Consignments, fold
from features.contract import gate_manifest, gate_outcomes
from features.history.facts import with_entities
from features.messages.flat import read_flat
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import ingest_manifest, ingest_outcomes, read_manifest
from pipelines.synthetic import build_world
from pipelines.training.hyper_parameters import PARAMETERS
from pipelines.training.model_card import model_card
from pipelines.training.standard_policy import standard_policy
from pipelines.training.train import Trained, train
from pipelines.training.training_frame import build_training_frame
from service.journal import Journal
from service.scoring.bundle import seal, write_bundle
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk
from tests.service.building import MODEL_ID
from tests.service.quick import desk_of

TINY_DAYS, TINY_PER_DAY, TINY_SEED = 20, 300, 5


@dataclass(frozen=True)
class SmallWorld:
    """Days of traffic on disk, ingested into a home; the last day is left for scoring."""

    home: Path
    manifests: list[Path]
    outcomes: list[Path]
    trained: Trained
    end: datetime

    @property
    def last_day(self) -> Path:
        return self.manifests[-1]

    def desk(self, home: Path) -> Desk:
        """A desk on a copy of the home as it was before the last day."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        return desk_of(Store(Settings(home=home).store_address), self.trained.model)


def make_small_world(folder: Path, days: int = 20, per_day: int = 600, seed: int = 3) -> SmallWorld:
    """Build, ingest and learn; the store and archive hold all days but the last, and the results known by then."""
    build_world(days, per_day, seed, folder / "world")
    manifests = sorted((folder / "world" / "manifests").glob("*.parquet"))
    end = datetime.fromisoformat(manifests[-1].stem).replace(tzinfo=UTC)
    outcomes = [
        file
        for file in sorted((folder / "world" / "outcomes").glob("*.parquet"))
        if datetime.fromisoformat(file.stem).replace(tzinfo=UTC) + timedelta(days=1) <= end
    ]
    home = folder / "home"
    home.mkdir()
    store = Store(Settings(home=home).store_address)
    archive, journal = Archive(home / "archive"), Journal(store)
    for file in manifests[:-1]:
        ingest_manifest(file, archive, journal)
    for file in outcomes:
        ingest_outcomes(file, archive, journal)
    store.close()
    linked = Archive(home / "archive", linking=True)
    trained = train(build_training_frame(linked, INPUTS, end=end), INPUTS, "small")
    return SmallWorld(home, manifests, outcomes, trained, end)


def make_sealed_home(folder: Path) -> Path:
    """A home whose bundle was learned from a tiny world (in `world` beside it) and signed; without a store."""
    build_world(TINY_DAYS, TINY_PER_DAY, TINY_SEED, folder / "world")
    archive = archived(folder / "world", folder / "archive")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PARAMETERS, "num_threads", 1)  # threads that wait for one another on busy cores take minutes
        trained = train(build_training_frame(archive, INPUTS), INPUTS, MODEL_ID)
    settings = Settings(home=folder / "home")
    bundle = settings.bundles / MODEL_ID
    write_bundle(bundle, trained.model, trained.golden, _texts(trained))
    seal(bundle, settings.keys, {"model_id": MODEL_ID, "promoted_by": "tests"})
    settings.champion.write_text(MODEL_ID, encoding="utf-8")
    return settings.home


def archived_world(folder: Path, days: int, per_day: int, seed: int) -> Archive:
    """An archive of a world, in this folder."""
    with TemporaryDirectory() as world:
        build_world(days, per_day, seed, Path(world))
        return archived(Path(world), folder)


def archived(world: Path, folder: Path) -> Archive:
    """The manifests and outcomes of a world that was written to disk, in an archive."""
    archive = Archive(folder)
    for file in sorted((world / "manifests").glob("*.parquet")):
        archive.keep_manifest(read_manifest(file)[1].accepted)
    for file in sorted((world / "outcomes").glob("*.parquet")):
        archive.keep_outcomes(gate_outcomes(read_flat(file).rows).accepted)
    return archive


def _texts(trained: Trained) -> dict[str, str]:
    return {"policy.toml": standard_policy(), "card.md": model_card(trained, "tiny")}


def accepted_of(files: list[Path]) -> pl.DataFrame:
    """Rows of manifest files, through the gate, in order of time."""
    accepted = pl.concat(gate_manifest(pl.read_parquet(file), file.name).accepted for file in files)
    return accepted.sort("lodged_at", "message_id", "consignment_id", "line_no")


def consignments_of(files: list[Path]) -> Consignments:
    """Consignments of manifest files, through the gate, in order of time."""
    return with_entities(fold(accepted_of(files)))
