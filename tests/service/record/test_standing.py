"""Which lane stands after an officer's word: one rule, asked everywhere, alive through every reassessment."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.parties import Linked
from features.parties.graph import Graph
from service.access.guard import COOKIE
from service.app import create
from service.audit.dossier import dossier
from service.audit.replay import Bundles
from service.audit.timeline import timeline
from service.calls.reassessment import reassess
from service.console.rendering import address_of
from service.desk import Desk, networks_of
from service.officers.overrides import override_lane
from service.officers.queue import queue
from service.orientation import load_policy
from service.orientation.lanes import Lane
from service.record.reassessment_marks import wake_for_lists
from service.record.record_kind import sign
from service.record.record_kinds import OVERRIDE
from service.record.standing import standing, standing_lane, standing_of, with_standing
from service.settings import Settings
from service.store.database import Store
from service.store.tables import DECISIONS, TALLIES
from service.targeting import target
from tests.service.building import NOON, app_state, body, declared, message
from tests.service.orientation.cases import policy_text, rule_text

PASSWORD = "a password of some length"
LONG_AGO = date(2026, 1, 1)
LATER = NOON + timedelta(hours=2)
ID = "HAWB000000001"


def decision(clearance: str, *, assessment: int = 1, version: int = 1) -> dict[str, Any]:
    return {"message_id": f"M{version}", "consignment_id": ID, "version": version, "assessment": assessment,
            "clearance": clearance}  # fmt: skip


def said(number: int, clearance: str, *, assessment: int = 1, version: int = 1) -> dict[str, Any]:
    return {"override_id": number, "message_id": f"M{version}", "consignment_id": ID, "version": version,
            "clearance": clearance, "said_of_assessment": assessment}  # fmt: skip


@pytest.mark.parametrize(
    ("decided", "overrides", "lane", "new_information"),
    [
        (decision("green"), [], "green", False),
        (decision("green"), [said(1, "red")], "red", False),
        (decision("red"), [said(1, "green")], "green", False),
        (decision("green"), [said(2, "green"), said(1, "red")], "green", False),
        (decision("yellow", assessment=2), [said(1, "red")], "red", False),
        (decision("red", assessment=2), [said(1, "yellow")], "yellow", True),
        (decision("red", assessment=2), [said(1, "yellow"), said(2, "yellow", assessment=2)], "yellow", False),
        (decision("green", version=2), [said(1, "red")], "green", False),
        (decision("green"), [said(1, "red", version=2)], "green", False),
    ],
)
def test_the_last_word_on_a_version_stands(
    decided: dict[str, Any], overrides: list[dict[str, Any]], lane: str, new_information: bool
) -> None:
    stands = standing(decided, overrides)
    assert (stands.clearance, stands.new_information) == (lane, new_information)
    assert (stands.override is None) == (lane == decided["clearance"] and not _about(decided, overrides))


def _about(decided: dict[str, Any], overrides: list[dict[str, Any]]) -> bool:
    return any(one["version"] == decided["version"] for one in overrides)


@pytest.fixture(scope="module")
def bundles(quick_home: Path) -> Bundles:
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


@pytest.fixture
def quiet(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that checks nothing: all that it decides is green."""
    return desk_with(policy_text(0, 0, 0))


def stricter(desk: Desk, lane: str) -> Desk:
    """The same desk once its policy asks for a lane for everything."""
    rule = rule_text("all", '{ stream = "express" }', lane)
    return replace(desk, policy=load_policy(policy_text(99, 99, 99, more=rule)))


def wait(store: Store) -> None:
    """Let everything be decided again, as a list that is activated does."""
    with store.writing() as connection:
        connection.execute(sa.update(DECISIONS).values(waits=True))


def waiting(store: Store, stage: Any = "clearance") -> dict[str, dict[str, Any]]:
    return {one["consignment_id"]: one for one in queue(store, "FRCDG1", stage, LONG_AGO)}


