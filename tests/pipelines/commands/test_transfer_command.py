"""`tamis transfer`: operations pass a consignment on, and what cannot be is one line."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.desk import open_desk
from service.settings import Settings
from service.store.tables import DECLARATIONS, TRANSFERS
from service.targeting import target
from tests.pipelines.commands.calling import call
from tests.service.building import declared, message
from tests.service.quick import quick_home

BY = ("--by", "ana", "--reason", "it landed there")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with the written model."""
    monkeypatch.setenv("TAMIS_HOME", str(quick_home(tmp_path / "home")))
    return Settings(home=tmp_path / "home")


def test_operations_pass_a_consignment_on(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    desk = open_desk(settings)
    sent = message(declared(1), declared(2, office="FRLYS1"), received_at=datetime.now(UTC))
    target(sent, desk)
    missing = call(capsys, "transfer", "NONE", "--office", "FRLYS1", *BY)
    assert (missing.code, missing.err) == (1, "tamis: consignment_id: no such consignment is on record here\n")
    nowhere = call(capsys, "transfer", "HAWB000000001", "--office", "NOWHERE", *BY)
    assert (nowhere.code, nowhere.err.count("\n")) == (1, 1)
    done = call(capsys, "transfer", "HAWB000000001", "--office", "FRLYS1", *BY)
    assert (done.code, done.out) == (0, "HAWB000000001 belongs to FRLYS1 from now on\n")
    with desk.journal.store.reading() as connection:
        assert set(connection.execute(sa.select(DECLARATIONS.c.office)).scalars()) == {"FRLYS1"}
        assert connection.execute(sa.select(TRANSFERS.c.by, TRANSFERS.c.reason)).one() == ("ana", "it landed there")
    desk.journal.store.close()
