"""What the tutorial and the guides tell a newcomer to type works, in reading order, from an empty folder."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, reading_order, shell_blocks

MARK = "=== the guides ==="


@pytest.fixture(scope="module")
def first_day(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Every shell block, run in one shell: the folder that it left behind and what it printed."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    folder = tmp_path_factory.mktemp("first-day")
    tutorial, *guides = reading_order()
    blocks = [*shell_blocks(tutorial), f"echo '{MARK}'", *(block for page in guides for block in shell_blocks(page))]
    script = "set -euo pipefail\nset -m\n" + "\n".join(blocks)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "TAMIS_HOME": str(folder / "var"), "TAMIS_ACCESS": "keys"}
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=1800, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return folder, done.stdout


def test_the_commands_work_from_an_empty_folder(first_day: tuple[Path, str]) -> None:
    folder, printed = first_day
    assert (folder / "orientations" / "_SUCCESS").exists()
    assert printed.count('"status":"ready"') == 2
    assert '"clearance":' in printed
    assert '"recorded":1' in printed
    assert '"SHA7700123"' in printed


def test_the_model_of_the_tutorial_is_really_judged(first_day: tuple[Path, str]) -> None:
    """Several findings stand in the days that it was judged on, and the ranking finds some of them."""
    _, printed = first_day
    rows = int(_figure(printed, "rows"))
    hits = round(rows * float(_figure(printed, "hit rate")))
    assert hits >= 4
    assert float(_figure(printed, "average precision")) > 2 * hits / rows
    assert float(_figure(printed, "precision at 5%")) > 0


def test_the_record_of_the_tutorial_holds_and_replays(first_day: tuple[Path, str]) -> None:
    folder, printed = first_day
    # the tutorial and a guide verify and replay, and go on from there; a guide against checkpoints elsewhere and a
    # restored backup verify
    assert printed.count("the record is as it was written") == 5
    assert printed.count("the same, byte for byte") == 2
    assert "not as it was written" not in printed
    summary = json.loads((folder / "orientations" / "summary.json").read_text(encoding="utf-8"))
    assert summary["lanes"]["red"] > 0
    assert summary["lanes"]["green"] > summary["lanes"]["red"]


def test_the_tutorial_shows_what_the_commands_print(first_day: tuple[Path, str]) -> None:
    """Lines of the shown output that hold figures are printed by this very run, but for times and identifiers."""
    _, printed = first_day
    before = printed.split(MARK)[0]
    shown = re.findall(
        r"^```text\n(.*?)^```", (DOCS / "tutorial.md").read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    lines = [line for block in shown for line in block.splitlines() if re.search(r"\d", line) and "…" not in line]
    assert len(lines) >= 12
    missing = [line for line in lines if _plain(line) not in _plain(before)]
    assert missing == []


def _figure(printed: str, measure: str) -> str:
    found = re.search(rf"^{re.escape(measure)}\s+(\S+)", printed, flags=re.MULTILINE)
    assert found is not None, f"tamis train printed no line {measure!r}"
    return found.group(1)


def _plain(text: str) -> str:
    """Return a text without the folder of a home and without differences of space."""
    return re.sub(r"\s+", " ", re.sub(r"\S*/var/", "var/", text))
