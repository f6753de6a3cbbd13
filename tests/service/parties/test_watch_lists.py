"""Lists in the store: all at one moment, by two persons where they shrink, and never for what came before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from features.fault import Fault
from features.messages import read
from features.moments import iso
from features.parties import GraphTimeline, link_with
from features.parties.graph import Graph
from service.audit.replay import Bundles, replay
from service.calls.reassessment import reassess
from service.journal import Journal
from service.parties import stored_parties as parties
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties, whole_graph
from service.parties.watch_lists import REPORT_EXPIRES, decide, expire, import_list, listed_ever, overview
from service.record.reassessment_marks import RESCREENED_DAYS
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, declared, message, outcome
from tests.service.calls.learning import learned
from tests.service.record.tallies import as_counted, as_decided

AT = int(NOON.timestamp() * 1_000_000)
MINUTE = 60_000_000


def a_list(*emails: str) -> bytes:
    return "\n".join(["name,email,country", *(f"Subject {email},{email},CN" for email in emails)]).encode()


def imported(store: Store, content: bytes, at: int = AT, by: str = "anna", list_id: str = "watch", **more: Any) -> Any:
    return import_list(store, list_id, content, source="tests", by=by, at=at, **more)


def held(store: Store) -> Graph:
    with store.reading() as connection:
        return whole_graph(connection)


@pytest.fixture
def live(desk: Desk, store: Store, tmp_path: Path) -> Desk:
    """A desk that links."""
    switch = LinkingSwitch(tmp_path / "linking.json")
    switch.turn_on("tests", "nobody here exists", NOON)
    return replace(desk, parties=StoredParties(store, switch), journal=Journal(store, switch))


def from_sender(number: int, minute: int, email: str) -> Any:
    party = {"name": f"Sender {number:03d}", "address": f"{number} Harbour Road", "country": "CN", "email": email}
    lodged_at = NOON + timedelta(minutes=minute)
    return message(declared(number, lodged_at=lodged_at, consignor=party), message_id=f"M{number}")


def test_a_listed_mailbox_is_found_from_the_moment_after_it_was_activated(live: Desk, store: Store) -> None:
    imported(store, a_list("bad.seller77@shop.example"), at=AT + 5 * MINUTE)
    late = target(from_sender(2, 6, "ba.dseller77+x@shop.example"), live)
    assert late.declared is not None
    assert late.declared.frame["listed_matches"].to_list() == [1.0]
    assert late.declared.frame["network_listed"].to_list() == [1.0]
    assert late.declared.frame["network_cards"].to_list() == [1.0]
    assert late.rows[0]["clearance"] in ("red", "yellow")
    assert any("on-a-watch-list" in reason["code"] for reason in late.rows[0]["reasons"])
    assert late.rows[0]["lists_as_of"] == NOON + timedelta(minutes=5)
    other = target(from_sender(3, 7, "somebody.else12@shop.example"), live)
    assert other.declared is not None
    assert other.declared.frame["listed_matches"].to_list() == [0.0]


EARLIER = (-600, -60, -1, 0, 4, 5)  # minutes from noon; the list is active from five past


@pytest.mark.parametrize("lodged", EARLIER)
@pytest.mark.parametrize("competing", ["day", "message"])
def test_what_was_lodged_before_a_list_and_is_scored_after_it_is_screened_by_it(
    live: Desk, store: Store, lodged: int, competing: Any
) -> None:
    imported(store, a_list("bad.seller77@shop.example"), at=AT + 5 * MINUTE)
    sent = replace(from_sender(2, lodged, "bad.seller77@shop.example"), competing=competing)
    decision = target(sent, live).rows[0]
    assert any("on-a-watch-list" in reason["code"] for reason in decision["reasons"])
    assert decision["lists_as_of"] == NOON + timedelta(minutes=5)
    other = target(from_sender(3, lodged, "somebody.else12@shop.example"), live).rows[0]
    assert not any("watch-list" in reason["code"] for reason in other["reasons"])


def test_a_decision_before_the_list_says_that_it_saw_none_and_waking_and_scoring_find_alike(
    live: Desk, store: Store, home: Settings
) -> None:
    before = target(from_sender(2, 0, "bad.seller77@shop.example"), live).rows[0]
    assert before["lists_as_of"] is None
    assert imported(store, a_list("bad.seller77@shop.example"), at=AT + 5 * MINUTE).woken == 1
    assert reassess(live, LATER) == 1
    scored = target(from_sender(4, 0, "bad.seller77@shop.example"), live).rows[0]
    woken = live.journal.decisions_on(before["consignment_id"])[0]
    listed = [[r["code"] for r in one["reasons"] if "list" in r["code"]] for one in (woken, scored)]
    assert listed[0] == listed[1] != []
    assert woken["lists_as_of"] == iso(scored["lists_as_of"]) == iso(NOON + timedelta(minutes=5))
    assert replay(store, Bundles(home.bundles, home.keys), scored["decision_id"]).identical


def test_a_list_that_ends_screens_nobody_any_more(live: Desk, store: Store) -> None:
    imported(store, a_list("bad.seller77@shop.example"), at=AT, expires_at=AT + 2 * MINUTE)
    expire(store, AT + 2 * MINUTE)
    decision = target(from_sender(2, -5, "bad.seller77@shop.example"), live).rows[0]
    assert not any("watch-list" in reason["code"] for reason in decision["reasons"])
    assert decision["lists_as_of"] == NOON + timedelta(minutes=2)


def test_a_list_that_is_activated_between_screening_and_recording_wakes_what_is_recorded(
    live: Desk, store: Store
) -> None:
    class Late(StoredParties):
        def link(self, consignments: Any, *, lists_at: int | None = None) -> Any:
            linked = super().link(consignments, lists_at=lists_at)
            if not overview(store):
                assert imported(store, a_list("bad.seller77@shop.example"), at=AT + 5 * MINUTE).woken == 0
            return linked

    late = replace(live, parties=Late(store, live.parties.switch))  # type: ignore[attr-defined]
    decision = target(from_sender(2, 0, "bad.seller77@shop.example"), late).rows[0]
    assert decision["lists_as_of"] is None
    assert reassess(live, LATER) == 1
    assert any("watch-list" in r["code"] for r in live.journal.decisions_on(decision["consignment_id"])[0]["reasons"])


def test_training_sees_a_list_only_while_it_was_active(store: Store) -> None:
    imported(store, a_list("bad.seller77@shop.example"), at=AT + 5 * MINUTE, expires_at=AT + 9 * MINUTE)
    expire(store, AT + 9 * MINUTE)
    rows = [
        declared(n, lodged_at=NOON + timedelta(minutes=minute),
                 consignor={"name": f"Sender {n}", "email": "bad.seller77@shop.example", "country": "CN"})
        for n, minute in enumerate((1, 5, 6, 9, 10))
    ]  # fmt: skip
    consignments, _ = read(message(*rows))
    told, _ = link_with(consignments, Graph(), GraphTimeline(listed_ever(store)))
    assert told.frame.sort("lodged_at")["listed_matches"].to_list() == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_reports_count_apart_from_lists_one_each_and_ask_for_a_check_from_the_third_on(
    live: Desk, store: Store
) -> None:
    columns = "report_id,email,url"
    one, two = (f"{columns}\n{n},bad.seller77@shop.example,best-kicks.example".encode() for n in (1, 2))
    third = f"{columns}\n3,bad.seller77@shop.example,best-kicks.example\n4,other12345@shop.example,".encode()
    for number, content in enumerate((one, two, third)):
        done = import_list(store, f"public-{number}", content, source="tests", by="anna", at=AT, reports=True)
        assert done.status == "active"
        decided = target(from_sender(10 + number, 1 + number, "bad.seller77@shop.example"), live)
        assert decided.declared is not None
        assert decided.declared.frame["report_matches"].to_list() == [number + 1.0]
        assert decided.declared.frame["listed_matches"].to_list() == [0.0]
        asked = any("reported-three-times" in reason["code"] for reason in decided.rows[0]["reasons"])
        assert asked == (number == 2)
    assert {row["expires_at"] for row in overview(store)} == {AT + REPORT_EXPIRES}
    assert live.parties.lists_as_of() == AT  # of their activation: no list is due to be looked after
    with pytest.raises(Fault, match="another identifier"):
        imported(store, a_list("x1@shop.example"), list_id="public-0")
    assert expire(store, AT + REPORT_EXPIRES) == 3


def test_only_what_changed_is_taken_away_and_added(either_store: Store) -> None:
    emails = [f"seller{n}{n}x@shop.example" for n in range(100, 110)]
    first = imported(either_store, a_list(*emails))
    assert (first.version, first.status, first.added, first.removed) == (1, "active", 10, 0)
    before = {card.entity: card.first_at for card in held(either_store).cards.values()}
    second = imported(either_store, a_list(*emails[1:], "new.one123@shop.example"), at=AT + MINUTE)
    assert (second.version, second.status) == (2, "active")
    assert (second.added, second.removed, second.same) == (1, 1, 9)
    after = {card.entity: card.first_at for card in held(either_store).cards.values()}
    assert len(before.items() & after.items()) == 9
    again = imported(either_store, a_list(*emails[1:], "new.one123@shop.example"), at=AT + 2 * MINUTE)
    assert (again.version, again.added, again.removed) == (2, 0, 0)


def test_a_list_that_shrinks_by_a_fifth_waits_for_a_second_person(either_store: Store) -> None:
    emails = [f"seller{n}@shop.example" for n in range(100, 110)]
    imported(either_store, a_list(*emails))
    shrunk = imported(either_store, a_list(*emails[:8]), at=AT + MINUTE)
    assert shrunk.status == "waiting"
    assert len(held(either_store).cards) == 10
    with pytest.raises(Fault, match="four-eyes"):
        decide(either_store, "watch", by="Anna ", at=AT + 2 * MINUTE, activate=True)
    assert decide(either_store, "watch", by="bernard", at=AT + 2 * MINUTE, activate=True) == (2, 0)
    assert len(held(either_store).cards) == 8
    told = {row["version"]: (row["status"], row["approved_by"]) for row in overview(either_store)}
    assert told == {1: ("replaced", None), 2: ("active", "bernard")}
    with pytest.raises(Fault, match="awaiting approval"):
        decide(either_store, "watch", by="bernard", at=AT, activate=True)


def test_a_refused_version_changes_nothing(store: Store) -> None:
    emails = [f"seller{n}@shop.example" for n in range(100, 110)]
    imported(store, a_list(*emails))
    imported(store, a_list(emails[0]), at=AT + MINUTE)
    decide(store, "watch", by="bernard", at=AT + 2 * MINUTE, activate=False)
    assert len(held(store).cards) == 10
    assert [row["status"] for row in overview(store)] == ["refused", "active"]


def test_a_list_whose_time_is_over_leaves_no_card(store: Store) -> None:
    imported(store, a_list("seller1@shop.example"), expires_at=AT + MINUTE)
    assert expire(store, AT) == 0
    assert expire(store, AT + MINUTE) == 1
    assert not held(store).cards
    assert not held(store).stated_by


@pytest.mark.parametrize(("list_id", "by"), [("", "anna"), ("watch", " ")])
def test_a_list_needs_an_identifier_and_a_name(store: Store, list_id: str, by: str) -> None:
    with pytest.raises(Fault, match="needs an identifier"):
        import_list(store, list_id, a_list("a@x.example"), source="tests", by=by, at=AT)


def test_a_subject_joins_networks_and_leaves_them(store: Store) -> None:
    rows = [declared(n, lodged_at=NOON + timedelta(minutes=n), seller_account=account,
                     consignor={"name": f"Sender {n}", "address": f"{n} Road", "country": "CN"})
            for n, account in enumerate(("jade", "opal"))]  # fmt: skip
    with store.writing() as connection:
        parties.keep(connection, read(message(*rows))[0])
    assert len(held(store).members) == 2
    import_list(store, "dossier", b"name,account\nX,jade|opal\n", source="tests", by="anna", at=AT + 9 * MINUTE)
    assert [len(of) for of in held(store).members.values()] == [3]
    later = AT + 10 * MINUTE
    shorter = import_list(store, "dossier", b"name,account\nX,jade\n", source="tests", by="anna", at=later)
    assert shorter.status == "waiting"  # the only subject is another one now
    decide(store, "dossier", by="bernard", at=later, activate=True)
    assert sorted(len(of) for of in held(store).members.values()) == [1, 2]


def test_lists_that_nobody_looks_after_degrade_decisions_and_still_screen(live: Desk, store: Store) -> None:
    """The same bytes again count as looking after; the list that was looked after longest ago tells the age."""
    day = 24 * 60 * MINUTE
    desk = replace(live, lists_fresh=timedelta(hours=24))
    content = a_list("bad.seller77@shop.example")
    imported(store, content, at=AT - 2 * day)
    old = target(from_sender(2, 6, "bad.seller77@shop.example"), desk).rows[0]
    assert (old["mode"], old["degraded_reasons"]) == ("degraded", ["lists"])
    assert old["lists_as_of"] == NOON - timedelta(days=2)
    assert any("on-a-watch-list" in reason["code"] for reason in old["reasons"])
    assert old["post_clearance"] != "reassess"
    imported(store, content, at=AT)
    fresh = target(from_sender(3, 7, "bad.seller77@shop.example"), desk).rows[0]
    assert (fresh["mode"], fresh["lists_as_of"]) == ("full", NOON - timedelta(days=2))  # the list that was applied
    import_list(store, "other", content, source="tests", by="Ada", at=AT - 3 * day)
    assert target(from_sender(4, 8, "x@shop.example"), desk).rows[0]["lists_as_of"] == NOON - timedelta(days=3)


LATER = NOON + timedelta(hours=3)


def imported_later(store: Store, *emails: str) -> Any:
    return imported(store, a_list(*emails), at=AT + 120 * MINUTE)


def test_a_list_reaches_what_was_decided_before_it_and_a_replay_gives_the_same(
    live: Desk, store: Store, home: Settings
) -> None:
    before = target(from_sender(2, 6, "bad.seller77@shop.example"), live).rows[0]
    other = target(from_sender(3, 7, "somebody.else12@shop.example"), live).rows[0]
    assert not any("watch-list" in reason["code"] for reason in before["reasons"])
    done = imported_later(store, "bad.seller77@shop.example", "nobody.known@shop.example")
    assert (done.status, done.woken) == ("active", 1)
    assert reassess(live, LATER) == 1
    new, old = live.journal.decisions_on(before["consignment_id"])
    assert (new["assessment"], old["assessment"]) == (2, 1)
    assert any("on-a-watch-list" in reason["code"] for reason in new["reasons"])
    assert new["clearance"] in ("red", "yellow")
    assert new["lists_as_of"] == iso(NOON + timedelta(hours=2))
    assert replay(store, Bundles(home.bundles, home.keys), new["decision_id"]).identical
    assert len(live.journal.decisions_on(other["consignment_id"])) == 1
    assert as_counted(store).equals(as_decided(store))
    assert reassess(live, LATER) == 0


def test_a_list_reaches_other_names_of_a_network_too(live: Desk, store: Store) -> None:
    """The list names an account; two senders share it with nothing else listed of the second but the network."""
    rows = [declared(n, lodged_at=NOON + timedelta(minutes=n), seller_account="jade",
                     consignor={"name": f"Sender {n}", "address": f"{n} Road", "country": "CN"})
            for n in (1, 2)]  # fmt: skip
    for n, row in enumerate(rows):
        target(message(row, message_id=f"M{n}"), live)
    done = import_list(store, "dossier", b"name,account\nX,jade\n", source="tests", by="anna", at=AT + 60 * MINUTE)
    assert done.woken == 2


def test_what_was_opened_or_is_long_delivered_is_not_decided_again(live: Desk, store: Store) -> None:
    for number, day in ((2, 0), (3, 1 - RESCREENED_DAYS), (4, -1 - RESCREENED_DAYS)):
        target(from_sender(number, 6 + day * 24 * 60, "bad.seller77@shop.example"), live)
    learned(live, outcome(2, result="compliant", known_at=NOON + timedelta(hours=1)))
    assert imported_later(store, "bad.seller77@shop.example").woken == 1


def test_a_waiting_version_reaches_nothing_before_the_second_person(live: Desk, store: Store) -> None:
    imported(store, a_list(*(f"mailbox.number{n}@shop.example" for n in range(5))), at=AT - MINUTE)
    target(from_sender(2, 6, "bad.seller77@shop.example"), live)
    shrunk = imported_later(store, "bad.seller77@shop.example")
    assert (shrunk.status, shrunk.woken) == ("waiting", 0)
    assert reassess(live, LATER) == 0
    assert decide(store, "watch", by="bernard", at=AT + 130 * MINUTE, activate=True) == (2, 1)
    assert reassess(live, LATER) == 1
