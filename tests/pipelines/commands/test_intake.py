"""Files handed to the command: each that cannot be taken is one line, stops no other, and the exit code says it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines.cli import main
from tests.features.conftest import csv_of, row
from tests.features.messages.file_kinds import NO_MANIFEST, RESULTS


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "var"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "var"


def called(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    monkeypatch.setattr(sys, "argv", ["tamis", *map(str, words)])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_a_file_that_is_no_manifest_is_one_line_and_exit_code_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for kind, (content, words) in NO_MANIFEST.items():
        (tmp_path / "day").write_bytes(content)
        assert called(monkeypatch, "ingest", "day") == 3, kind
        told = capsys.readouterr()
        lines = told.out.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("day: ")
        assert all(word in lines[0] for word in words)
        assert told.err.startswith("tamis: nothing of what was handed over was accepted")


def test_one_file_stops_no_other_and_a_folder_stands_for_its_files(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.csv").write_bytes(RESULTS)
    (folder / "b.csv").write_bytes(csv_of(row()))
    (folder / ".hidden").write_bytes(b"x")
    (folder / "_SUCCESS").write_bytes(b"x")
    assert called(monkeypatch, "ingest", folder) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("a.csv: these are inspection results; use `tamis outcomes`")
    assert second == "b.csv: 1 rows = 1 accepted + 0 quarantined; 1 consignments, 1 new"
    assert sorted(path.name for path in (home / "quarantine").iterdir()) == [
        "a.csv.quarantine.csv", "a.csv.quarantine.parquet",
    ]  # fmt: skip


def test_other_content_under_the_same_number_names_five_and_the_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for price in ("20.00", "30.00"):
        (tmp_path / "day.csv").write_bytes(csv_of(*(row(consignment_id=f"C{n}", value=price) for n in range(7))))
        code = called(monkeypatch, "ingest", "day.csv")
    assert code == 3
    told = capsys.readouterr().out.splitlines()[-1]
    assert told.startswith("day.csv: sent before under the same message and version with another content: ")
    assert "C0, C1, C2, C3, C4 and 2 more; send what has changed as an amendment" in told
    assert "next version" in told


def test_results_are_taken_by_their_own_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "day.csv").write_bytes(csv_of(row()))
    assert called(monkeypatch, "outcomes", "day.csv") == 3
    assert capsys.readouterr().out.splitlines()[0].startswith("day.csv: this is a manifest; use `tamis ingest`")
    (tmp_path / "results.csv").write_bytes(RESULTS)
    assert called(monkeypatch, "outcomes", "results.csv") == 0
    (tmp_path / "odd.csv").write_bytes(RESULTS.replace(b",compliant", b",non_compliant"))
    assert called(monkeypatch, "outcomes", "odd.csv") == 3
    assert "line 2: findings: missing beside the result non_compliant (at least one of" in capsys.readouterr().out


def test_an_empty_folder_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    assert called(monkeypatch, "ingest", "empty") == 2
