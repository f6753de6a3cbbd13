"""Which code trained a model: the version of the product, and its commit where it runs from a checkout."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from features.catalogue import Input
from features.fingerprint import code_fingerprint

COMMIT = "mlflow.source.git.commit"  # where MLflow's pages look for it
CHANGED = "tamis.changed_since_commit"
ROOT = Path(__file__).resolve().parents[2]
SECONDS = 10


def code_version(inputs: Sequence[Input]) -> dict[str, str]:
    """Return tags that name the code of a training; without a commit where there is no checkout or no git."""
    tags = {"tamis.version": metadata.version("tamis"), "tamis.code_of_features": code_fingerprint(inputs)}
    commit = _git("rev-parse", "HEAD") if (ROOT / ".git").exists() else None
    if commit:
        changes = _git("status", "--porcelain", "--untracked-files=no")
        tags |= {COMMIT: commit, CHANGED: "no" if changes == "" else "yes"}
    return tags


def _git(*words: str) -> str | None:
    git = shutil.which("git")
    if git is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603
            [git, "-C", str(ROOT), *words], capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
