"""Search over a record of two offices, on both databases: who types a key sees all of it that is his to see."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from features.fault import Fault
from features.hashes import hashes_of
from features.moments import micros
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import ingest_manifest
from service.api.bodies import rows_of
from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.journal import Journal
from service.officers.cases import Detained, detain
from service.officers.search import COUNTED, Asked, Found, search
from service.orientation.track_conditions import Tracks
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.parties.watch_lists import import_list
from service.record import search_index
from service.record.audit_log import Entry, append
from service.record.ownership import INSTALLATION, Sender
from service.record.postings import MASK, PACKED
from service.record.search_index import (
    catch_up,
    catch_up_beside_calls,
    lacks_archived,
    take_in_archived,
    values_of,
    waiting,
)
from service.record.search_keys import key_of
from service.record.transfers import Transfer, pass_on
from service.scoring import Model
from service.store.bulk_rows import delete_rows
from service.store.database import Store
from service.store.tables import POSTINGS, SEARCHED
from service.targeting import Desk, target
from tests.service.building import NOON, body, consignments, declared, message
from tests.service.quick import desk_of

PARCELS = 25
HERE, THERE = Sender("ana", ("FRCDG1",)), Sender("luc", ("FRLYS1",))
ACTOR: dict[str, Any] = {
    "consignor": {"name": "Kexin Starlight", "address": "12 Second Road", "city": "Yiwu", "country": "CN",
                  "phone": "+86 135 1234 0987", "email": "kexin.starlight@shops.example", "id": "CN91330782MA2E"},
    "consignee": {"name": "Kevin Lemaire", "address": "181 rue du Port", "city": "Roubaix", "postcode": "59100",
                  "country": "FR", "phone": "06 39 98 12 34", "email": "kevin.lemaire@inbox.example"},
    "seller_account": "starlight_77", "seller_url": "https://starlight-kicks.example/p/1", "platform": "Zeebay",
}  # fmt: skip
KEYS = [
    ("0639981234", "telephone"), ("+86 135 1234 0987", "telephone"), ("KEVIN.LEMAIRE@inbox.example", "mailbox"),
    ("Lemaire, Kévin", "name"), ("181 rue du Port, Roubaix", "address"), ("Starlight 77", "account"),
    ("starlight-kicks.example", "shop"), ("KX-7781", "product"), ("sneakers replica", "product"),
    ("CN 91330782MA2E", "number"), ("HAWB0000005*", "consignment"), ("M-actor", "message"),
]  # fmt: skip


def goods(serial: int, description: str = "sneakers replica KX 7781") -> list[dict[str, Any]]:
    code = f"https://id.gs1.org/01/09506000134352/21/S{serial:05d}"
    return [{**declared()["goods"][0], "description": description, "product_code": code}]


@pytest.fixture
def live(either_store: Store, model: Model, tmp_path: Path) -> Desk:
    """A desk that links, with the parcels of an actor among those of strangers, and some of another office's."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    journal = Journal(either_store, switch)
    desk = replace(
        desk_of(either_store, model),
        journal=journal,
        history=journal.history,
        parties=StoredParties(either_store, switch),
    )
    strangers = [
        declared(n, consignor={"name": f"Stranger {n} Trading", "country": "CN", "phone": f"+86 139 0000 {n:04d}"})
        for n in range(1, 30)
    ]
    target(message(*strangers, message_id="M-strangers"), desk)
    actor = [declared(500 + n, **ACTOR, goods=goods(n)) for n in range(PARCELS)]
    target(message(*actor, message_id="M-actor"), desk)
    others = [declared(900 + n, **ACTOR, goods=goods(900 + n), office="FRLYS1") for n in range(3)]
    target(message(*others, message_id="M-others"), desk)
    catch_up(either_store)
    return desk


def numbers(found: Found) -> set[str]:
    return {one["consignment_id"] for one in found.consignments}


def find(desk: Desk, key: str, *kinds: str, reader: Sender = HERE, **page: int) -> Found:
    return search(desk.journal.store, Asked(key, kinds, **page), reader)


