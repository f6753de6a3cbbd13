"""`tamis webhooks`: made, listed, tried again and ended by command, against a receiver that is really there."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.desk import open_desk
from service.settings import Settings
from service.targeting import target
from tests.pipelines.commands.calling import call, line_of
from tests.service.building import declared, message
from tests.service.quick import quick_home
from tests.service.webhooks.receiver import receiving

BY = ("--by", "anna")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with the written model, and a machine that has a key."""
    monkeypatch.setenv("TAMIS_HOME", str(quick_home(tmp_path / "home")))
    return Settings(home=tmp_path / "home")


def test_a_webhook_by_command(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    nobody = call(capsys, "webhooks", "make", "https://clearance.example", "--key", "clearance-1", *BY)
    assert (nobody.code, line_of(nobody)) == (1, "tamis: key: no active key has this name; see `tamis keys list`")
    call(capsys, "keys", "make", "clearance-1", "--purpose", "clearance", *BY)
    plain = call(capsys, "webhooks", "make", "http://clearance.example", "--key", "clearance-1", *BY)
    assert (plain.code, line_of(plain).split(":")[1]) == (1, " url")
    with receiving() as receiver:
        made = call(capsys, "webhooks", "make", receiver.url, "--key", "clearance-1", "--every", *BY)
        name, receiver.secret, _ = made.out.splitlines()
        desk = open_desk(settings)
        target(message(declared(1), received_at=datetime.now(UTC)), desk)
        desk.journal.store.close()
        receiver.answers = [(500, {}), (422, {})]
        assert call(capsys, "webhooks", "retry", name, *BY).code == 0
        listed = call(capsys, "webhooks", "list").out
        assert receiver.url in listed
        assert "it answers 500" in listed
        assert listed.endswith("1 webhook\n")
        call(capsys, "webhooks", "retry", name, *BY)
        done = call(capsys, "webhooks", "retry", name, *BY)
        assert (done.code, done.out) == (0, "1 message taken; 0 of 0 undelivered messages\n")
        receiver.secret = call(capsys, "webhooks", "secret", name, *BY).out.strip()
        assert receiver.changes[0]["consignment_id"] == "HAWB000000001"
    assert call(capsys, "webhooks", "end", name, *BY).out == f"{name} is ended\n"
    assert call(capsys, "webhooks", "list").out == "0 webhooks\n"
    gone = call(capsys, "webhooks", "end", name, *BY)
    assert line_of(gone) == "tamis: no such webhook is active; see `tamis webhooks list`"
