"""`tamis link --addressees`: a switch of its own, with a name and a legal basis, that deletes what was linked."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from pipelines.batch.archive import Archive
from service.desk import open_desk
from service.parties.graph_queries import ADDRESSEES, SENDERS
from service.settings import Settings
from service.store.database import open_store
from service.targeting import target
from tests.pipelines.commands.calling import call, line_of
from tests.service.building import declared, message
from tests.service.quick import quick_home

BY = ("--by", "A. Martin", "--basis", "nobody here exists")
ONE = {"name": "Camille Kaczmarek", "address": "9 impasse Axolotl", "postcode": "87000", "country": "FR",
       "phone": "+33 6 71 83 94 25"}  # fmt: skip
OTHER = {**ONE, "name": "Odile Kaczmarek", "postcode": "75013", "address": "4 rue Neuve"}


def cards(settings: Settings) -> tuple[int, int]:
    """How many parties stand in the graph of addressees, and in that of senders."""
    store = open_store(settings)
    with store.reading() as connection:
        counts = [
            connection.execute(sa.select(sa.func.count()).select_from(side.cards)).scalar_one()
            for side in (ADDRESSEES, SENDERS)
        ]
    store.close()
    return counts[0], counts[1]


def test_addressees_have_a_switch_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=quick_home(tmp_path / "home"))
    monkeypatch.setenv("TAMIS_HOME", str(settings.home))
    off = call(capsys, "link", "--addressees")
    assert (off.code, line_of(off).split(";")[0]) == (1, "tamis: linking of addressees is off")
    desk = open_desk(settings)
    target(message(declared(1, consignee=ONE), declared(2, consignee=OTHER)), desk)
    desk.journal.store.close()
    assert cards(settings) == (0, 0)
    nobody = call(capsys, "link", "--on", "--addressees", "--by", "A. Martin")
    assert nobody.code != 0
    on = call(capsys, "link", "--on", "--addressees", *BY)
    assert (on.code, on.out.split(";")[:2]) == (
        0, ["2 addressees as declared on 2 consignments", " 1 pairs are linked"],
    )  # fmt: skip
    assert cards(settings) == (2, 0)
    assert len(Archive(settings.archive).consignments()) == 2
    desk = open_desk(settings)
    target(
        message(declared(3, consignee={**ONE, "name": "A. Third", "phone": "+33 6 00 11 22 33"}), message_id="M2"), desk
    )
    desk.journal.store.close()
    assert cards(settings) == (3, 0)
    assert call(capsys, "link", "--off", "--addressees").code == 0
    assert cards(settings) == (0, 0)
