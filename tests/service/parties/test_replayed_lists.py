"""A replay of the past screens addressees by the lists of their time, as the desk did."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from features.moments import micros
from features.parties import Linked
from features.parties.graph import Graph
from features.parties.list_match import MATCHED
from pipelines.backtest.replay_desk import Past
from pipelines.batch.archive import Archive
from service.parties.replayed_lists import ReplayedLists, ScreenedInReplay
from service.parties.watch_lists import addressees_ever, import_list, listed_ever
from service.store.database import Store
from tests.service.building import NOON, consignments, declared, message

KEVIN = {
    "name": "Kévin Lemaire", "phone": "+33 6 12 47 83 59", "country": "FR", "address": "14 rue des Tisserands",
    "city": "Roubaix", "postcode": "59100",
}  # fmt: skip
LISTED_AT = NOON + timedelta(days=1)
DOSSIER = b'name,phone,address,country\nKevin Lemaire,+33612478359,"14 rue des Tisserands, 59100 Roubaix",FR\n'


@pytest.fixture
def lists(store: Store, tmp_path: Path) -> ReplayedLists:
    """What one dossier said, as `tamis train` keeps it beside the archive."""
    import_list(store, "dossier-1", DOSSIER, source="t", by="ana", at=micros(LISTED_AT))
    archive = Archive(tmp_path / "archive", linking=True)
    archive.keep_listed(listed_ever(store))
    archive.keep_addressed(addressees_ever(store))
    return archive.lists()


def matches(parties: ScreenedInReplay, number: int, consignee: dict[str, str], at: datetime) -> list[str]:
    linked = parties.link(consignments(message(declared(number, consignee=consignee, lodged_at=at))))
    return list(linked.declared.values(MATCHED)[0] or ())


def test_a_list_counts_from_its_activation_on_and_for_nobody_else(lists: ReplayedLists) -> None:
    parties = ScreenedInReplay(Graph(), lists)
    assert matches(parties, 1, KEVIN, NOON) == []
    after = LISTED_AT + timedelta(hours=1)
    assert matches(parties, 2, KEVIN, after) == ["consignee|conclusive|telephone,name,house,postcode|dossier-1"]
    neighbour = KEVIN | {"name": "Paul Martin", "phone": "+33 6 98 76 54 32"}
    assert matches(parties, 3, neighbour, after + timedelta(hours=1)) == []


def test_the_telephone_of_a_pick_up_point_makes_nobody_the_subject(lists: ReplayedLists) -> None:
    parties = ScreenedInReplay(Graph(), lists)
    found = []
    for number, name in enumerate(("Anna", "Bruno", "Chloe", "David", "Elise", "Felix", "Gilles", "Hugo", "Ines")):
        stranger = {
            "name": f"{name} Durand{number}",
            "phone": KEVIN["phone"],
            "country": "FR",
            "postcode": f"6900{number}",
        }
        found += [matches(parties, number, stranger, LISTED_AT + timedelta(hours=1 + number))]
    assert found[0] == ["consignee|conclusive|telephone|dossier-1"]
    assert found[-1] == ["consignee|possible|telephone|dossier-1"]


def test_a_replay_has_the_lists_of_its_archive_and_a_world_has_none(lists: ReplayedLists) -> None:
    assert isinstance(Past(lists=lists).parties, ScreenedInReplay)
    assert type(Past().parties) is Linked
    assert Past(lists=lists).archive.meanwhile()._waiting, "what a model of the replay learns from knows them too"
