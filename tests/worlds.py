"""A small world with a model that has learned in it, made once for all tests that need one."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl

from features.catalogue import INPUTS
from features.consignment import Consignments, fold
from features.contract import gate_manifest
from features.facts import with_entities
from features.parties import Unlinked
from pipelines.archive import Archive
from pipelines.ingest import ingest_manifest, ingest_outcomes
from pipelines.learn import standard_policy
from pipelines.synthetic import build_world
from pipelines.train import Trained, train
from pipelines.training_frame import build_training_frame
from service.history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.settings import Settings
from service.store import Store
from service.targeting import Desk


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
        store = Store(Settings(home=home).store_address)
        return Desk(
            Unlinked(), StoredHistory(store), self.trained.model, load_policy(standard_policy()), Journal(store)
        )


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


def consignments_of(files: list[Path]) -> Consignments:
    """Consignments of manifest files, through the gate, in order of time."""
    accepted = pl.concat(gate_manifest(pl.read_parquet(file), file.name).accepted for file in files)
    return with_entities(fold(accepted.sort("lodged_at", "message_id", "consignment_id", "line_no")))
