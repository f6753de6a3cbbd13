"""The home and all in it are for their owner alone, whatever the machine's habit is, and older homes are closed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.runtime.private_files import FOR_OTHERS, close_to_others, make_home
from service.settings import Settings
from service.store.database import open_store
from tests.service.building import body, declared
from tests.service.processes import REPOSITORY


@pytest.fixture(autouse=True)
def usual_mask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    assert os.umask(before) == 0o022, "what a block asked for ends with it"


def readable_by_others(home: Path) -> list[str]:
    """All that group or others may do anything with."""
    return sorted(str(path) for path in (home, *home.rglob("*")) if path.lstat().st_mode & FOR_OTHERS)


def open_to_others(home: Path) -> None:
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.mark.process
def test_what_a_command_makes_is_its_owners_alone(tmp_path: Path) -> None:
    home = tmp_path / "new" / "home"
    words = ["keys", "make", "c1", "--purpose", "tests", "--by", "tests"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", *words], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, "TAMIS_HOME": str(home)}, umask=0o022,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (home / "store.db").exists()
    assert readable_by_others(home) == []


def test_what_a_service_makes_is_its_owners_alone(home: Settings) -> None:
    open_to_others(home.home)
    before = set(home.home.rglob("*"))
    with TestClient(create(home.model_copy(update={"access": "open"}))) as client:
        assert client.post("/v1/consignments", json=body(declared(1))).status_code == 200
        made = [path for path in home.home.rglob("*") if path not in before]
        assert {"store.db", "read-log"} <= {path.name for path in made}
        assert [path for path in made if path.lstat().st_mode & FOR_OTHERS] == []
    assert home.home.stat().st_mode & FOR_OTHERS == 0


def test_opening_a_home_closes_it_and_an_upgrade_closes_all_in_it(home: Settings) -> None:
    open_store(home).close()
    open_to_others(home.home)
    link = home.home / "link"
    outside = home.home.parent / "outside"
    outside.write_text("not ours")
    link.symlink_to(outside)
    open_store(home).close()
    assert home.home.stat().st_mode & FOR_OTHERS == 0
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "upgrade"], cwd=REPOSITORY, capture_output=True, text=True, check=False,
        env={**os.environ, "TAMIS_HOME": str(home.home)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "closed to other users" in done.stdout
    link.unlink()
    assert readable_by_others(home.home) == []
    assert outside.stat().st_mode & 0o777 == 0o644
    assert close_to_others(home.home) == 0


def test_a_home_of_somebody_else_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)
    monkeypatch.setattr(os, "geteuid", lambda: shared.stat().st_uid + 1)
    make_home(shared)
    assert shared.stat().st_mode & 0o777 == 0o755
