"""A gate that catches nothing guards nothing: each planted fault must make the gate that is for it fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests import planted
from tests.planted import PLANTS, NothingPlanted, plant

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


def test_a_fault_where_nothing_is_to_be_replaced_is_refused() -> None:
    with pytest.raises(NothingPlanted, match=r"tests\.planted has no gate_of_old"):
        plant(planted, "gate_of_old", None)
    assert not hasattr(planted, "gate_of_old")


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_every_planted_fault_finds_what_it_replaces_and_its_gate_is_a_file(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick, and of every run: whether the gate catches the fault is proved by `make prove`."""
    replaced = []

    def found(module: ModuleType | type, changed: str, fault: object) -> None:
        assert getattr(module, changed) is not fault
        replaced.append(changed)

    monkeypatch.setattr(planted, "plant", found)
    PLANTS[name][0]()
    assert replaced
    assert (ROOT / PLANTS[name][1]).is_file()
