"""A fresh home or desk for each test: on the written model where any will do, on a trained one where asked for."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.scoring import Model, load_bundle
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk
from tests.databases import DATABASES
from tests.service.quick import desk_of, quick_home
from tests.shared import made_once


@pytest.fixture(scope="session", name="quick_home")
def written_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose signed bundle is the written model; to be copied, never written to."""
    return made_once(tmp_path_factory, "quick", lambda folder: quick_home(folder / "home"))


@pytest.fixture(scope="session")
def model(quick_home: Path) -> Model:
    """The written model, loaded as the service loads it."""
    return _served(quick_home)


@pytest.fixture(scope="session")
def trained_model(sealed_home: Path) -> Model:
    """The model that learned from a synthetic world, loaded as the service loads it."""
    return _served(sealed_home)


def _served(home: Path) -> Model:
    settings = Settings(home=home)
    return load_bundle(settings.serving, settings.keys)[0]


@pytest.fixture
def home(quick_home: Path, tmp_path: Path) -> Settings:
    """The settings of a fresh home with the written model and without a store."""
    shutil.copytree(quick_home, tmp_path / "home")
    return Settings(home=tmp_path / "home")


@pytest.fixture
def trained_home(sealed_home: Path, tmp_path: Path) -> Settings:
    """The settings of a fresh home with the trained model and without a store."""
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
    """A live desk over an empty store with the written model and the standard policy."""
    return desk_of(store, model)


@pytest.fixture
def trained_desk(trained_model: Model, store: Store) -> Desk:
    """A live desk over an empty store with the trained model and the standard policy."""
    return desk_of(store, trained_model)


@pytest.fixture
def desk_with(model: Model, store: Store) -> Callable[[str], Desk]:
    """A live desk over an empty store with the policy of a text."""
    return lambda policy: desk_of(store, model, policy)