def test_a_reassessment_drops_no_override_and_says_that_there_is_something_new(
    quiet: Desk, store: Store, bundles: Bundles
) -> None:
    (given,) = target(message(declared(1)), quiet).rows
    assert given["clearance"] == "green"
    override_lane(store, given["decision_id"], "yellow", "ana", "seen before", LATER, ID)
    wait(store)
    assert reassess(stricter(quiet, "red"), LATER + timedelta(hours=1)) == 1
    new, old = with_standing(store, quiet.journal.decisions_on(ID))
    assert (new["assessment"], new["clearance"], old["clearance"]) == (2, "red", "green")
    assert (new["standing_clearance"], new["override"]["new_information"]) == ("yellow", True)
    assert (old["standing_clearance"], old["override"]["new_information"]) == ("yellow", False)
    (row,) = waiting(store).values()
    assert (row["clearance"], row["overridden"], row["new_information"]) == ("yellow", True, True)
    found = dossier(store, bundles, ID)
    assert found is not None
    assert [one["standing_clearance"] for one in found["decisions"]] == ["yellow", "yellow"]
    assert [event.kind for event in timeline(store, ID)] == ["decision", "override", "decision"]
    assert timeline(store, ID)[-1].title["en"] == "Decided again (reassessment)"
    override_lane(store, new["decision_id"], "yellow", "ana", "looked again", LATER + timedelta(hours=2), ID)
    assert waiting(store)[ID]["new_information"] is False


def test_what_an_officer_sends_to_be_opened_is_not_decided_again(quiet: Desk, store: Store) -> None:
    (given,) = target(message(declared(1)), quiet).rows
    override_lane(store, given["decision_id"], "red", "ana", "seen before", LATER, ID)
    wait(store)
    assert reassess(stricter(quiet, "yellow"), LATER + timedelta(hours=1)) == 0
    assert waiting(store)[ID]["clearance"] == "red"


def test_an_amendment_is_decided_for_itself(quiet: Desk, store: Store) -> None:
    (given,) = target(message(declared(1)), quiet).rows
    override_lane(store, given["decision_id"], "red", "ana", "seen before", LATER, ID)
    target(message(declared(1, version=2), message_id="M2"), quiet)
    new, old = with_standing(store, quiet.journal.decisions_on(ID))
    assert (new["version"], new["standing_clearance"], new["override"]) == (2, "green", None)
    assert (old["version"], old["standing_clearance"]) == (1, "red")
    assert waiting(store) == {}
    assert "does not carry over" in timeline(store, ID)[-1].title["en"]


def checks(store: Store) -> dict[str, int]:
    sums = [sa.func.sum(TALLIES.c[name]).label(name) for name in ("seen", "audit", "documents", "scan", "physical")]
    with store.reading() as connection:
        return dict(connection.execute(sa.select(*sums)).mappings().one())


def test_an_override_takes_a_check_and_gives_back_the_one_that_it_replaces(quiet: Desk, store: Store) -> None:
    (given,) = target(message(declared(1)), quiet).rows
    none = {"seen": 1, "audit": 0, "documents": 0, "scan": 0, "physical": 0}
    assert checks(store) == none
    for lane, taken in (("red", "physical"), ("yellow", "documents"), ("yellow", "documents"), ("green", "")):
        override_lane(store, given["decision_id"], lane, "ana", "x", LATER, ID)
        assert checks(store) == none | ({taken: 1} if taken else {})
    override_lane(store, given["decision_id"], "yellow", "ana", "x", LATER, ID)
    wait(store)
    assert reassess(stricter(quiet, "red"), LATER) == 1
    assert checks(store) == none | {"documents": 1}, "the override takes its check, the reassessment none beside it"
    with store.reading() as connection:
        new = connection.execute(sa.select(DECISIONS.c.decision_id).where(DECISIONS.c.stands)).scalar_one()
    override_lane(store, new, "red", "ana", "x", LATER + timedelta(hours=3), ID)
    assert checks(store) == none | {"physical": 1}


def test_a_network_counts_the_checks_that_stand(quiet: Desk, store: Store) -> None:
    desk = replace(quiet, parties=Linked(Graph()))
    given = target(message(*(declared(n) for n in range(1, 4)), competing="message"), desk)
    assert given.declared is not None
    (network,) = networks_of(given.declared)
    hour = int(NOON.timestamp()) // 3600
    assert desk.journal.opened([network], hour) == {}
    for row in given.rows[:2]:
        override_lane(store, row["decision_id"], "red", "ana", "x", LATER, row["consignment_id"])
    assert desk.journal.opened([network], hour) == {network: 2}
    with store.writing() as connection:
        assert wake_for_lists(connection, [network], [], hour * 3_600_000_000) == 1, "opened ones are not"
    row = given.rows[0]
    override_lane(store, row["decision_id"], "green", "ana", "x", LATER, row["consignment_id"])
    assert desk.journal.opened([network], hour) == {network: 1}


