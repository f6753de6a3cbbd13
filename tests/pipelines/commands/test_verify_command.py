"""`tamis verify --since-last` goes on from the last one, says what it leaves out, and trusts a signature alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from features.moments import micros
from service.audit.verified_point import NAME
from service.record.audit_log import note
from service.scoring.signature import signing_key
from service.settings import Settings
from service.store.database import open_store
from tests.pipelines.commands.calling import call, line_of
from tests.service.building import NOON


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with a key and two notes on its log."""
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    signing_key(Settings().keys)
    _note("first", "second")
    return Settings()


def _note(*subjects: str) -> None:
    store = open_store(Settings())
    for subject in subjects:
        note(store, "proposal", subject, {"by": "ana"}, micros(NOON))
    store.close()


def test_it_goes_on_from_the_last_one(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    first = call(capsys, "verify", "--since-last")
    assert first.code == 0
    assert "nothing was verified before" in first.out
    assert "2 entries:" in first.out
    _note("third")
    on = call(capsys, "verify", "--since-last")
    assert on.code == 0
    assert "gone on from entry 2, verified at" in on.out
    assert "Not looked at again: what the entries up to there vouch for" in on.out
    assert "1 entry:" in on.out
    whole = call(capsys, "verify")
    assert "3 entries:" in whole.out
    assert "gone on" not in whole.out


def test_a_point_that_another_one_wrote_is_refused(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "verify").code == 0
    path = settings.checkpoints / NAME
    path.write_text(path.read_text().replace('"number": 2', '"number": 1'))
    refused = call(capsys, "verify", "--since-last")
    assert refused.code == 1
    assert NAME in line_of(refused)
    assert call(capsys, "verify").code == 0
