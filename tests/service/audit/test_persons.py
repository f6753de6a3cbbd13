"""What is on record of a person, asked and erased by what it states of itself; of a namesake, nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.audit.persons import forget_addressee, on_record
from service.desk import Desk
from service.journal import Journal
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.parties.watch_lists import import_list
from service.store.tables import ADDRESSEE_CARDS
from service.targeting import target
from tests.service.building import NOON, declared, message

MARIE = {
    "name": "Marie Durand", "address": "3 rue de la Paix", "city": "Paris", "postcode": "75002", "country": "FR",
    "phone": "+33 6 12 47 83 59",
}  # fmt: skip
NAMESAKE = MARIE | {
    "address": "18 quai de Rive Neuve",
    "city": "Marseille",
    "postcode": "13001",
    "phone": "+33698765432",
}
HOME = {name: MARIE[name] for name in ("name", "address", "city", "postcode", "country")}


@pytest.fixture
def live(desk: Desk, tmp_path: Path) -> Desk:
    """A desk that links addressees, with one parcel to a person, one to a namesake, and a list that names the first."""
    switches = LinkingSwitch(tmp_path / "linking.json"), LinkingSwitch(tmp_path / "addressees.json")
    for switch in switches:
        switch.turn_on("tests", "nobody here exists", NOON)
    store = desk.journal.store
    opened = replace(desk, parties=StoredParties(store, *switches), journal=Journal(store, *switches))
    for number, consignee in ((1, MARIE), (2, NAMESAKE)):
        target(message(declared(number, consignee=consignee), message_id=f"M{number}"), opened)
    listed = f"name,phone,country\nMarie Durand,{MARIE['phone']},FR\n".encode()
    import_list(store, "dossier-5", listed, source="t", by="ana", at=micros(NOON + timedelta(hours=1)))
    return opened


@pytest.mark.parametrize("person", [HOME, {"phone": "06 12 47 83 59", "country": "FR"}], ids=["house", "telephone"])
def test_a_person_is_answered_by_what_it_states(live: Desk, person: dict[str, str]) -> None:
    found = on_record(live.journal.store, person)
    assert found.consignments == ["HAWB000000001"]
    assert len(found.addressees) == 1
    assert (found.senders, found.lists) == ([], ["dossier-5"] if "phone" in person else [])


@pytest.mark.parametrize("person", [{"name": "Marie Durand", "country": "FR"}, {"wrong": "x"}, {}])
def test_a_name_alone_is_a_namesakes(live: Desk, person: dict[str, str]) -> None:
    with pytest.raises(Fault, match="person:"):
        on_record(live.journal.store, person)


def test_the_persons_parties_are_forgotten_and_the_namesakes_are_not(live: Desk) -> None:
    store = live.journal.store
    assert forget_addressee(store, HOME) == 1
    assert on_record(store, HOME).addressees == []
    with store.reading() as connection:
        left = connection.execute(sa.select(sa.func.count()).where(~ADDRESSEE_CARDS.c.listed)).scalar_one()
    assert left == 1
