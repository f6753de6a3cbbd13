"""The settings file: what holds, where it comes from, and faults that name file and setting and never a value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service import settings_file
from service.settings import Settings, source_of
from service.settings_file import SettingsFault
from tests.pipelines.commands.calling import call, line_of

SECRET = "hunter2"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A settings file that is named in the environment, where nothing else is."""
    path = tmp_path / "tamis.toml"
    path.write_text("", encoding="utf-8")
    path.chmod(0o640)
    for name in ("TAMIS_HOME", "TAMIS_STORE", "TAMIS_ANSWER_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TAMIS_SETTINGS", str(path))
    return path


def test_the_environment_comes_before_the_file_and_the_file_before_what_is_usual(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(f'home = "{tmp_path}"\nanswer_seconds = 3\nbody_limit = 1000\n', encoding="utf-8")
    monkeypatch.setenv("TAMIS_BODY_LIMIT", "2000")
    held = Settings()
    assert (held.home, held.answer_seconds, held.body_limit, held.calls_at_once) == (tmp_path, 3, 2000, 32)
    assert [source_of(name) for name in ("home", "body_limit", "calls_at_once")] == ["file", "environment", "default"]
    assert Settings(answer_seconds=4).answer_seconds == 4


def test_the_command_shows_the_file_and_what_comes_from_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.write_text("answer_seconds = 3\n", encoding="utf-8")
    shown = json.loads(call(capsys, "settings", "--json").out)
    (row,) = (row for row in shown["settings"] if row["variable"] == "TAMIS_ANSWER_SECONDS")
    assert (shown["file"], row["source"], row["value"]) == (str(file), "file", "3.0")
    assert shown["unknown"] == []
    assert f"file: {file}" in call(capsys, "settings").out


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (f'answer_seconds = "{SECRET}"', "answer_seconds takes a number above 0 and at most 3600"),
        (f'language = "{SECRET}"', "language takes en or fr or zh"),
        (f"mapping = ['{SECRET}']", "mapping takes the path of a file that exists"),
        (f'anser_seconds = "{SECRET}"', "anser_seconds is no setting: did you mean answer_seconds?"),
        (f'TAMIS_LANGUAGE = "{SECRET}"', "TAMIS_LANGUAGE is no setting: did you mean language?"),
        (f'[tamis]\nlanguage = "{SECRET}"', "tamis is no setting"),
        (f"language = {SECRET}", "is no TOML, line 1, column 12: write each setting as name = value"),
    ],
)
def test_a_fault_names_the_file_the_setting_and_the_remedy(
    written: str, said: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file.write_text(written, encoding="utf-8")
    ended = call(capsys, "status")
    assert ended.code == 1
    assert str(file) in line_of(ended)
    assert said in line_of(ended)
    assert SECRET not in line_of(ended)


def test_a_password_that_anybody_can_read_is_refused_until_the_file_is_closed(file: Path) -> None:
    file.write_text(f'store = "postgresql://tamis:{SECRET}@db/tamis"\n', encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(SettingsFault, match="chmod o=") as refused:
        Settings()
    assert SECRET not in str(refused.value)
    file.chmod(0o640)
    assert SECRET in Settings().store


def test_a_file_that_is_named_and_not_there_is_a_fault_and_the_usual_one_need_not_be(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.unlink()
    with pytest.raises(SettingsFault, match="TAMIS_SETTINGS takes the path of a settings file"):
        Settings()
    monkeypatch.delenv("TAMIS_SETTINGS")
    monkeypatch.setattr(settings_file, "USUAL", tmp_path / "usual.toml")
    assert Settings().language == "en"
    (tmp_path / "usual.toml").write_text('language = "fr"', encoding="utf-8")
    assert Settings().language == "fr"
