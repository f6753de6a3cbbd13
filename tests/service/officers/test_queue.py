"""The work list: what waits at an office, the riskiest first, until it has a result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.desk import Desk
from service.officers.queue import DAYS, Stage, days_shown, queue
from service.settings import Settings
from service.targeting import target
from tests.service.building import NOON, body, declared, message, outcome
from tests.service.calls.learning import learned
from tests.service.orientation.cases import policy_text

LONG_AGO = date(2026, 1, 1)
VAGUE = declared(7, goods=[{"line_no": 1, "description": "gift", "quantity": 1}])


@pytest.fixture
def desk(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that checks two and asks for documents of two more."""
    desk = desk_with(policy_text(2, 2, 2, least=0.0))
    sent = [declared(n, gross_mass_kg=float(n)) for n in range(1, 7)]
    target(message(*sent, VAGUE, declared(8, office="FRMRS1"), competing="message"), desk)
    return desk


def ids(desk: Desk, office: str = "FRCDG1", stage: Stage = "clearance", **page: Any) -> list[str]:
    waits = queue(desk.journal.store, office, stage, LONG_AGO, **page)
    return [one["consignment_id"] for one in waits]


def test_what_is_to_be_checked_waits_by_risk(desk: Desk) -> None:
    waits = queue(desk.journal.store, "FRCDG1", "clearance", LONG_AGO)
    assert len(waits) == 4
    assert {one["clearance"] for one in waits} == {"red", "yellow"}
    risks = [one["risk"] for one in waits]
    assert risks == sorted(risks, reverse=True)
    assert all(len(one["reasons"]) <= 2 for one in waits)
    assert len(ids(desk, "FRMRS1")) == 1
    assert ids(desk, "nowhere") == []


def test_each_stage_has_its_own_list(desk: Desk) -> None:
    assert len(ids(desk, stage="post_clearance")) == 2
    before = queue(desk.journal.store, "FRCDG1", "pre_arrival", LONG_AGO)
    assert {one["pre_arrival"] for one in before} >= {"control_recommended", "request_information"}


def test_what_has_a_result_waits_no_more(desk: Desk) -> None:
    first, *rest = ids(desk)
    learned(desk, outcome(int(first[-9:])))
    assert ids(desk) == rest


def test_of_an_amended_consignment_its_last_version_waits(desk: Desk) -> None:
    first = ids(desk)[0]
    target(message(declared(int(first[-9:]), version=2), message_id="M2", received_at=NOON + timedelta(hours=1)), desk)
    again = [
        one for one in queue(desk.journal.store, "FRCDG1", "clearance", LONG_AGO) if one["consignment_id"] == first
    ]
    assert all(one["version"] == 2 for one in again)


def test_pages_follow_one_another_and_days_bound_it(desk: Desk) -> None:
    everything = ids(desk)
    assert ids(desk, at_most=3) + ids(desk, at_most=3, beyond=3) == everything
    assert queue(desk.journal.store, "FRCDG1", "clearance", NOON.date() + timedelta(days=1)) == []


DAY = NOON.date()  # on which everything was lodged
TOMORROW, LATER = DAY + timedelta(days=1), DAY + timedelta(days=90)


@pytest.mark.parametrize(
    ("today", "named", "shown"),
    [
        (DAY, {}, (DAY - timedelta(days=DAYS), DAY)),
        (TOMORROW, {}, (TOMORROW - timedelta(days=DAYS), TOMORROW)),
        (LATER, {}, (DAY - timedelta(days=DAYS), DAY)),  # nothing has come since: the newest that has work
        (LATER, {"day": DAY}, (DAY, DAY)),
        (LATER, {"day": LATER}, (LATER, LATER)),
        (LATER, {"since": LONG_AGO}, (LONG_AGO, DAY)),
        (LATER, {"since": TOMORROW}, (TOMORROW, LATER)),
        (LATER, {"since": LONG_AGO, "day": TOMORROW}, (LONG_AGO, TOMORROW)),
    ],
)
def test_a_list_shows_the_newest_days_that_have_work_or_those_that_are_named(
    desk: Desk, today: date, named: dict[str, date], shown: tuple[date, date]
) -> None:
    store = desk.journal.store
    first, last = days_shown(store, "FRCDG1", "clearance", today, **named)
    assert (first, last) == shown
    waits = queue(store, "FRCDG1", "clearance", first, until=last)
    assert len(waits) == (4 if first <= DAY <= last else 0)


def test_an_office_without_work_shows_today(desk: Desk) -> None:
    assert days_shown(desk.journal.store, "nowhere", "clearance", LATER) == (LATER - timedelta(days=DAYS), LATER)


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("queue") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home)), raise_server_exceptions=False) as opened:
        yield opened


def test_the_route_tells_the_list_and_refuses_what_it_cannot_mean(client: TestClient) -> None:
    client.post("/v1/consignments", json=body(*(declared(n) for n in range(4))))
    told = client.get("/v1/queue", params={"office": "FRCDG1", "since": "2026-01-01"}).json()
    assert (told["office"], told["stage"], told["since"]) == ("FRCDG1", "clearance", "2026-01-01")
    assert isinstance(told["waiting"], list)
    assert told["until"] >= "2026-02-01"
    day = client.get("/v1/queue", params={"office": "FRCDG1", "day": "2026-01-02"}).json()
    assert (day["since"], day["until"], day["waiting"]) == ("2026-01-02", "2026-01-02", [])
    for bad in ({}, {"office": ""}, {"office": "A", "stage": "later"}, {"office": "A", "since": "yesterday"},
                {"office": "A", "at_most": 0}, {"office": "A\x00"}, {"office": "A", "beyond": -1}):  # fmt: skip
        answer = client.get("/v1/queue", params=bad)
        assert answer.status_code == 422, bad
        assert answer.headers["content-type"] == "application/problem+json"


def test_an_office_that_nobody_knows_is_no_empty_list(client: TestClient) -> None:
    answer = client.get("/v1/queue", params={"office": "nowhere"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    error = answer.json()["errors"][0]
    assert error["pointer"] == "/office"
    assert error["remedy"]
    assert "nowhere" not in answer.text


@pytest.mark.parametrize(("result", "findings"), [("compliant", "counterfeit"), ("non_compliant", None)])
def test_a_result_that_contradicts_itself_is_refused_by_the_api(
    client: TestClient, result: str, findings: str | None
) -> None:
    told = outcome(1, result=result, findings=findings)
    answer = client.post("/v1/outcomes", json={"outcomes": [told]})
    assert answer.status_code == 422
    error = answer.json()["errors"][0]
    assert error["pointer"] == "/outcomes/0/findings"
    assert error["reason"]
    assert error["remedy"]
