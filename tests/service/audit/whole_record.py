"""A store with rows in every table, written by the functions that write them in a service."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from features.contract import gate_outcomes
from features.moments import micros
from features.outcome import OUTCOME_COLUMNS
from service.access.credentials import Denied
from service.access.directory import Access
from service.access.principal import Principal
from service.access.read_log import ReadLog
from service.api.bodies import outcome_rows
from service.audit.erasure import erase
from service.desk import Desk
from service.history.compaction import settle
from service.journal import Journal
from service.officers.assignments import take
from service.officers.cases import Detained, detain
from service.officers.investigations import Item, attach, open_investigation
from service.officers.list_views import keep_view
from service.officers.overrides import override_lane
from service.officers.proposals import propose
from service.officers.purchases import Order, arrive, order
from service.orientation.track_conditions import Tracks
from service.parties.linking_switch import LinkingSwitch
from service.parties.registered_serials import register, serials_in
from service.parties.stored_parties import StoredParties, judge
from service.parties.watch_lists import import_list
from service.record.ownership import INSTALLATION, Sender
from service.record.search_index import catch_up
from service.record.transfers import Transfer, pass_on
from service.store.bulk_rows import insert_many, insert_row
from service.store.database import Store
from service.store.settled_rows import declared_in, segments_listed
from service.store.tables import ADDRESSEE_HUBS, ADDRESSEE_PHONES, HUBS, PHONES, RECEPTACLES
from service.store.webhook_tables import UNDELIVERED
from service.targeting import target
from service.webhooks.directory import Webhooks
from tests.service.building import NOON, declared, message, outcome

LATER = NOON + timedelta(days=2)
SENDER = {"name": "Shenzhen Fine Goods Ltd", "address": "12 Second Road", "country": "CN", "phone": "+86 755 8200 4821"}
BUYER = {
    "name": "Marie Durand",
    "address": "3 rue de la Paix",
    "city": "Paris",
    "country": "FR",
    "email": "durand31x@mail.example",
}
SERIALS = b"product_code\nhttps://id.gs1.org/01/09506000134352/21/A1\n"


def fill(desk: Desk, store: Store, folder: Path) -> None:
    """Put rows in every table: three calls, results, officers' words, lists, accounts, keys, reads, settled history."""
    switch = LinkingSwitch(folder / "linking.json")
    switches = switch, LinkingSwitch(folder / "linking-addressees.json")
    for each in switches:
        each.turn_on("tests", "nobody here exists", NOON)
    journal = Journal(store, *switches)
    live = replace(desk, parties=StoredParties(store, *switches), journal=journal, history=journal.history)
    (first,) = target(message(declared(1, consignor=SENDER)), live).rows
    alike = SENDER | {"name": "Fine Goods of Shenzhen", "address": "4 First Road"}
    (second,) = target(message(declared(2, consignor=alike), message_id="M2"), live).rows
    target(message(declared(3, consignee=BUYER), message_id="M3"), live)
    target(message(declared(6, consignee=BUYER | {"name": "Paul Durand"}), message_id="M6"), live)
    target(message(declared(5, consignor=alike | {"name": "Goods, Fine"}), message_id="M5"), live)
    judge(store, first["party_id"], second["party_id"], False, "ana", "two firms", micros(NOON))
    _officers(journal, first["decision_id"])
    _lists(store)
    settle(store, everything=True)
    target(message(declared(4, consignor=SENDER), message_id="M4"), live)  # rows of history beside the settled ones
    _access(store)
    _large(live, store)
    catch_up(store)
    erase(store, ["HAWB000000003"], "A. Martin", "asked for", LATER)


def _large(desk: Desk, store: Store) -> None:
    """A message whose quiet decisions go to a file, and a result on one of them."""
    usual, store.records.at_least = store.records.at_least, 3
    alike: dict[str, Any] = {"consignor": SENDER, "office": "FRMRS1"}
    goods = [{"line_no": 1, "description": "gift", "value": 30.0, "currency": "EUR"}]  # which says nothing: it is asked
    vague = (declared(number, goods=goods, **alike) for number in range(241, 244))
    target(message(*(declared(number, **alike) for number in range(201, 241)), *vague, message_id="M7"), desk)
    store.records.at_least = usual
    with store.reading() as connection:
        (segment,) = segments_listed(connection)
        settled = declared_in(connection, segment)
    assert len(settled) > 1
    number = settled[0]["consignment_id"]
    told = dict.fromkeys(c.name for c in OUTCOME_COLUMNS) | outcome(1, result="compliant", consignment_id=number)
    desk.journal.learn(gate_outcomes(outcome_rows({"outcomes": [told]})[0]).accepted)


