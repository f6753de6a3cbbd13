"""Another fact is one line: results handed on, table, totals, words and erasure follow from it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FOLLOWS = '    Fact("registered", "registry",\n'
LINE = (
    '    Fact("pieces_found", "outcome", whole(pl.col("items_found")),'
    ' words=("Pieces found", "Pièces trouvées", "查获件数")),\n'
)


def with_line(folder: Path, line: str) -> Path:
    """A copy of the packages, with one more line in the list of facts."""
    for package in ("features", "service"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    listed = folder / "features" / "history" / "fact_list.py"
    written = listed.read_text(encoding="utf-8")
    assert written.count(FOLLOWS) == 1
    listed.write_text(written.replace(FOLLOWS, line + FOLLOWS), encoding="utf-8")
    return folder


def probed(folder: Path) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join((str(folder), str(ROOT)))
    return subprocess.run(
        [sys.executable, "-P", str(Path(__file__).with_name("new_fact_probe.py"))],
        cwd=folder, env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_one_line_adds_a_fact(tmp_path: Path) -> None:
    ended = probed(with_line(tmp_path, LINE))
    assert ended.returncode == 0, ended.stderr
    answer = json.loads(ended.stdout)
    assert answer["column"]
    assert answer["words"] == {
        "en": "Pieces found, the sender, in 90 days",
        "fr": "Pièces trouvées, l'expéditeur, en 90 jours",
        "zh": "寄件人90天内查获件数",
    }
    assert answer["handed_on"] == 12.0
    assert "items_found" in answer["kept"]
    assert "officer" not in answer["kept"]
    assert answer["sum"] == answer["sum_after_erasure"] == 12.0


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        (
            LINE.replace(', words=("Pieces found", "Pièces trouvées", "查获件数")', ""),
            "pieces_found needs words",
        ),
        (LINE.replace("items_found", "pieces_seen"), "pieces_found needs pieces_seen, which a fact of outcome lacks"),
    ],
)
def test_a_line_that_is_not_complete_stops_the_import(tmp_path: Path, line: str, sentence: str) -> None:
    ended = probed(with_line(tmp_path, line))
    assert ended.returncode != 0
    last = ended.stderr.strip().splitlines()[-1]
    assert last.startswith("TypeError: ")
    assert sentence in last
