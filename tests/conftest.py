"""Fixtures that several parts share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher
from hypothesis import Phase, settings

from service.access import credentials
from tests.databases import postgresql_server
from tests.kinds import begin_with_the_longest, mark_kinds
from tests.shared import made_once
from tests.worlds import SmallWorld, make_sealed_home, make_small_world

os.environ.setdefault("TAMIS_ACCESS", "open")  # who may do what is tested where it is closed
# a hash of the product takes .17 s of CPU on purpose, and tests make hundreds; test_accounts.py sees to the product's
PRODUCT_HASHER = credentials.HASHER
credentials.HASHER = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
settings.register_profile("tamis", deadline=None)  # a busy machine is no fault of the code
settings.register_profile("planted", deadline=None, phases=[Phase.explicit, Phase.generate])  # found is found
settings.load_profile("planted" if "TAMIS_PLANT" in os.environ else "tamis")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs, so that `make quick` can leave out what takes long; the longest come first."""
    for item in items:
        mark_kinds(item)
    begin_with_the_longest(items)


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """A world of twenty days with a trained model; copy its home before writing to it."""
    return made_once(tmp_path_factory, "small-world", make_small_world)


@pytest.fixture(scope="session")
def sealed_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose signed bundle was learned from a tiny world; to be copied, never written to."""
    return made_once(tmp_path_factory, "sealed", make_sealed_home)


@pytest.fixture(scope="session")
def product_hasher() -> PasswordHasher:
    """What hashes passwords in the product."""
    return PRODUCT_HASHER


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[str]:
    """A real PostgreSQL server of our own; skipped, and said so, where none is installed."""
    with postgresql_server() as address:
        yield address


@pytest.fixture
def postgresql(postgresql_address: str) -> Iterator[str]:
    """The address of an empty database."""
    with _database(postgresql_address) as address:
        yield address


@pytest.fixture(scope="module")
def module_postgresql(postgresql_address: str) -> Iterator[str]:
    """The address of a database that the tests of a module share."""
    with _database(postgresql_address) as address:
        yield address


@pytest.fixture
def other_postgresql(postgresql_address: str) -> Iterator[str]:
    """And of another one."""
    with _database(postgresql_address) as address:
        yield address


@contextmanager
def _database(postgresql_address: str) -> Iterator[str]:
    """Make a database, and drop it with whatever is still connected: each takes 8 MB."""
    name = f"tamis_{uuid.uuid4().hex}"
    _administer(postgresql_address, f'CREATE DATABASE "{name}"')
    yield postgresql_address.replace("/postgres?", f"/{name}?")
    _administer(postgresql_address, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _administer(postgresql_address: str, command: str) -> None:
    with psycopg.connect(postgresql_address, autocommit=True) as connection:
        connection.execute(command)