def _officers(journal: Journal, decision_id: str) -> None:
    store = journal.store
    result = dict.fromkeys(c.name for c in OUTCOME_COLUMNS) | outcome(1, officer="o-7")
    journal.learn(gate_outcomes(outcome_rows({"outcomes": [result]})[0]).accepted)
    detain(journal, Detained("HAWB000000001", LATER, "o-7", "FR", None), Tracks())
    override_lane(store, decision_id, "red", "ana", "seen before", LATER, "HAWB000000001")
    early = gate_outcomes(outcome_rows({"outcomes": [outcome(77)]})[0]).accepted
    journal.sent_by(Sender("clearing", ("FRCDG1",))).learn(early)  # of a consignment that is not lodged yet
    passed = Transfer("HAWB000000005", "FRORY1", None, "ana", "it goes on to Orly")
    store.write(lambda connection: pass_on(connection, passed, micros(LATER)))
    take(store, "HAWB000000001", "ana", LATER)
    placed = Order(
        {"url": "one-copy.example"}, "bag", {"name": "Ann Lee", "phone": "+33699887766"}, "FRCDG1", "o-7", NOON
    )
    arrive(store, order(store, placed).purchase_id, "HAWB000000001", LATER, "o-7")
    number = open_investigation(store, "shoes", [Item("consignment", "HAWB000000001")], INSTALLATION, "ana", LATER)
    attach(store, number, "answer.txt", "text/plain", b"it is he", INSTALLATION, "ana", LATER)
    propose(store, "promotion", "3", "it found more", "ana", NOON)


def _lists(store: Store) -> None:
    content = b"id,schema,name,country\n1,Company,Shady Ltd,CN\n"
    import_list(store, "watch", content, source="t", by="ada", at=1_000)
    register(store, serials_in(SERIALS), holder="Acme", by="ada", at=micros(NOON))
    lies_in = {"consignment_id": "HAWB000000001", "sender": "", "receptacle": "R1", "known_at": micros(NOON)}
    store.write(lambda connection: insert_many(connection, RECEPTACLES, [lies_in]))
    marks = [{"value": 12346, "own": True}]  # these two take hundreds of cards: written as a graph writes them
    for table, rows in ((HUBS, [{"value": 12345}]), (ADDRESSEE_HUBS, [{"value": 12345}]), (PHONES, marks),
                        (ADDRESSEE_PHONES, marks)):  # fmt: skip
        store.write(partial(insert_many, table=table, rows=rows))


def _access(store: Store) -> None:
    access = Access(store)
    token = access.invite("ada", "admin", ["*"], "set-up", NOON)
    access.accept(token, "ada", "a long enough password", "en", NOON)
    access.log_in("ada", "a long enough password", "audit", NOON)
    access.make_key("clearing", "clearance", ["FRCDG1"], "targeting", "ada", NOON)
    made = Webhooks(access).make("https://clearance.example", "clearing", "ada", NOON)
    refused = {"webhook_id": made.webhook_id, "since": 1, "until": 2, "fault": "it answers 422", "at": micros(NOON),
               "delivered": False}  # fmt: skip
    store.write(lambda connection: insert_row(connection, UNDELIVERED, refused))
    keep_view(store, "ada", "queue", {"columns": ["lane"], "query": ""})
    reader = Principal("clearing", "clearance", ("FRCDG1",), "targeting")
    with tempfile.TemporaryDirectory() as folder:
        log = ReadLog(store, Path(folder))
        for number in range(3):
            log.note(reader, "dossier", f"HAWB{number}", NOON)
        log.close()
    with suppress(Denied):
        access.log_in("ada", "not the password", "audit", NOON, "192.0.2.1")
