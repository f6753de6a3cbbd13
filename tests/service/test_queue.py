"""The work list: what waits at an office, the riskiest first, until it has a result."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.app import create
from service.desk import Desk
from service.queue import queue
from service.settings import Settings
from service.targeting import target
from tests.service.building import NOON, body, declared, message, outcome
from tests.service.test_degraded import learned
from tests.service.test_policy import policy_text

LONG_AGO = date(2026, 1, 1)
VAGUE = declared(7, goods=[{"line_no": 1, "description": "gift", "quantity": 1}])


@pytest.fixture
def desk(desk_with: Callable[[str], Desk]) -> Desk:
    """A desk that checks two and asks for documents of two more."""
    desk = desk_with(policy_text(2, 2, 2, least=0.0))
    sent = [declared(n, gross_mass_kg=float(n)) for n in range(1, 7)]
    target(message(*sent, VAGUE, declared(8, office="FRMRS1"), competing="message"), desk)
    return desk


def ids(desk: Desk, office: str = "FRCDG1", stage: str = "clearance", **how: int) -> list[str]:
    waits = queue(desk.journal.store, office, stage, LONG_AGO, **how)  # type: ignore[arg-type]
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


@pytest.fixture(scope="module")
def client(sealed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("queue") / "home"
    shutil.copytree(sealed_home, home)
    with TestClient(create(Settings(home=home)), raise_server_exceptions=False) as opened:
        yield opened


def test_the_route_tells_the_list_and_refuses_what_it_cannot_mean(client: TestClient) -> None:
    client.post("/v1/consignments", json=body(*(declared(n) for n in range(4))))
    told = client.get("/v1/queue", params={"office": "FRCDG1", "since": "2026-01-01"}).json()
    assert (told["office"], told["stage"], told["since"]) == ("FRCDG1", "clearance", "2026-01-01")
    assert isinstance(told["waiting"], list)
    for bad in ({}, {"office": ""}, {"office": "A", "stage": "later"}, {"office": "A", "since": "yesterday"},
                {"office": "A", "at_most": 0}, {"office": "A\x00"}, {"office": "A", "beyond": -1}):  # fmt: skip
        answer = client.get("/v1/queue", params=bad)
        assert answer.status_code == 422, bad
        assert answer.headers["content-type"] == "application/problem+json"
