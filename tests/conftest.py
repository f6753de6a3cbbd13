"""Fixtures that several parts share."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator

import psycopg
import pytest
from hypothesis import Phase, settings

from tests.databases import postgresql_server
from tests.worlds import SmallWorld, make_small_world

os.environ.setdefault("TAMIS_ACCESS", "open")  # who may do what is tested where it is closed
settings.register_profile("tamis", deadline=None)  # a busy machine is no fault of the code
settings.register_profile("planted", deadline=None, phases=[Phase.explicit, Phase.generate])  # found is found
settings.load_profile("planted" if "TAMIS_PLANT" in os.environ else "tamis")


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """A world of twenty days with a trained model; copy its home before writing to it."""
    return make_small_world(tmp_path_factory.mktemp("small-world"))


@pytest.fixture(scope="session")
def postgresql_address() -> Iterator[str]:
    """A real PostgreSQL server of our own; skipped, and said so, where none is installed."""
    with postgresql_server() as address:
        yield address


@pytest.fixture
def postgresql(postgresql_address: str) -> str:
    """The address of an empty database."""
    return _database(postgresql_address)


@pytest.fixture
def other_postgresql(postgresql_address: str) -> str:
    """And of another one."""
    return _database(postgresql_address)


def _database(postgresql_address: str) -> str:
    name = f"tamis_{uuid.uuid4().hex}"
    with psycopg.connect(postgresql_address, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return postgresql_address.replace("/postgres?", f"/{name}?")
