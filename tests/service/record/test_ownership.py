"""Whose a consignment is: who lodged it first, who amends it, what passes on, and what is reported before it comes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features.fault import Fault
from features.messages import Message
from features.messages.formats import read_content
from service.audit.verify import verify_record
from service.calls.call_queue import CallQueue
from service.calls.versioning import message_of, receptacle_assignments
from service.desk import desk_for
from service.journal import Journal
from service.officers.offices import transfer
from service.officers.queue import queue
from service.orientation import Decisions
from service.record.ownership import INSTALLATION, OfAnother, Sender, offices_on
from service.record.transfers import Transfer
from service.store.database import Store
from service.store.tables import DECLARATIONS, EARLY_RESULTS, OUTCOMES, TRANSFERS
from service.targeting import Desk, target
from tests.features.messages.parcels import ITEM, PREDES
from tests.service.building import EVERYTHING_RED, NOON, declared, message, outcome, results
from tests.service.quick import desk_of
from tests.writers import as_postal_json

PARIS, LYON = "FRCDG1", "FRLYS1"
POST, CARRIER = Sender("post", (PARIS,)), Sender("carrier", (LYON,))
RIVAL = Sender("rival", (PARIS,))  # another key of the same office
BOTH = Sender("operator", (PARIS, LYON))
ID = "HAWB000000001"


@pytest.fixture
def desk(model: Any, either_store: Store) -> Desk:
    """A desk over each kind of database that opens everything."""
    return desk_of(either_store, model, EVERYTHING_RED)


def lodge(desk: Desk, sender: Sender, message_id: str = "M1", **stated: Any) -> Decisions:
    return target(message(declared(1, **stated), message_id=message_id), desk_for(desk, sender))


def owners(store: Store, consignment_id: str = ID) -> set[tuple[str | None, str | None]]:
    """Office and sender of all parts of a consignment."""
    parts = sa.select(DECLARATIONS.c.office, DECLARATIONS.c.sender).where(
        DECLARATIONS.c.consignment_id == consignment_id
    )
    with store.reading() as connection:
        return {tuple(row) for row in connection.execute(parts)}


def waiting(store: Store, office: str) -> list[str]:
    return [one["consignment_id"] for one in queue(store, office, "clearance", NOON.date())]


def holds(store: Store, folder: Path) -> list[str]:
    return verify_record(store, folder, folder).faults


def test_it_belongs_to_the_office_and_the_caller_that_lodged_it_first(
    desk: Desk, either_store: Store, tmp_path: Path
) -> None:
    first = lodge(desk, POST)
    for other, stated in (
        (CARRIER, {"office": LYON}), (CARRIER, {"office": None}), (RIVAL, {}),
        (Sender("national", ("*",)), {"office": LYON}), (POST, {"office": LYON}),
    ):  # fmt: skip
        for message_id in ("M1", "M2"):
            with pytest.raises(OfAnother) as refused:
                lodge(desk, other, message_id, version=2, **stated)
            assert refused.value.consignment_ids == [ID]
    assert owners(either_store) == {(PARIS, "post")}
    again = lodge(desk, POST)
    assert (again.replayed, again.rows[0]["decision_id"]) == (True, first.rows[0]["decision_id"])
    lodge(desk, POST, "M2", version=2, office=None)
    assert owners(either_store) == {(PARIS, "post")}
    assert (waiting(either_store, PARIS), waiting(either_store, "unknown")) == ([ID], [])
    lodge(desk, INSTALLATION, "M3", version=3)
    assert owners(either_store) == {(PARIS, "post")}
    assert holds(either_store, tmp_path) == []


def test_what_names_no_office_belongs_to_the_first_that_is_named(
    desk: Desk, either_store: Store, tmp_path: Path
) -> None:
    lodge(desk, BOTH, office=None)
    assert (owners(either_store), waiting(either_store, "unknown")) == ({(None, "operator")}, [ID])
    lodge(desk, BOTH, "M2", version=2, office=None)
    lodge(desk, BOTH, "M3", version=3, office=LYON)
    assert owners(either_store) == {(LYON, "operator")}
    assert (waiting(either_store, LYON), waiting(either_store, "unknown")) == ([ID], [])
    assert holds(either_store, tmp_path) == []


def test_the_same_message_is_not_another_callers(desk: Desk, either_store: Store) -> None:
    lodge(desk, POST)
    with pytest.raises(OfAnother):
        target(message(declared(2, office=LYON)), desk_for(desk, CARRIER))
    assert owners(either_store, "HAWB000000002") == set()
    target(message(declared(2)), desk_for(desk, POST))
    assert owners(either_store, "HAWB000000002") == {(PARIS, "post")}


def test_where_the_caller_is_not_known_the_office_decides(desk: Desk, either_store: Store) -> None:
    lodge(desk, INSTALLATION)
    assert owners(either_store) == {(PARIS, None)}
    with pytest.raises(OfAnother):
        lodge(desk, CARRIER, "M2", version=2, office=None)
    lodge(desk, POST, "M2", version=2)
    assert owners(either_store) == {(PARIS, None)}


def test_its_sender_passes_it_to_another_of_his_offices_by_an_amendment(
    desk: Desk, either_store: Store, tmp_path: Path
) -> None:
    lodge(desk, BOTH)
    lodge(desk, BOTH, "M2", version=3, office=LYON)
    lodge(desk, BOTH, "M3", version=2, office=PARIS)  # a late one moves nothing back
    assert owners(either_store) == {(LYON, "operator")}
    with either_store.reading() as connection:
        passed, stays = connection.execute(sa.select(TRANSFERS).order_by(TRANSFERS.c.transfer_id)).mappings()
    assert (stays["from_office"], stays["office"]) == (LYON, LYON)
    assert (passed["from_office"], passed["office"], passed["by"]) == (PARIS, LYON, "operator")
    assert (waiting(either_store, PARIS), waiting(either_store, LYON)) == ([], [ID])
    assert holds(either_store, tmp_path) == []


def test_a_transfer_passes_all_parts_on_and_stands_on_the_log(desk: Desk, either_store: Store, tmp_path: Path) -> None:
    lodge(desk, POST)
    given = Transfer(ID, LYON, "carrier", "ana", "it landed there")

    def pass_it(giver: Sender, one: Transfer, *known: str) -> None:
        transfer(either_store, one, giver, known, NOON)

    for giver, one, known, why in (
        (CARRIER, given, [LYON], "no such consignment"), (POST, replace(given, consignment_id="X"), [LYON], "no such"),
        (POST, given, [], "office: name one"), (POST, replace(given, office="*"), ["*"], "office: name one"),
        (POST, replace(given, reason=" "), [LYON], "reason"), (POST, replace(given, by=""), [LYON], "by"),
    ):  # fmt: skip
        with pytest.raises(Fault, match=why):
            pass_it(giver, one, *known)
    assert waiting(either_store, PARIS) == [ID]
    pass_it(POST, given, LYON)
    assert owners(either_store) == {(LYON, "carrier")}
    assert (waiting(either_store, PARIS), waiting(either_store, LYON)) == ([], [ID])
    with pytest.raises(OfAnother):
        lodge(desk, POST, "M2", version=2)
    lodge(desk, CARRIER, "M2", version=2, office=LYON)
    assert holds(either_store, tmp_path) == []
    pass_it(CARRIER, replace(given, office=PARIS, sender=None), PARIS)
    assert (waiting(either_store, PARIS), waiting(either_store, LYON)) == ([ID], [])
    assert holds(either_store, tmp_path) == []


@pytest.mark.parametrize("change", [{"office": LYON}, {"office": None}, {"sender": "carrier"}, {"sender": None}])
def test_whose_it_is_cannot_be_changed_behind_the_log(
    desk: Desk, either_store: Store, tmp_path: Path, change: dict[str, Any]
) -> None:
    lodge(desk, POST)
    assert holds(either_store, tmp_path) == []
    with either_store.writing() as connection:
        connection.execute(sa.update(DECLARATIONS).values(change))
    faults = holds(either_store, tmp_path)
    assert any("whose its consignment is was changed" in fault for fault in faults)


def test_a_part_of_another_office_hides_the_whole(desk: Desk, either_store: Store) -> None:
    """As stores hold it in which anybody could amend anything: the newest decision is not all of it."""
    lodge(desk, POST)
    lodge(desk, POST, "M2", version=2)
    with either_store.writing() as connection:
        newest = sa.update(DECLARATIONS).where(DECLARATIONS.c.version == 2)
        connection.execute(newest.values(office=LYON, sender=None))
        assert offices_on(connection, [ID, "none"]) == {ID: {PARIS, LYON}}
    with pytest.raises(OfAnother):
        desk.journal.sent_by(POST).learn(results(outcome(1)))
    with pytest.raises(OfAnother):
        lodge(desk, CARRIER, "M3", version=3, office=LYON)


def test_a_result_before_lodging_is_its_senders_until_one_of_his_offices_lodges_it(
    desk: Desk, either_store: Store, tmp_path: Path
) -> None:
    early = results(outcome(1, known_at=NOON + timedelta(hours=1), result="compliant"))
    for sender in (POST, CARRIER):
        journal = desk.journal.sent_by(sender)
        assert [vars_of(journal, early) for _ in range(2)] == [(1, 0, 1), (0, 1, 0)]
    lodge(desk, CARRIER, office=LYON)
    with either_store.reading() as connection:
        found = connection.execute(sa.select(EARLY_RESULTS.c.sender, EARLY_RESULTS.c.taken))
        taken = {row.sender: row.taken for row in found}
        counted = connection.execute(sa.select(OUTCOMES.c.posted)).scalars().all()
    assert (taken, counted) == ({"post": False, "carrier": True}, [True])
    assert holds(either_store, tmp_path) == []


def vars_of(journal: Journal, found: Any) -> tuple[int, int, int]:
    received = journal.learn(found)
    return received.recorded, received.repeated, received.unknown


def test_a_result_before_lodging_closes_no_parcel_of_another_office(desk: Desk, either_store: Store) -> None:
    desk.journal.sent_by(CARRIER).learn(results(outcome(1, result="compliant")))
    lodge(desk, POST)
    assert waiting(either_store, PARIS) == [ID]
    desk.journal.learn(results(outcome(1, result="compliant")))  # the same result, of the installation
    assert waiting(either_store, PARIS) == []


Sent = tuple[Sender, Message]


def together(desk: Desk, sent: Sequence[Sent]) -> list[Any]:
    """What each of some calls gets that come at the same time, or its fault."""
    calls = CallQueue()
    futures = [calls.decide(one, desk, sender) for sender, one in sent]
    given = [future.exception(60) or future.result(60) for future in futures]
    calls.close()
    return given


def numbers(decided: Decisions) -> list[str]:
    return [row["consignment_id"] for row in decided.rows]


def test_calls_of_several_callers_come_at_once_and_each_keeps_its_own(desk: Desk, either_store: Store) -> None:
    lodge(desk, POST, "M0")
    sent = [
        (POST, message(declared(2), message_id="M2")),
        (CARRIER, message(declared(1, version=2, office=LYON), message_id="M4")),
        (CARRIER, message(declared(3, office=LYON), message_id="M3")),
    ]
    first, foreign, last = together(desk, sent)
    assert isinstance(foreign, OfAnother)
    assert (numbers(first), numbers(last)) == (["HAWB000000002"], ["HAWB000000003"])
    owned = [owners(either_store, f"HAWB{n:09d}") for n in (1, 2, 3)]
    assert owned == [{(PARIS, "post")}, {(PARIS, "post")}, {(LYON, "carrier")}]


def test_one_version_named_in_two_ways_does_not_shift_what_other_callers_get(desk: Desk, either_store: Store) -> None:
    twice = [declared(4, version=version) for version in ("1", "01")]
    twice[1]["goods"] = [{**twice[1]["goods"][0], "line_no": 2}]
    sent = [
        (POST, message(*twice, message_id="M4")),
        (RIVAL, message(declared(5), message_id="M5")),
        (POST, message(declared(6), message_id="M6")),
    ]
    given = together(desk, sent)
    assert [numbers(decided) for decided in given] == [["HAWB000000004"], ["HAWB000000005"], ["HAWB000000006"]]
    owned = [owners(either_store, f"HAWB{n:09d}") for n in (4, 5, 6)]
    assert owned == [{(PARIS, "post")}, {(PARIS, "rival")}, {(PARIS, "post")}]


def test_a_dispatch_list_stows_the_items_of_its_own_sender(either_store: Store) -> None:
    listed = read_content(json.dumps(PREDES).encode(), "message")
    elsewhere = json.dumps(PREDES).replace("CNPVGAFRCDGAAUN", "CNPVGAFRLYSAAUN").encode()
    receptacle_assignments(listed, either_store, NOON, POST)
    receptacle_assignments(read_content(elsewhere, "message"), either_store, NOON + timedelta(hours=1), CARRIER)
    item = {name: value for name, value in ITEM.items() if name != "transport_id"}
    raw = read_content(as_postal_json([item], "I1", NOON.isoformat()), "message")

    def stowed(sender: Sender) -> str | None:
        in_it: str | None = message_of(raw, either_store, "x", NOON, sender=sender).table.series("transport_id")[0]
        return in_it

    assert stowed(POST) == "CNPVGAFRCDGAAUN12345678901234"
    assert stowed(CARRIER) == stowed(INSTALLATION) == "CNPVGAFRLYSAAUN12345678901234"
    assert stowed(RIVAL) is None
