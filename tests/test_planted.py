"""A gate that catches nothing guards nothing: each planted fault must make the gate that is for it fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.planted import PLANTS

ROOT = Path(__file__).parent.parent
WITHIN = 300


@pytest.mark.skipif(not os.environ.get("TAMIS_PLANTS"), reason="planted by `make prove`: TAMIS_PLANTS")
@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_the_gate_fails_on_the_fault_that_it_is_for(plant: str) -> None:
    gate = PLANTS[plant][1]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.planted", "-p", "no:cacheprovider", gate]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "TAMIS_PLANT": plant}, capture_output=True, text=True, timeout=WITHIN,
        check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout[-2000:]
    assert " failed" in done.stdout, done.stdout[-2000:]
