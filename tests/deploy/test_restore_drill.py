"""The restore drill, with a real service over either database: nothing acknowledged before a copy is missing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.proof.restore_drill import DURING, WARM, DrillFault, Load, drill, run
from service.settings import Settings
from tests.service.processes import free_port, serving

LONG = "a minute of processes; `make prove` runs it"
TAMIS = [sys.executable, "-m", "pipelines.cli"]


@pytest.mark.process
@pytest.mark.parametrize(
    "database",
    ["sqlite", pytest.param("postgresql", marks=pytest.mark.skipif("TAMIS_PROVE" not in os.environ, reason=LONG))],
)
def test_a_home_that_was_destroyed_comes_back_with_all_that_was_acknowledged(
    database: str, sealed_home: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    shutil.copytree(sealed_home, home)
    before, after = "", ""
    if database != "sqlite":
        before, after = (request.getfixturevalue(name) for name in ("postgresql", "other_postgresql"))
    monkeypatch.setenv("TAMIS_HOME", str(home))
    monkeypatch.setenv("TAMIS_STORE", before)
    port = free_port()

    @contextmanager
    def served() -> Iterator[None]:
        with serving(Settings(home=home), tmp_path / "log", port=port):
            yield

    figures = drill(
        TAMIS, home, tmp_path / "copy.tar", served, f"http://127.0.0.1:{port}",
        wipe=lambda: monkeypatch.setenv("TAMIS_STORE", after),
    )  # fmt: skip
    assert figures["before"] >= WARM
    assert figures["beside"] > 0  # it was under load
    assert figures["after"] >= figures["before"] + DURING


@pytest.mark.process
def test_a_drill_names_the_command_that_failed_and_what_it_said(tmp_path: Path) -> None:
    with pytest.raises(DrillFault, match=r"restore .* failed: .*tamis: "):
        run([*TAMIS, "restore", str(tmp_path), "--home", str(tmp_path / "new")])
    with pytest.raises(DrillFault, match="0 of 1 calls were answered"), Load(f"http://127.0.0.1:{free_port()}") as load:
        load.wait_for(1)
    assert os.listdir(tmp_path) == []
