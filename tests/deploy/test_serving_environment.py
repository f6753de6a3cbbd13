"""A machine that only decides: without what learns it serves, scores and keeps the record, and says what it lacks."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pipelines.commands.faults import OF_TRAIN
from service.settings import Settings
from tests.service.building import body, declared
from tests.service.processes import REPOSITORY, serving

MODULES = {"scikit-learn": "sklearn"}  # packages whose module has another name
LOADED = "import json, sys; {body}; print(json.dumps([name for name, held in sys.modules.items() if held]))"
NEEDS_TRAIN = "install Tamis with its extra `train`"


@pytest.fixture
def without_train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process that is started here import anything of the extra, as where it is not installed."""
    hidden = f"import sys; sys.modules.update(dict.fromkeys({OF_TRAIN!r}))\n"
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(hidden, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "site"), str(REPOSITORY)]))


def _tamis(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    called = [sys.executable, "-m", "pipelines.cli", *arguments]
    environment = os.environ | {"TAMIS_HOME": str(home)}
    return subprocess.run(
        called, cwd=home.parent, capture_output=True, text=True, check=False, env=environment, timeout=300
    )


def test_the_modules_of_the_extra_are_those_of_the_project_file() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [Requirement(written).name for written in project["optional-dependencies"]["train"]]
    assert sorted(MODULES.get(name, name.replace("-", "_")) for name in named) == sorted(OF_TRAIN)


def test_the_lock_of_serving_holds_nothing_of_the_extra_and_the_versions_of_the_whole_lock() -> None:
    serving, whole = (
        {line.split(" ")[0] for line in (REPOSITORY / name).read_text(encoding="utf-8").splitlines() if "==" in line}
        for name in ("deploy/serving/requirements.lock", "requirements.lock")
    )
    assert serving < whole
    names = {canonicalize_name(pinned.split("==")[0]) for pinned in serving}
    assert not names & {canonicalize_name(MODULES.get(module, module)) for module in OF_TRAIN}
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {canonicalize_name(Requirement(written).name) for written in project["dependencies"]}
    assert needed - names == set()  # `make lock` makes both locks


@pytest.mark.process
@pytest.mark.parametrize("body", ["import service.app", "import pipelines.cli", "import pipelines.batch.score"])
def test_what_serves_and_scores_imports_nothing_of_the_extra(body: str) -> None:
    hidden = "from service.runtime.process_tuning import without_training_libraries as hide; hide(); "
    found = subprocess.run([sys.executable, "-W", "ignore", "-c", LOADED.format(body=hidden + body)],
                           capture_output=True, text=True, check=True)  # fmt: skip
    assert not {*OF_TRAIN} & {name.split(".")[0] for name in json.loads(found.stdout)}


@pytest.mark.process
@pytest.mark.usefixtures("without_train")
@pytest.mark.parametrize(
    "arguments",
    [("train",), ("promote", "1", "--by", "A. Martin", "--reason", "a test"), ("benchmark", "--seeds", "1"), ("demo",)],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_a_command_that_learns_says_in_one_line_what_to_install(arguments: tuple[str, ...], tmp_path: Path) -> None:
    called = _tamis(tmp_path / "home", *arguments)
    assert called.returncode == 1
    assert NEEDS_TRAIN in called.stderr
    assert len(called.stderr.splitlines()) == 1


@pytest.mark.process
@pytest.mark.usefixtures("without_train")
def test_a_day_is_scored_and_the_record_kept_without_the_extra(sealed_home: Path, tmp_path: Path) -> None:
    home, world = tmp_path / "home", tmp_path / "world"
    shutil.copytree(sealed_home, home)
    made = _tamis(home, "synth", "--days", "1", "--per-day", "150", "--out", str(world))
    assert made.returncode == 0, made.stderr
    (manifest,) = (world / "manifests").glob("*.parquet")
    scored = _tamis(home, "score", str(manifest), "--out", str(tmp_path / "out"))
    assert scored.returncode == 0, scored.stderr
    assert "not judged as a whole" in scored.stdout
    assert json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))["manifest_held"] is None
    asked = _tamis(home, "score", str(manifest), "--out", str(tmp_path / "again"), "--expectations")
    assert (asked.returncode, asked.stderr.count(NEEDS_TRAIN)) == (1, 1)
    assert not (tmp_path / "again").exists()
    for kept in (("verify",), ("status",), ("bundles", "show"), ("backup", "--to", str(tmp_path / "copy.tar"))):
        assert _tamis(home, *kept).returncode == 0, kept


@pytest.mark.process
@pytest.mark.usefixtures("without_train")
def test_the_service_answers_without_the_extra(sealed_home: Path, tmp_path: Path) -> None:
    shutil.copytree(sealed_home, tmp_path / "home")
    with serving(Settings(home=tmp_path / "home"), tmp_path / "log", workers=2) as (_, client):
        assert client.post("/v1/consignments", json=body(declared(1))).status_code == 200
