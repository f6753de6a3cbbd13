"""A client with types is generated from the description of the API, and runs the tutorial against a live service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from mypy import api as mypy

from service.access import open_access
from service.app import create
from service.settings import Settings
from tests.service.access.closed import now
from tests.service.processes import REPOSITORY, serving

TOOLS = REPOSITORY / ".venv-client" / "bin"
PROGRAM = Path(__file__).with_name("tutorial.py")
CONFIGURATION = REPOSITORY / "docs" / "how-to" / "client.yaml"
pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        not (TOOLS / "openapi-python-client").exists(),
        reason="the generator of clients is not installed (`make test` installs it)",
    ),
]


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds `tamis_client`."""
    folder = tmp_path_factory.mktemp("client")
    description = folder / "openapi.json"
    description.write_text(json.dumps(create(Settings(home=folder / "home")).openapi()), encoding="utf-8")
    command = [str(TOOLS / "openapi-python-client"), "generate", "--path", str(description), "--meta", "none",
               "--config", str(CONFIGURATION), "--output-path", str(folder / "tamis_client")]  # fmt: skip
    environment = {**os.environ, "PATH": f"{TOOLS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    warned = [line for line in (done.stdout + done.stderr).splitlines() if line.startswith(("WARNING", "ERROR"))]
    assert warned == []
    return folder


def test_every_operation_is_a_function(generated: Path) -> None:
    paths = json.loads((generated / "openapi.json").read_text(encoding="utf-8"))["paths"]
    operations = {of["operationId"] for methods in paths.values() for of in methods.values()}
    functions = {path.stem for path in (generated / "tamis_client" / "api").glob("*/*.py")} - {"__init__"}
    assert functions == operations


def faults_of_types(program: Path, generated: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What mypy finds in a program that uses the client, by the types of the client."""
    monkeypatch.setenv("MYPYPATH", str(generated))
    options = ["--strict", "--follow-imports=silent", "--config-file=", f"--cache-dir={generated / 'cache'}"]
    found, faults, _ = mypy.run([*options, str(program)])
    assert faults == ""
    return found


def test_the_client_has_types(generated: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert faults_of_types(PROGRAM, generated, monkeypatch).startswith("Success")
    wrong = tmp_path / "wrong.py"
    text = PROGRAM.read_text(encoding="utf-8")
    text = text.replace("decisions.decisions[0].clearance", "decisions.decisions[0].colour")
    wrong.write_text(text, encoding="utf-8")
    assert '"Decision" has no attribute "colour"' in faults_of_types(wrong, generated, monkeypatch)


def test_the_tutorial_runs_through_the_client(generated: Path, quick_home: Path, tmp_path: Path) -> None:
    shutil.copytree(quick_home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home", access="keys")
    access = open_access(settings)
    key = access.make_key("clearance-1", "clearance", ["*"], "clearance of postal items", "A. Martin", now())
    access.store.close()
    with serving(settings, tmp_path / "serve.log", TAMIS_ACCESS="keys") as (_, client):
        command = [sys.executable, str(PROGRAM), str(client.base_url), key]
        environment = {**os.environ, "PYTHONPATH": str(generated)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
