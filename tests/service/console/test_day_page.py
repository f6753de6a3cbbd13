"""The account of a day counts what is on record of it, beside the week before, and nothing of other offices."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.app import create
from service.officers.cases import Detained, detain
from service.officers.day_account import account_of, newest_day, touched
from service.officers.overrides import override_lane
from service.orientation.track_conditions import Tracks
from service.settings import Settings
from tests.service.access.closed import OTHER, OWN, PASSWORD, access, bearing, now
from tests.service.building import app_state, body, declared

TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
WEEK = timedelta(days=7)
FOUND = {"stage": "clearance", "result": "non_compliant", "findings": "counterfeit;misdeclared"}


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Four parcels of today and two of a week ago at one office, two of today at another; results, a case, a lane."""
    home = tmp_path_factory.mktemp("day") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home, access="keys")), follow_redirects=False) as opened:
        key = bearing(access(opened).make_key("seed", "clearance", ["*"], "tests", "tests", now()))
        sent = [
            *(declared(n, office=OWN, lodged_at=TODAY) for n in range(1, 5)),
            *(declared(n, office=OTHER, lodged_at=TODAY) for n in range(5, 7)),
        ]
        before = [declared(n, office=OWN, lodged_at=TODAY - WEEK) for n in range(7, 9)]
        for name, parcels in (("M-today", sent), ("M-before", before)):
            answer = opened.post("/v1/consignments", json=body(*parcels, message_id=name), headers=key)
            assert answer.status_code == 200, answer.text
        entered: list[dict[str, Any]] = [
            {"consignment_id": "HAWB000000001", "known_at": now().isoformat(), "officer": "o-1", **FOUND},
            {"consignment_id": "HAWB000000005", "known_at": now().isoformat(), "officer": "o-2", **FOUND},
            {"consignment_id": "HAWB000000007", "known_at": (TODAY - WEEK + timedelta(minutes=1)).isoformat(),
             "officer": "o-1", "stage": "clearance", "result": "compliant"},
        ]  # fmt: skip
        assert opened.post("/v1/outcomes", json={"outcomes": entered}, headers=key).status_code == 200
        journal = app_state(opened).desk.journal
        decision = journal.decisions_on("HAWB000000002")[0]["decision_id"]
        override_lane(journal.store, decision, "red", "chief", "seen before", now(), "HAWB000000002")
        for number in ("HAWB000000003", "HAWB000000006"):
            detain(journal, Detained(number, now(), "o-7", "FR", None), Tracks())
        yield opened


def shown(client: TestClient, offices: str, **asked: str) -> str:
    known, name = access(client), f"head-{offices.replace('*', 'all')}"
    if name not in {one["name"] for one in known.accounts()}:
        known.accept(known.invite(name, "auditor", [offices], "tests", now()), "", PASSWORD, "en", now())
    secret = known.log_in(name, PASSWORD, "audit", now())
    answer = client.get("/console/day", params=asked, headers={"Cookie": f"{COOKIE}={secret}"})
    assert answer.status_code == 200, answer.text
    return str(answer.text)


def line(page: str, label: str) -> list[int | None]:
    """Day, week before and change of a line of the account; None where nothing is compared."""
    found = re.search(rf'<th scope="row">(?:<span[^>]*>)?{label}(?:</span>)?</th>((?:<td>[^<]*</td>)+)', page)
    assert found, label
    cells = re.findall(r"<td>([^<]*)</td>", found[1])
    return [{"=": 0, "–": None}[cell] if cell in "=–" else int(cell.replace(",", "")) for cell in cells]


def test_a_day_with_nothing_a_week_before_is_compared_with_nothing(client: TestClient) -> None:
    page = shown(client, OTHER)
    assert line(page, "Consignments") == [2, None, None]
    assert line(page, "Controlled") == [1, 0, 1], "results have a day of their own"
    before = (TODAY - WEEK).date()
    assert re.search(rf"No comparison[^<]*<time>{before}</time>", page)
    assert "No comparison" not in shown(client, OWN)


def test_the_account_of_an_office_counts_what_is_its_own(client: TestClient) -> None:
    page = shown(client, OWN)
    assert line(page, "Consignments") == [4, 2, 2]
    assert line(page, "Controlled") == [1, 1, 0]
    assert line(page, "Non-compliant") == [1, 0, 1]
    assert line(page, "counterfeit") == [1, 0, 1]
    assert line(page, "Lanes changed by officers") == [1, 0, 1]
    assert line(page, "Decisions that lacked something") == [0, 0, 0]
    assert sum(line(page, lane)[0] or 0 for lane in ("red", "yellow", "blue", "green")) == 4
    assert "HAWB000000003" in page
    assert "HAWB000000006" not in page
    assert OTHER not in page


def test_for_all_offices_the_sum_is_shown_and_one_can_be_chosen(client: TestClient) -> None:
    page = shown(client, "*")
    assert line(page, "Consignments") == [6, 2, 4]
    assert line(page, "Non-compliant") == [2, 0, 2]
    assert {"HAWB000000003", "HAWB000000006"} <= set(re.findall(r"HAWB\d+", page))
    chosen = shown(client, "*", office=OTHER)
    assert line(chosen, "Consignments") == [2, None, None]
    assert line(chosen, "Controlled") == [1, 0, 1]
    assert "HAWB000000003" not in chosen


def test_another_day_is_another_account(client: TestClient) -> None:
    page = shown(client, OWN, day=str((TODAY - WEEK).date()))
    assert line(page, "Consignments") == [2, None, None]
    assert line(page, "Controlled") == [1, 0, 1]
    store = access(client).store
    assert newest_day(store, [OWN]) == TODAY.date()
    assert newest_day(store, ["FRNONE"]) is None
    assert set(touched(store, TODAY.date())) == {"HAWB000000001", "HAWB000000002", "HAWB000000005"}
    assert account_of(store, [], TODAY.date(), set()).came == 0
