"""The bill holds all that runs, and what was not audited is never taken for clean."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import canonicalize_name

from deploy.supply.advisories import CLEAN, NOT_AUDITED, VULNERABLE, judge
from deploy.supply.bill import complete_bill
from docs.generator.licences import runtime_distributions
from tests.service.processes import REPOSITORY

LOCKED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", re.MULTILINE)
TOOL = REPOSITORY / ".venv-supply" / "bin" / "cyclonedx-py"
AUDITED = {"name": "polars", "version": "2.1.0", "vulns": []}
SKIPPED = {"name": "numba", "skip_reason": "Dependency not found on PyPI and could not be audited: numba (0.62)"}
BAD = {"name": "lxml", "version": "6.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["6.1"]}]}


def of_the_lock() -> dict[str, Any]:
    """What the tool would make of the lock, as far as the bill needs it."""
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    return {"components": [{"name": name, "version": version} for name, version in LOCKED.findall(lock)]}


def test_the_bill_tells_what_runs_from_what_only_tests() -> None:
    running: dict[str, str] = {canonicalize_name(d.metadata["Name"]): "some licence" for d in runtime_distributions()}
    bill = complete_bill(of_the_lock(), running)
    scopes: dict[str, str] = {canonicalize_name(one["name"]): one["scope"] for one in bill["components"]}
    assert {name for name, scope in scopes.items() if scope == "required"} >= set(running) - {"tamis"}
    assert (scopes["fastapi"], scopes["pytest"]) == ("required", "excluded")
    assert next(one for one in bill["components"] if one["name"] == "fastapi")["licenses"]


def test_what_runs_and_is_not_locked_is_a_fault() -> None:
    with pytest.raises(ValueError, match="not-in-the-lock"):
        complete_bill(of_the_lock(), {"not-in-the-lock": "MIT"})


@pytest.mark.skipif(not TOOL.exists(), reason="the tools of supply are not installed (`make sbom` installs them)")
def test_the_tool_reads_the_lock(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    subprocess.run([TOOL, "requirements", "requirements.lock", "--of", "JSON", "-o", made], cwd=REPOSITORY, check=True)
    names = {one["name"] for one in json.loads(made.read_text(encoding="utf-8"))["components"]}
    assert names >= {one["name"] for one in of_the_lock()["components"]}


@pytest.mark.parametrize(
    ("packages", "code", "said"),
    [([AUDITED], CLEAN, "1 packages audited"), ([AUDITED, SKIPPED], NOT_AUDITED, "NOT AUDITED: 1 of 2"),
     ([SKIPPED], NOT_AUDITED, "NOT AUDITED"), ([], NOT_AUDITED, "NOT AUDITED"),
     ([BAD, AUDITED], VULNERABLE, "PYSEC-1, mended in 6.1"), ([BAD, SKIPPED], VULNERABLE, "NOT AUDITED: 1 of 2")],
)  # fmt: skip
def test_a_report_is_judged_by_what_was_audited(packages: list[Any], code: int, said: str) -> None:
    judged = judge({"dependencies": packages})
    assert judged.code == code
    assert said in "\n".join(judged.lines)


@pytest.mark.process
@pytest.mark.parametrize("report", ["", '{"dependencies": []}'])
def test_a_tool_that_wrote_nothing_is_no_clean_bill(tmp_path: Path, report: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(report)
    done = subprocess.run([sys.executable, "-m", "deploy.supply.advisories", path], cwd=REPOSITORY, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert (done.returncode, "NOT AUDITED" in done.stdout) == (NOT_AUDITED, True)
