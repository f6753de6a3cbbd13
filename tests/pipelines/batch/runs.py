"""A batch as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from service.settings import Settings

REPOSITORY = Path(__file__).parents[3]


def started(settings: Settings, out: Path, files: list[Path], *how: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pipelines.cli", "score", *map(str, files), "--out", str(out), "--no-expectations"]
    command += how
    environment = {**os.environ, "TAMIS_HOME": str(settings.home)}
    return subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def finished(settings: Settings, out: Path, files: list[Path], *how: str) -> dict[str, bytes]:
    """The files of a run that came to its end."""
    run = started(settings, out, files, *how)
    told = run.communicate(timeout=300)[0].decode()
    assert run.returncode == 0, told
    return {path.name: path.read_bytes() for path in sorted(out.iterdir()) if not path.name.startswith(".")}