PLANTED = {f"HAWB{500 + n:09d}" for n in range(PARCELS)}
ELSEWHERE = {f"HAWB{900 + n:09d}" for n in range(3)}


def test_each_kind_of_key_finds_every_parcel_and_nothing_of_another_office(live: Desk) -> None:
    for key, kind in KEYS:
        for kinds in ((), (kind,)):
            found = find(live, key, *kinds, at_most=100)
            assert numbers(found) == PLANTED, (key, kinds)
            assert (found.total, found.more, found.waiting) == (PARCELS, False, 0)
            assert all(kind in one["by"] for one in found.consignments), (key, kinds)
    (serial,) = find(live, "S00007", "serial").consignments
    assert (serial["consignment_id"], serial["by"]) == ("HAWB000000507", ["serial"])


def test_whoever_is_for_all_offices_sees_all_and_another_office_its_parcels(live: Desk) -> None:
    everywhere = [one for one in KEYS if one[1] not in ("consignment", "message")]
    for key, _ in everywhere:
        assert numbers(find(live, key, reader=INSTALLATION, at_most=100)) == PLANTED | ELSEWHERE
        there = find(live, key, reader=THERE)
        assert (numbers(there), there.total) == (ELSEWHERE, 3)
        nowhere = find(live, key, reader=Sender("eve", ("FRORY1",)))
        assert nowhere == Found(0, False)


def test_what_is_found_leads_on_to_parties_networks_and_shops(live: Desk) -> None:
    found = find(live, "kevin.lemaire@inbox.example")
    (party,), (network,), (shop,) = found.parties, found.networks, found.shops
    assert (party["sender"], party["consignments"]) == ("Kexin Starlight", PARCELS)
    assert shop == {"platform": "Zeebay", "seller_account": "starlight_77",
                    "seller_url": ACTOR["seller_url"], "consignments": PARCELS}  # fmt: skip
    for code in (party["party_id"], network["network_id"], party["party_id"].lower()):
        assert numbers(find(live, code, at_most=100)) == PLANTED
    row = found.consignments[0]
    assert (row["sender"], row["addressee"], row["office"]) == ("Kexin Starlight", "Kevin Lemaire", "FRCDG1")
    assert row["goods"] == "sneakers replica KX 7781"
    assert row["clearance"] in ("green", "yellow", "red", "blue")
    assert find(live, party["party_id"], reader=Sender("eve", ("FRORY1",))).total == 0


def test_pages_are_whole_and_the_newest_comes_first(live: Desk) -> None:
    pages = [find(live, "KX7781", beyond=beyond, at_most=10).consignments for beyond in (0, 10, 20)]
    listed = [one["consignment_id"] for page in pages for one in page]
    assert [len(page) for page in pages] == [10, 10, 5]
    assert listed == sorted(PLANTED, reverse=True)
    assert find(live, "KX7781", beyond=30).consignments == []


