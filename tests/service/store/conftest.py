"""A PostgreSQL that fails when a test says so."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.service.store.between import Between, failing_socket


@pytest.fixture
def between(postgresql: str) -> Iterator[tuple[Between, str]]:
    """A failing socket before a real server, and the address by which the service comes to it."""
    with failing_socket(postgresql) as opened:
        yield opened
