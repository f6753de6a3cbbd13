"""Notebooks as they are committed: pictures stored, no path of a machine, and a home of the reader's own opened."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.docs.pages import ROOT
from tests.worlds import archived_world

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
MACHINE_PATH = re.compile(r"(?<![\w.:/<}*)\\-])/[a-z]+/")  # an absolute path, of whatever machine; no end of a tag
PICTURE = re.compile(r'"image/png": "[^"]*"')
OF_A_HOME = ("01_look_at_a_manifest", "04_explain_a_consignment", "06_open_an_export")


def opened(file: Path) -> nbformat.NotebookNode:
    text = file.read_text(encoding="utf-8")
    notebook: nbformat.NotebookNode = nbformat.reads(text, 4)  # type: ignore[no-untyped-call]
    return notebook


def pictures(notebook: nbformat.NotebookNode) -> list[str]:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    return [output["data"]["image/png"] for output in outputs if "image/png" in output.get("data", {})]


def digest_of(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        found.update(str(file.relative_to(folder)).encode())
        found.update(file.read_bytes() if file.is_file() else b"")
    return found.hexdigest()


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_its_pictures_are_stored_and_name_no_machine(file: Path) -> None:
    notebook = opened(file)
    assert pictures(notebook)
    text = PICTURE.sub("", file.read_text(encoding="utf-8"))
    assert not MACHINE_PATH.findall(text)


@pytest.mark.parametrize("name", OF_A_HOME)
def test_it_says_how_to_open_the_reader_s_own_home(name: str) -> None:
    notebook = opened(ROOT / "notebooks" / f"{name}.ipynb")
    assert "TAMIS_HOME" in notebook.cells[0].source
    assert 'HOME = os.environ.get("TAMIS_HOME", "")' in notebook.cells[1].source


def test_a_home_of_the_reader_is_opened_and_not_written_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archived_world(tmp_path / "home" / "archive", days=3, per_day=400, seed=5)
    before = digest_of(tmp_path / "home")
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    notebook = opened(ROOT / "notebooks" / "01_look_at_a_manifest.ipynb")
    ran = NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    printed = "".join(o.get("text", "") for cell in ran.cells for o in cell.get("outputs", []))
    assert "today: " in printed
    assert "lodged from 2026-01-03 on" in printed
    assert pictures(ran)
    assert digest_of(tmp_path / "home") == before
