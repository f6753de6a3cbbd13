"""A batch killed at any moment and run again publishes what it would have; two runs never publish the same day."""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

import polars as pl
import pytest

from service.audit.verify import verify_record
from service.runtime.batch_lease import Taken, leases
from service.settings import Settings
from service.store.database import open_store
from tests.pipelines.batch.runs import finished, started

KILLS = int(os.environ.get("TAMIS_BATCH_KILLS", "3"))


@pytest.fixture
def homes(sealed_home: Path, tmp_path: Path) -> tuple[Settings, Settings]:
    """Two fresh homes with the same bundle."""
    for name in ("calm", "killed"):
        shutil.copytree(sealed_home, tmp_path / name)
    return Settings(home=tmp_path / "calm"), Settings(home=tmp_path / "killed")


def test_a_killed_batch_goes_on_and_writes_the_same_bytes_again(
    homes: tuple[Settings, Settings], sealed_home: Path, tmp_path: Path
) -> None:
    files = sorted((sealed_home.parent / "world" / "manifests").glob("*.parquet"))[:4]
    calm, killed = homes
    clean, out, draw = tmp_path / "clean", tmp_path / "out", random.Random(3)
    began = time.monotonic()
    finished(calm, clean, files)
    whole = time.monotonic() - began
    for _ in range(KILLS):
        run = started(killed, out, files)
        time.sleep(draw.uniform(0.4, 0.95) * whole)
        run.send_signal(signal.SIGKILL)
        run.communicate()
        there = {path.name for path in out.glob("*")} if out.exists() else set()
        assert "_SUCCESS" not in there or {"orientations.parquet", "report.html", "summary.json"} <= there
    first, again = finished(killed, out, files), finished(killed, out, files)
    assert "_SUCCESS" in first
    assert {name for name in first if first[name] != again[name]} == set()
    alike = ["decision_id", "consignment_id", "risk", "rank", "clearance", "selection", "pre_arrival"]
    told = [pl.read_parquet(folder / "orientations.parquet").select(alike) for folder in (clean, out)]
    assert told[0].equals(told[1])
    store = open_store(killed)
    assert verify_record(store, killed.checkpoints, killed.keys).holds
    store.close()


def test_a_second_run_of_the_same_day_is_refused(
    homes: tuple[Settings, Settings], sealed_home: Path, tmp_path: Path
) -> None:
    file = next((sealed_home.parent / "world" / "manifests").glob("*.parquet"))
    for held in (tmp_path / "out" / ".lease", homes[0].home / "leases" / f"{file.name}.lease"):
        with leases([held]):
            run = started(homes[0], tmp_path / "out", [file])
            told = run.communicate(timeout=120)[0].decode()
            assert run.returncode == 1
            assert "another run holds" in told
            with pytest.raises(Taken), leases([held]):
                raise AssertionError("held twice")
    with leases([tmp_path / "out" / ".lease"]):
        pass
