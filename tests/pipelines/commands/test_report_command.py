"""`tamis report` by the command line, over a home in which rules decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.synthetic import build_world
from service.oversight.burden import ORIGINS
from tests.pipelines.commands.calling import call, line_of


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """Two archived days with results, and a third that rules decided on."""
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    build_world(3, 150, 5, tmp_path / "world")
    manifests = sorted((tmp_path / "world" / "manifests").glob("*.parquet"))
    assert call(capsys, "promote", "--rules", "--by", "A. Martin", "--reason", "the first day").code == 0
    assert call(capsys, "ingest", *map(str, manifests[:2])).code == 0
    assert call(capsys, "outcomes", str(tmp_path / "world" / "outcomes")).code == 0
    scored = call(capsys, "score", str(manifests[2]), "--out", str(tmp_path / "out"), "--no-expectations")
    assert (scored.code, scored.err) == (0, "")
    return tmp_path / "home"


def test_the_burden_of_some_days_is_printed_and_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = call(capsys, "report", "--burden", "--to", "2026-01-04")
    assert (ended.code, ended.err) == (0, "")
    assert "country of dispatch" in ended.out
    written = json.loads((home / "reports" / "burden" / "2026-01-03" / "burden.json").read_text(encoding="utf-8"))
    assert (written["last"], written["decided"] > 100) == ("2026-01-03", True)
    assert written["consignments"] == sum(group["consignments"] for group in written["tables"]["stream"])
    assert 10 <= written["looked_at"] < written["consignments"]
    assert set(written["tables"]) == set(ORIGINS)


def test_operators_for_audit_are_listed_without_persons_unless_asked(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(capsys, "report", "--operators", "--to", "2026-01-04")
    assert (ended.code, ended.err) == (0, "")
    assert "neutral rates" in ended.out
    folder = home / "reports" / "operators" / "2026-01-03"
    written = json.loads((folder / "operators.json").read_text(encoding="utf-8"))
    assert set(written["operators"]) == {"importer", "ioss", "platform", "declarant"}
    assert written["operators"]["declarant"][0]["behind"]
    assert (folder / "operators.csv").read_text(encoding="utf-8").startswith("kind,name,consignments")
    asked = home / "asked"
    assert call(capsys, "report", "--operators", "--to", "2026-01-04", "--out", str(asked)).code == 0
    assert "consignee" in json.loads((asked / "operators.json").read_text(encoding="utf-8"))["operators"]
    wrong = call(capsys, "report", "--burden", "--rates", str(folder / "operators.csv"))
    assert (wrong.code, "--rates" in wrong.err) == (2, True)


def test_what_is_to_be_reported_must_be_said(capsys: pytest.CaptureFixture[str]) -> None:
    ended = call(capsys, "report")
    assert ended.code == 2
    assert "--burden" in ended.err


def test_days_that_the_archive_does_not_hold_are_a_fault(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "ingest" in line_of(call(capsys, "report", "--burden", "--to", "2020-01-01"))
    assert "--from" in line_of(call(capsys, "report", "--burden", "--from", "2026-03-01", "--to", "2026-03-02"))


def test_drafts_of_governance_are_written(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "report", "--burden", "--to", "2026-01-04")
    ended = call(
        capsys, "report", "--governance", "--from", "2026-01-01", "--to", "2026-01-04", "--out", str(home / "drafts")
    )
    assert (ended.code, ended.err) == (0, "")
    assert "for a person to fill" in ended.out
    card = (home / "drafts" / "model-card.md").read_text(encoding="utf-8")
    assert "No model serves" in card
    assert "to 2026-01-03: " in (home / "drafts" / "impact-assessment.md").read_text(encoding="utf-8")
    wrong = call(capsys, "report", "--governance", "--from", "2026-02-01", "--to", "2026-01-04")
    assert "--from" in line_of(wrong)
