"""Pages point at what exists: links, files and folders, and the examples that a program can read."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from features.messages.mapping_file import load_mapping
from tests.docs.pages import DOCS, FENCE, ROOT, pages, reading_order, without_blocks

WRITTEN = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
OWN_FOLDERS = "features|service|pipelines|tests|notebooks|mlflow|docs"


def _sources() -> list[Path]:
    return [*WRITTEN, *(ROOT / name for name in pages() if name.startswith("docs/"))]


@pytest.mark.parametrize("page", _sources(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    text = without_blocks(page.read_text(encoding="utf-8"))
    targets = [target.split("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]
    assert [target for target in targets if target and not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", _sources(), ids=lambda page: str(page.relative_to(ROOT)))
def test_paths_of_the_repository_that_a_page_names_exist(page: Path) -> None:
    text = without_blocks(page.read_text(encoding="utf-8"))
    named = re.findall(rf"`((?:{OWN_FOLDERS})/[\w/.-]*)`", text)
    assert [path for path in named if not (ROOT / path).exists() and "_build" not in path] == []
    modules = re.findall(r"`(?:python -m )?(tests\.bench\.\w+)[^`]*`", text)
    assert [module for module in modules if not (ROOT / f"{module.replace('.', '/')}.py").exists()] == []


def test_the_readme_fits_on_one_page_and_says_what_two_commands_do() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    written = "\n".join(page.read_text(encoding="utf-8") for page in _sources())
    targets = re.findall(r"(?:`|^ {4}|^\$ )make ([a-z][a-z-]*)", written, flags=re.MULTILINE)
    assert {"demo", "test", "docs"} <= set(targets)
    assert [target for target in targets if not re.search(rf"^{target}:", makefile, flags=re.MULTILINE)] == []
    demo = re.search(r"<!-- demo -->\n```\n(.*?)```", text, flags=re.DOTALL)
    assert demo is not None
    assert len(demo.group(1).splitlines()) <= 12


def test_every_guide_is_in_the_index() -> None:
    assert {page.name for page in (DOCS / "how-to").glob("*.md")} == {page.name for page in reading_order()[1:]} | {
        "index.md"
    }


def test_the_examples_of_mappings_can_be_loaded(tmp_path: Path) -> None:
    examples = [
        body for language, body in FENCE.findall((DOCS / "how-to" / "messages.md").read_text()) if language == "toml"
    ]
    assert len(examples) >= 2
    for place, example in enumerate(examples):
        file = tmp_path / f"{place}.toml"
        file.write_text(example, encoding="utf-8")
        load_mapping(file)


def test_every_toml_example_is_toml() -> None:
    examples = [body for text in pages().values() for language, body in FENCE.findall(text) if language == "toml"]
    assert len(examples) >= 3
    for example in examples:
        tomllib.loads(example)


def test_the_project_speaks_of_itself_alone() -> None:
    listed = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    files = [ROOT / name for name in listed.split()] or _sources()
    foreign = re.compile(r"/(?:work|root)/|\bissue #?\d|file://")
    assert [str(file) for file in files if file.exists() and foreign.search(file.read_text(encoding="utf-8"))] == []
