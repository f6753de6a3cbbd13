"""One tiny real bundle for the session, and a fresh home or desk for each test that asks for one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from features.catalogue import INPUTS
from features.contract import gate_outcomes
from features.messages.flat import read_flat
from features.parties import Unlinked
from pipelines.archive import Archive
from pipelines.card import model_card
from pipelines.ingest import read_manifest
from pipelines.learn import standard_policy
from pipelines.synthetic import build_world
from pipelines.train import PARAMETERS, train
from pipelines.training_frame import build_training_frame
from service.history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.scoring import Model, load_bundle
from service.scoring.bundle import seal, write_bundle
from service.settings import Settings
from service.store import Store
from service.targeting import Desk
from tests.databases import DATABASES
from tests.service.building import MODEL_ID

DAYS, PER_DAY, SEED = 20, 300, 5


@pytest.fixture(scope="session")
def sealed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose bundle was learned from a synthetic world and signed; to be copied, never written to."""
    folder = tmp_path_factory.mktemp("sealed")
    build_world(DAYS, PER_DAY, SEED, folder / "world")
    archive = Archive(folder / "archive")
    for file in sorted((folder / "world" / "manifests").glob("*.parquet")):
        archive.keep_manifest(read_manifest(file)[1].accepted)
    for file in sorted((folder / "world" / "outcomes").glob("*.parquet")):
        archive.keep_outcomes(gate_outcomes(read_flat(file).rows).accepted)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PARAMETERS, "num_threads", 1)  # threads that wait for one another on busy cores take minutes
        trained = train(build_training_frame(archive, INPUTS), INPUTS, MODEL_ID)
    settings = Settings(home=folder / "home")
    texts = {"policy.toml": standard_policy(), "card.md": model_card(trained, "tiny")}
    write_bundle(settings.bundles / MODEL_ID, trained.model, trained.golden, texts)
    seal(settings.bundles / MODEL_ID, settings.keys, {"model_id": MODEL_ID, "promoted_by": "tests"})
    settings.champion.write_text(MODEL_ID, encoding="utf-8")
    return settings.home


@pytest.fixture(scope="session")
def model(sealed_home: Path) -> Model:
    """The model of the sealed bundle, loaded as the service loads it."""
    settings = Settings(home=sealed_home)
    return load_bundle(settings.serving, settings.keys)[0]


@pytest.fixture
def home(sealed_home: Path, tmp_path: Path) -> Settings:
    """The settings of a fresh home with the sealed bundle and without a store."""
    shutil.copytree(sealed_home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


@pytest.fixture(params=DATABASES)
def either_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store of each kind of database."""
    if request.param == "sqlite":
        address = f"sqlite:///{tmp_path / 'store.db'}"
    else:
        address = request.getfixturevalue("postgresql")
    opened = Store(address, folder=tmp_path / "history")
    yield opened
    opened.close()


@pytest.fixture
def desk(model: Model, store: Store) -> Desk:
    """A live desk over an empty store with the standard policy."""
    return Desk(Unlinked(), StoredHistory(store), model, load_policy(standard_policy()), Journal(store))


@pytest.fixture
def desk_with(model: Model, store: Store) -> Callable[[str], Desk]:
    """A live desk over an empty store with the policy of a text."""

    def build(policy: str) -> Desk:
        return Desk(Unlinked(), StoredHistory(store), model, load_policy(policy), Journal(store))

    return build
