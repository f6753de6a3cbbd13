"""Fixtures that several parts share."""

from __future__ import annotations

import pytest
from hypothesis import settings

from tests.worlds import SmallWorld, make_small_world

settings.register_profile("tamis", deadline=None)  # a busy machine is no fault of the code
settings.load_profile("tamis")


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """A world of twenty days with a trained model; copy its home before writing to it."""
    return make_small_world(tmp_path_factory.mktemp("small-world"))
