"""A service that sends nothing by itself, a machine that may be told, and a clock that is set by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access import Access
from service.app import create
from service.settings import Settings
from tests.service.building import app_state

HERE = "FRCDG1"
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def on(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def client(quick_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A service that sends nothing by itself: the tests' own senders do."""
    monkeypatch.setattr("service.app.SENT_EVERY", 3_600.0)
    shutil.copytree(quick_home, tmp_path / "home")
    with TestClient(create(Settings(home=tmp_path / "home")), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture
def access(client: TestClient) -> Access:
    opened: Access = app_state(client).access
    opened.make_key("clearance-1", "clearance", [HERE], "clearance of parcels", "anna", START)
    return opened


@pytest.fixture
def clock() -> Clock:
    return Clock()
