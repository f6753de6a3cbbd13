"""What the processes of `tamis serve` hold once they are idle: `python -m tests.bench.memory HOME [WORKERS]`."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import httpx

SETTLED = 10  # seconds after the service is ready
PORT = 18_123
COLUMNS = {"Rss": "resident", "Pss": "proportional", "Private_Dirty": "own"}


def megabytes_of(pid: int) -> dict[str, int]:
    """Return what a process holds in MB: in full, divided among those that share, and what is its alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    named = {name: value.split()[0] for name, _, value in (line.partition(":") for line in lines) if value}
    return {words: int(named[name]) // 1024 for name, words in COLUMNS.items()}


def children_of(pid: int) -> list[int]:
    """Return the processes below a process, each before its own children."""
    below = [int(c) for t in Path(f"/proc/{pid}/task").iterdir() for c in (t / "children").read_text().split()]
    return [each for child in below for each in (child, *children_of(child))]


def kind_of(pid: int) -> str:
    """Say what a process of the service is for."""
    command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
    kinds = {"resource_tracker": "tracker", "semaphore_tracker": "tracker"}
    return next((kind for word, kind in kinds.items() if word in command), "process")


def measured(home: Path, workers: int) -> list[tuple[str, dict[str, int]]]:
    """Start the service, wait until it is ready and idle, and return what each of its processes holds."""
    command = [sys.executable, "-m", "pipelines.cli", "serve", "--port", str(PORT), "--workers", str(workers)]
    environment = {**os.environ, "TAMIS_HOME": str(home), "TAMIS_ACCESS": "open"}
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(workers, process)
            time.sleep(SETTLED)
            return [(kind_of(pid), megabytes_of(pid)) for pid in (process.pid, *children_of(process.pid))]
        finally:
            process.terminate()
            process.wait(60)


def _wait_until_ready(workers: int, process: subprocess.Popen[bytes]) -> None:
    started, log = 0, process.stderr
    assert log is not None
    while started < workers:
        line = log.readline()
        assert line, "the service ended before it was ready"
        started += b"Application startup complete" in line
    assert httpx.get(f"http://127.0.0.1:{PORT}/readyz", timeout=30).status_code == 200


if __name__ == "__main__":
    for count in map(int, sys.argv[2:] or ("1", "2")):
        print(f"{count} workers")
        for kind, held in measured(Path(sys.argv[1]), count):
            print(f"  {kind:<10} {'  '.join(f'{name} {value:4} MB' for name, value in held.items())}")
