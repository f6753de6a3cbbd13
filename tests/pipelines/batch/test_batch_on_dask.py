"""A batch on a cluster started by hand publishes what one machine does, with a worker killed in the middle of it."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pytest

from service.settings import Settings
from tests.pipelines.batch.runs import REPOSITORY, finished

WORKERS = 2
PATIENCE = 60  # seconds for a scheduler to answer and its workers to come


@contextmanager
def running(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of dask's own command, ended with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "dask", *command], cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def cluster() -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler and two workers, each a process that nobody starts again: the address, and the workers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    host = ["--host", "127.0.0.1"]
    one = ["worker", address, *host, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
    with (
        running("scheduler", *host, "--port", address.rpartition(":")[2], "--no-dashboard"),
        running(*one) as first,
        running(*one) as second,
    ):
        yield address, [first, second]


def published(settings: Settings, out: Path, files: list[Path], engine: str) -> pl.DataFrame:
    """What a run published, less the time."""
    assert "_SUCCESS" in finished(settings, out, files, "--engine", engine)
    return pl.read_parquet(out / "orientations.parquet").drop("decided_at")


def test_a_cluster_by_hand_publishes_the_same_with_a_worker_killed_half_way(
    sealed_home: Path, tmp_path: Path, cluster: tuple[str, list[subprocess.Popen[bytes]]]
) -> None:
    address, workers = cluster
    files = sorted((sealed_home.parent / "world" / "manifests").glob("*.parquet"))[:6]
    homes = {name: Settings(home=tmp_path / name) for name in ("one", "many")}
    for settings in homes.values():
        shutil.copytree(sealed_home, settings.home)
    one = published(homes["one"], tmp_path / "out-one", files, "here")

    def kill_in_the_middle() -> None:
        """When two files have been decided and four have not."""
        deadline = time.monotonic() + PATIENCE
        while len(list((homes["many"].home / "archive").rglob("*.parquet"))) < 2 and time.monotonic() < deadline:
            time.sleep(0.02)
        workers[0].send_signal(signal.SIGKILL)

    killer = threading.Thread(target=kill_in_the_middle)
    killer.start()
    many = published(homes["many"], tmp_path / "out-many", files, f"dask={address}")
    killer.join()
    assert workers[0].poll() == -signal.SIGKILL
    assert workers[1].poll() is None
    assert many.equals(one)
    assert many.height > 100
