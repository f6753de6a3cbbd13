"""Fixtures that several parts share."""

from __future__ import annotations

import pytest

from tests.worlds import SmallWorld, make_small_world


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> SmallWorld:
    """A world of twenty days with a trained model; copy its home before writing to it."""
    return make_small_world(tmp_path_factory.mktemp("small-world"))