def test_the_rule_in_sql_is_the_rule(quiet: Desk, either_store: Store) -> None:
    """Every sequence of two overrides on either of two assessments, and on another version beside them."""
    desk = replace(quiet, journal=type(quiet.journal)(either_store))
    desk = replace(desk, history=desk.journal.history)
    histories = list(itertools.product((None, "green", "red"), (None, "blue", "yellow"), (1, 2)))
    sent = [declared(n) for n in range(len(histories))]
    target(message(*sent), desk)
    target(message(*({**one, "version": 2} for one in sent), message_id="M2"), desk)
    wait(either_store)
    assert reassess(stricter(desk, "yellow"), LATER) == len(histories)
    with either_store.reading() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(DECISIONS)).mappings()]
    by_key = {(row["consignment_id"], row["version"], row["assessment"]): row for row in rows}
    with either_store.writing() as connection:
        for n, (first, second, version) in enumerate(histories):
            for number, lane in enumerate((first, second), start=1):
                assessment = number if version == 2 else 1
                if lane is not None:
                    one = by_key[f"HAWB{n:09d}", version, assessment]
                    word = {"decision_id": one["decision_id"], "consignment_id": one["consignment_id"], "by": "ana",
                            "clearance": lane, "reason": "x", "at": number, "counts": True}  # fmt: skip
                    sign(connection, OVERRIDE, word, number)
    with either_store.reading() as connection:
        in_sql = {row[0]: row[1] for row in connection.execute(sa.select(DECISIONS.c.decision_id, standing_lane()))}
        lanes = [one.clearance for one in standing_of(connection, rows)]
    assert in_sql == dict(zip((row["decision_id"] for row in rows), lanes, strict=True))
    assert {*in_sql.values()} == {*Lane.__members__}


@pytest.fixture
def client(trained_home: Settings) -> Iterator[TestClient]:
    with TestClient(create(Settings(home=trained_home.home, access="keys")), follow_redirects=False) as opened:
        yield opened


def bearing(client: TestClient, role: str) -> dict[str, str]:
    access = app_state(client).access
    return {"Authorization": f"Bearer {access.make_key(role, role, ['*'], 'tests', 'tests', datetime.now(UTC))}"}


def test_an_override_is_shown_wherever_the_decision_is(client: TestClient) -> None:
    clearance, auditor = bearing(client, "clearance"), bearing(client, "auditor")
    sent = body(*(declared(n) for n in range(1, 31)))
    decided = client.post("/v1/consignments", json=sent, headers=clearance).json()["decisions"]
    first = next(one for one in decided if one["clearance"] != "red")
    number, now = first["consignment_id"], datetime.now(UTC)
    store = app_state(client).desk.journal.store
    override_lane(store, first["decision_id"], "red", "ana", "the sender again", now, number)

    params = {"office": "FRCDG1", "since": "2026-01-01"}
    waits = client.get("/v1/queue", params=params, headers=clearance).json()["waiting"]
    (row,) = [one for one in waits if one["consignment_id"] == number]
    assert (row["clearance"], row["overridden"]) == ("red", True)

    (seen,) = client.get(f"/v1/consignments/{number}", headers=auditor).json()["decisions"]
    assert (seen["clearance"], seen["standing_clearance"]) == (first["clearance"], "red")
    assert {name: seen["override"][name] for name in ("clearance", "by", "reason")} == {
        "clearance": "red", "by": "ana", "reason": "the sender again",
    }  # fmt: skip
    (less,) = client.get(f"/v1/consignments/{number}", headers=clearance).json()["decisions"]
    assert (less["standing_clearance"], less["override"].keys()) == ("red", {"clearance", "at", "new_information"})
    assert "the sender again" not in str(less)

    told = client.get(f"/v1/consignments/{number}/dossier", headers=auditor).json()
    assert told["decisions"][0]["standing_clearance"] == "red"
    assert told["records"]["override"][0]["record"]["reason"] == "the sender again"
    assert [event["kind"] for event in told["timeline"]] == ["decision", "override"]

    access = app_state(client).access
    access.accept(access.invite("ana", "analyst", ["*"], "tests", now), "", PASSWORD, "en", now)
    client.cookies.set(COOKIE, access.log_in("ana", PASSWORD, "audit", now))
    page = client.get(address_of(number)).text
    assert '<span class="lane large red">' in page  # what counts now
    assert "the sender again" in page
    assert "Lane overridden" in page