def test_of_very_many_the_newest_are_counted(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.officers.search.COUNTED", 20)
    found = find(live, "KX7781", at_most=10)
    assert (found.total, found.more, len(found.consignments)) == (20, True, 10)
    assert COUNTED == 1_000


def test_lists_and_cases_are_found(live: Desk) -> None:
    store = live.journal.store
    content = b"id,schema,name,country,phone\n1,Person,Kevin Lemaire,FR,+33639981234\n2,Person,Jo Doe Else,FR,\n"
    import_list(store, "fake-stamps", content, source="unit 7", by="ada", at=micros(NOON))
    for key in ("06 39 98 12 34", "kevin lemaire", "Lemaire Kevin"):
        (entry,) = find(live, key).lists
        assert (entry["list"], entry["label"], entry["source"]) == ("fake-stamps", "Kevin Lemaire", "unit 7")
    for key in ("fake-stamps", "FAKE*"):
        assert [one["list"] for one in find(live, key, "list").lists] == ["fake-stamps"]
    assert find(live, "kevin lemoine").lists == []
    for number in ("HAWB000000503", "HAWB000000901"):
        detain(live.journal, Detained(number, NOON + timedelta(days=2), "o-7", "FR", "Maison"), Tracks())
    (case,) = find(live, "KX7781").cases
    assert (case["consignment_id"], case["open"], case["right_holder"]) == ("HAWB000000503", True, "Maison")
    assert numbers(find(live, "HAWB*", "case", reader=INSTALLATION)) == {"HAWB000000503", "HAWB000000901"}
    assert numbers(find(live, "hawb 000000503", "case")) == {"HAWB000000503"}
    assert find(live, "HAWB000000901").total == 0


def test_an_amendment_adds_and_a_transfer_hides(live: Desk) -> None:
    store = live.journal.store
    changed = declared(500, version=2, **(ACTOR | {"seller_account": "moonlight_9"}), goods=goods(0))
    target(message(changed, message_id="M-again"), live)
    assert waiting(store) > 0
    assert find(live, "moonlight 9").waiting == 1
    catch_up(store)
    assert numbers(find(live, "moonlight 9")) == {"HAWB000000500"}
    assert len(numbers(find(live, "starlight 77", at_most=100))) == PARCELS  # it was declared once
    passed = Transfer("HAWB000000500", "FRLYS1", None, "ana", "it goes on")
    store.write(lambda connection: pass_on(connection, passed, micros(NOON)))
    assert numbers(find(live, "moonlight 9")) == set()
    assert numbers(find(live, "moonlight 9", reader=THERE)) == {"HAWB000000500"}


def test_what_is_not_in_the_index_yet_is_found_by_its_number(live: Desk) -> None:
    target(message(declared(77), message_id="M-late"), live)
    found = find(live, "hawb000000077")
    assert (numbers(found), found.consignments[0]["by"]) == ({"HAWB000000077"}, ["consignment"])
    assert find(live, "hawb000000077", reader=THERE).total == 0


def test_what_was_erased_is_found_no_more_and_leaves_no_key(live: Desk) -> None:
    store = live.journal.store
    with store.reading() as connection:
        gone = connection.execute(
            sa.select(SEARCHED.c.number).where(SEARCHED.c.consignment_id == "HAWB000000500")
        ).scalar_one()
    erase(store, ["HAWB000000500"], "dpo", "asked for", NOON)
    for key, kind in KEYS:
        if kind != "message":  # that there was one, and in which message, stays on record
            assert "HAWB000000500" not in numbers(find(live, key, at_most=100)), key
    (row,) = find(live, "HAWB000000500").consignments
    assert (row["sender"], row["addressee"], row["goods"]) == (None, None, "")
    with store.reading() as connection:
        contents = connection.execute(sa.select(POSTINGS.c.content)).scalars().all()
    held = np.concatenate([np.frombuffer(content, PACKED) for content in contents])
    assert gone not in held["number"].tolist()


def test_no_key_stands_in_the_store_as_anybody_could_guess_it(live: Desk) -> None:
    """The same keys under another key of the installation are other hashes."""
    pseudonyms = live.journal.store.pseudonyms
    keys = [key_of("telephone", "+33639981234")]
    plain = hashes_of(keys).view(np.uint64) & np.uint64(MASK)
    assert values_of(keys, pseudonyms) != plain


@pytest.mark.parametrize(
    ("asked", "says"),
    [(Asked(""), "key: type"), (Asked("x" * 201), "key: type"), (Asked("\x00 \n"), "key: type"),
     (Asked("ab*"), "key: give at least"), (Asked("hello", ("telephone",)), "key: cannot be read as telephone"),
     (Asked("hello", ("colour",)), "kind: give consignment"), (Asked("hello", (), COUNTED), "beyond: the newest"),
     (Asked("hello", (), 0, 0), "at_most: from 1")],
)  # fmt: skip
def test_what_cannot_be_searched_names_field_and_remedy(store: Store, asked: Asked, says: str) -> None:
    with pytest.raises(Fault, match=says) as fault:
        search(store, asked, INSTALLATION)
    assert "hello" not in str(fault.value)


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "old.csv"
    old = [declared(700 + n, **ACTOR, goods=goods(700 + n)) for n in range(4)]
    rows, _ = rows_of(body(*old, message_id="M-old"))
    rows.frame.drop("line").write_csv(path)
    return path


@pytest.fixture
def ingested(store: Store, tmp_path: Path, manifest: Path) -> Store:
    ingest_manifest(manifest, Archive(tmp_path / "archive"), Journal(store))
    return store


def test_what_was_ingested_is_found_too_and_told_apart(ingested: Store) -> None:
    found = search(ingested, Asked("0639981234"), HERE)
    assert (found.total, {one["archived"] for one in found.consignments}) == (4, {True})
    assert not lacks_archived(ingested)
    assert search(ingested, Asked("HAWB0000007*"), THERE).total == 0


def test_a_store_without_its_index_is_filled_from_the_archive_but_for_what_was_erased(
    ingested: Store, tmp_path: Path
) -> None:
    """As after an upgrade; a second time nothing changes."""
    archived = Archive(tmp_path / "archive").consignments()
    erase(ingested, ["HAWB000000702"], "dpo", "asked for", NOON)
    with ingested.writing() as connection:
        delete_rows(connection, POSTINGS)
        delete_rows(connection, SEARCHED)
    assert lacks_archived(ingested)
    for _ in range(2):
        take_in_archived(ingested, archived)
        found = search(ingested, Asked("0639981234"), HERE)
        assert numbers(found) == {"HAWB000000700", "HAWB000000701", "HAWB000000703"}
    assert not lacks_archived(ingested)


def test_it_goes_on_where_it_was_ended_in_the_middle(live: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a batch adds and how far it came are one transaction."""
    store = live.journal.store
    target(message(*(declared(800 + n, **ACTOR, goods=goods(n)) for n in range(6)), message_id="M-more"), live)
    taken, done = search_index.take_in, []

    def ends(connection: sa.Connection, rows: Any) -> None:
        taken(connection, rows)
        done.append(len(rows))
        if len(done) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(search_index, "take_in", ends)
    with pytest.raises(KeyboardInterrupt):
        catch_up(store, at_once=2)
    assert find(live, "KX7781").total == PARCELS + 2
    catch_up(store)
    assert find(live, "KX7781").total == PARCELS + 6
    assert waiting(store) == 0


def test_verification_holds_over_the_index(live: Desk, tmp_path: Path) -> None:
    store = live.journal.store
    assert verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").holds
    with store.engine.begin() as connection:
        connection.execute(sa.update(POSTINGS).values(content=b""))
    assert any(
        "postings" in fault for fault in verify_record(store, tmp_path / "checkpoints", tmp_path / "keys").faults
    )


def test_consignments_of_a_message_are_taken_in_as_declared(live: Desk) -> None:
    of_message = consignments(message(declared(501, **ACTOR, goods=goods(1)), message_id="M-actor"))
    before = numbers(find(live, "KX7781", at_most=100))
    take_in_archived(live.journal.store, of_message)
    assert numbers(find(live, "KX7781", at_most=100)) == before


def note_entries(store: Store, numbers: Iterable[int]) -> None:
    """Let the audit log grow by entries that search has nothing to do with."""
    with store.writing() as connection:
        for number in numbers:
            append(connection, [Entry("access", f"A{number}", "noted")], number)


def test_beside_calls_it_is_done_in_small_steps_and_left_to_whoever_is_at_it(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert waiting(store) == 0
    note_entries(store, range(1, 121))
    steps, write = list[object](), store.write

    def counted(work: Any) -> Any:
        steps.append(work)
        return write(work)

    monkeypatch.setattr(store, "write", counted)
    monkeypatch.setattr("service.record.search_index.time.sleep", lambda _: catch_up(store, 1))
    assert catch_up_beside_calls(store) == 0  # another was at it meanwhile
    assert waiting(store) == 0
    note_entries(store, range(121, 241))
    steps.clear()
    monkeypatch.setattr("service.record.search_index.time.sleep", lambda _: None)
    assert catch_up_beside_calls(store) == 120
    assert len(steps) == 3
    assert waiting(store) == 0
