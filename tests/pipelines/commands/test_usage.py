"""Wrong calls: one line that names the option or the command, exit code 2, nothing of what was typed, no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from pipelines import cli
from pipelines.commands.record_commands import verify
from tests.pipelines.commands.calling import call, line_of

HEAVY = {"lightgbm", "polars", "sklearn", "mlflow", "shap", "pandas", "numpy", "scipy", "sqlalchemy", "click"}
TYPED = "Ningbo-Trading-Ltd"  # a value that could be personal data: it is never said back
BY = ("--by", "A. Martin", "--reason", "a test")
WRONG = [
    (("scor", "x"), "No such command 'scor'. Did you mean 'score'?"),
    (("lists", "impot", TYPED), "No such command 'impot'. Did you mean 'import'?"),
    (("--nosuch",), "No such option '--nosuch'"),
    (("train", "--nam", TYPED), "No such option '--nam'. Did you mean '--name' or '--params'?"),
    (("train", f"--nam={TYPED}"), "No such option '--nam'. Did you mean '--name' or '--params'?"),
    (("promote",), "Missing option '--by'"),
    (("promote", *BY), "name either a registered version or --rules"),
    (("promote", "1", "--by", TYPED), "Missing option '--reason'"),
    (("what-if", "--office", TYPED), "Missing option '--physical'"),
    (("replay",), "Missing argument 'DECISION_ID'"),
    (("train", "--from"), "Option '--from' needs a value"),
    (("monitor", "--fail-on-alarm=yes"), "Option '--fail-on-alarm' takes no value"),
    (("train", "--from", TYPED), "Invalid value for '--from': it takes a day such as 2026-03-01"),
    (("cases", "detain", "P1", "--officer", "x", "--at", TYPED), "or a time such as 2026-03-01T14:30"),
    (("promote", TYPED, *BY), "Invalid value for 'VERSION': it takes a whole number"),
    (("backtest", "--seeds", "0"), "Invalid value for '--seeds': it takes a whole number of at least 1"),
    (("serve", "--port", "70000"), "Invalid value for '--port': it takes a whole number from 0 to 65535"),
    (("synth", "--days", TYPED), "Invalid value for '--days': it takes a whole number of at least 1"),
    (("cases", "detain", "P1", "--officer", "x", "--units", TYPED), "Invalid value for '--units': it takes a number"),
    (("ingest", __file__, "--format", "IFTMIN"), "'--format': it takes one of flat, ics2, cargo-xml, cargo-imp"),
    (("ingest", __file__, "--format", "xlsx"), "'--format': it takes one of flat"),
    (("train", "--engine", TYPED), "'--engine': where to run is local, dask or dask=ADDRESS"),
    (("train", "--params", f"num_leaves={TYPED}"), "'--params': num_leaves takes a whole number from 2 to 255"),
    (("verify", TYPED, TYPED), "More arguments than the command takes"),
    (("score", __file__), "Missing option '--out'"),
    (("ingest",), "Missing argument 'FILES'"),
    (("score", __file__, f"/nowhere/{TYPED}", "--out", TYPED), "'FILES': file 2 of 2 does not exist"),
    (("ingest", __file__, "--mapping", os.path.dirname(__file__)), "'--mapping': the file is a folder"),
    (("ingest", __file__, "--mapping", f"/nowhere/{TYPED}"), "'--mapping': the file does not exist"),
    (("rules", f"/nowhere/{TYPED}"), "'POLICY': the file does not exist"),
    (("genuine", "import", f"/nowhere/{TYPED}", "--holder", "x", "--by", "y"), "'FILE': the file does not exist"),
    (("lists", "import", "id", "/", "--by", "y"), "'FILE': the file is a folder"),
]


@pytest.mark.parametrize(("arguments", "said"), WRONG, ids=lambda value: " ".join(value)[:40])
def test_a_wrong_call_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    ended = call(capsys, *arguments)
    line = line_of(ended)
    assert said in line
    assert ended.code == 2
    assert "--help`" in line
    assert TYPED not in line
    assert not (tmp_path / "home").exists()


def test_a_file_that_may_not_be_read_is_a_wrong_call(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / f"{TYPED}.csv"
    closed.write_text("consignment_id\n")
    monkeypatch.setattr(os, "access", lambda path, _how: Path(path) != closed)
    ended = call(capsys, "ingest", str(closed))
    assert "'FILES': it cannot be read; ask for the right to read it" in line_of(ended)
    assert ended.code == 2


@pytest.mark.parametrize("group", [(), ("lists",), ("cases",), ("genuine",), ("keys",), ("bundles",)])
def test_a_group_without_a_command_shows_its_help_and_says_by_its_exit_code_that_nothing_was_done(
    group: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    ended = call(capsys, *group)
    assert ended.code == 2
    assert "Usage: tamis" in ended.out
    assert ended.err == ""


@pytest.mark.parametrize("arguments", [("-h",), ("--help",), ("score", "-h"), ("lists", "import", "--help")])
def test_help_is_to_be_had_by_both_names(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    ended = call(capsys, *arguments)
    assert (ended.code, ended.err) == (0, "")
    assert "Usage: tamis" in ended.out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    ended = call(capsys, "--version")
    assert (ended.code, ended.out.split()[0]) == (0, "tamis")


def test_commands_stand_in_groups_in_the_order_of_a_day(capsys: pytest.CaptureFixture[str]) -> None:
    text = call(capsys, "--help").out
    panels = [cli.SET_UP, cli.DAILY, cli.LEARN, cli.OFFICERS, cli.RECORD, cli.ADMINISTRATION]
    assert sorted(panels, key=lambda panel: text.index(f"─ {panel} ─")) == panels
    day = ["status", "serve", "ingest", "outcomes", "score", "train", "promote", "cases", "verify", "keys"]
    assert sorted(day, key=lambda name: text.index(f"│ {name} ")) == day


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scor"]])
def test_help_and_refusals_load_no_library_of_data_or_learning(arguments: list[str]) -> None:
    script = f"""
import sys
import pipelines.cli
sys.argv = ["tamis", *{arguments!r}]
try:
    pipelines.cli.main()
except SystemExit:
    print("loaded:", *sorted({HEAVY!r} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1].split() == ["loaded:"]


def test_the_traceback_is_to_be_had(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["tamis", "scor"])
    with pytest.raises(Exception, match="No such command 'scor'"):
        cli.main()


OLD_NAMES = [
    (("ladder", "--nosuch"), "tamis ladder is now called tamis benchmark"),
    (("train", "--test-apart", "--nosuch"), "--test-apart is now called --exclude-test"),
    (("promote", "1", "--although=why", "--nosuch"), "--although is now called --force-reason"),
    (("train", "--engine", "here", "--from", "x"), "--engine here is now called --engine local"),
]


@pytest.mark.parametrize(("arguments", "said"), OLD_NAMES, ids=lambda value: " ".join(value)[:40])
def test_an_old_name_says_once_what_it_is_called_now(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = call(capsys, *arguments).err.splitlines()
    assert said in first
    assert second.startswith(("tamis: No such option '--nosuch'", "tamis: Invalid value for '--from'"))


def test_an_exit_code_of_a_command_is_passed_on(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_accepted() -> None:
        raise typer.Exit(3)

    (registered,) = [command for command in cli.app.registered_commands if command.callback is verify]
    monkeypatch.setattr(registered, "callback", nothing_accepted)
    monkeypatch.setattr(registered, "name", "verify")
    assert call(capsys, "verify").code == 3
