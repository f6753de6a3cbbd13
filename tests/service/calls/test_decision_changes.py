"""What has changed: every decision once, in the order of the audit log, for those who see it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.access.principal import OPEN, Principal
from service.app import create
from service.audit.erasure import erase
from service.calls import decision_changes
from service.calls.decision_changes import changes_since, place_at
from service.officers.overrides import override_lane
from service.settings import Settings
from service.store.database import Store
from tests.service.api.as_described import described
from tests.service.building import NOON, app_state, body, declared

FIRST, SECOND = "FRCDG1", "FRLYS1"


@pytest.fixture
def client(quick_home: Path, tmp_path: Path) -> Iterator[TestClient]:
    shutil.copytree(quick_home, tmp_path / "home")
    with TestClient(create(Settings(home=tmp_path / "home")), raise_server_exceptions=False) as opened:
        described(opened)
        yield opened


def lodged(client: TestClient, *numbers: int, office: str = FIRST, **changes: Any) -> list[dict[str, Any]]:
    parcels = [declared(number, office=office, **changes) for number in numbers]
    answer = client.post("/v1/consignments", json=body(*parcels, message_id=f"M-{office}-{numbers}-{changes}"))
    assert answer.status_code == 200, answer.text
    given: list[dict[str, Any]] = answer.json()["decisions"]
    return given


def listed(client: TestClient, since: str = "0", at_most: int = 100) -> dict[str, Any]:
    answer = client.get("/v1/decisions", params={"since": since, "at_most": at_most})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def store_of(client: TestClient) -> Store:
    store: Store = app_state(client).desk.journal.store
    return store


def named(changes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(change["consignment_id"], change["change"]) for change in changes]


def test_each_decision_comes_once_in_order_and_page_by_page(client: TestClient) -> None:
    before = listed(client)
    for numbers in ((3, 1), (2,), (5, 4)):
        lodged(client, *numbers)
    found, since = [], before["next"]
    while True:
        page = listed(client, since, at_most=2)
        found += page["decisions"]
        since = page["next"]
        if not page["more"]:
            break
    assert [decision["consignment_id"][-1] for decision in found] == ["3", "1", "2", "5", "4"]
    assert [decision["at_entry"] for decision in found] == sorted({decision["at_entry"] for decision in found})
    assert listed(client, since) == {"decisions": [], "next": since, "more": False}
    lodged(client, 6)
    assert named(listed(client, since)["decisions"]) == [("HAWB000000006", "decided")]


def test_an_amendment_an_officer_s_lane_and_another_office_are_changes(client: TestClient) -> None:
    (first,) = lodged(client, 1)
    lodged(client, 9, office=SECOND)
    since = listed(client)["next"]
    store = store_of(client)
    override_lane(store, first["decision_id"], "red", "A. Martin", "a tip", datetime.now(UTC), "HAWB000000001")
    moved = {"consignment_id": "HAWB000000001", "office": SECOND, "reason": "it goes to Lyon"}
    assert client.post("/v1/transfers", json=moved).status_code == 201
    changes = listed(client, since)
    assert named(changes["decisions"]) == [("HAWB000000001", why) for why in ("overridden", "transferred")]
    assert [change["standing_clearance"] for change in changes["decisions"]] == ["red", "red"]
    assert changes["decisions"][0]["override"]["reason"] == "a tip"
    lodged(client, 1, office=SECOND, version=2, mail_class="x")
    (amended,) = listed(client, changes["next"])["decisions"]
    assert (amended["version"], amended["change"], amended["override"]) == (2, "decided", None)


def test_a_moment_is_a_place(client: TestClient) -> None:
    lodged(client, 1)
    between = datetime.now(UTC)
    lodged(client, 2)
    assert named(listed(client, between.isoformat())["decisions"]) == [("HAWB000000002", "decided")]
    assert listed(client, (between + timedelta(days=1)).isoformat())["decisions"] == []
    assert len(listed(client, "1970-01-01T00:00:00Z")["decisions"]) >= 2
    assert place_at(store_of(client), 0) == 0


@pytest.mark.parametrize("since", ["2026-02-10", "2026-02-10T08:00:00", "T", "1:2", "+1"])
def test_what_is_neither_place_nor_moment_is_refused_politely(client: TestClient, since: str) -> None:
    answer = client.get("/v1/decisions", params={"since": since})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/since"


def test_a_place_of_the_future_is_the_end(client: TestClient) -> None:
    assert listed(client, "9" * 30)["decisions"] == []


def test_what_was_erased_and_what_another_office_has_is_left_out(client: TestClient) -> None:
    lodged(client, 1, 2)
    lodged(client, 3, office=SECOND)
    store = store_of(client)
    erase(store, ["HAWB000000002"], by="A. Martin", reason="asked for", now=datetime.now(UTC))
    every = changes_since(store, OPEN, 0)
    assert {row["consignment_id"] for row in every.decisions} >= {"HAWB000000001", "HAWB000000003"}
    assert "HAWB000000002" not in {row["consignment_id"] for row in every.decisions}
    of_one = changes_since(store, Principal("lyon", "clearance", (SECOND,), "tests"), 0)
    assert {row["office"] for row in of_one.decisions} == {SECOND}
    assert of_one.next == every.next


def test_a_long_stretch_of_what_is_not_seen_is_passed_over_bit_by_bit(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    lodged(client, *range(1, 8))
    lodged(client, 8, office=SECOND)
    monkeypatch.setattr(decision_changes, "LOOKED_AT", 3)
    lyon, place, found, pages = Principal("lyon", "clearance", (SECOND,), "tests"), 0, [], 0
    while True:
        page = changes_since(store_of(client), lyon, place)
        assert page.next > place or not page.more
        found += page.decisions
        place, pages = page.next, pages + 1
        if not page.more:
            break
    assert pages > 2
    assert [row["consignment_id"] for row in found] == ["HAWB000000008"]


def test_clearance_sees_no_weights(client: TestClient) -> None:
    lodged(client, 1)
    assert datetime.now(UTC) > NOON
    plain = client.get("/v1/decisions").json()["decisions"][-1]
    of_model = [reason for reason in plain["reasons"] if not reason["code"].startswith("track.")]
    assert of_model
    assert all("contribution" in reason for reason in of_model)
