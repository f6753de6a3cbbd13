"""A dry run answers as a real call would, and leaves nothing but a line in the log of reads."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create
from service.settings import Settings
from service.store.tables import TABLES
from tests.service.access.closed import access, bearing, now
from tests.service.api.as_described import described
from tests.service.building import app_state, body, declared

CSV = (
    "message_id,consignment_id,stream,lodged_at,office,description\nF1,C1,{stream},2026-02-10T08:00:00Z,FRCDG1,shoes\n"
)
BESIDE = ("reads", "postings", "searched", "state", "digests")  # by the log of reads and the index of search
GIVEN_ANEW = ("decided_at",)  # by the clock


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("dry") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home, access="keys"))) as opened:
        described(opened)
        yield opened


@pytest.fixture(scope="module")
def key(client: TestClient) -> dict[str, str]:
    made = access(client).make_key("dry", "clearance", ["*"], "tests", "tests", now())
    return bearing(made)


def everything(client: TestClient) -> dict[str, list[Any]]:
    """All rows of all tables, but those that are written beside the calls."""
    with app_state(client).desk.journal.store.reading() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(sa.select(table))))
            for table in TABLES.sorted_tables
            if table.name not in BESIDE
        }


def without_clock(decisions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in one.items() if name not in GIVEN_ANEW} for one in decisions]


def test_it_answers_what_a_real_call_answers_and_records_nothing(client: TestClient, key: dict[str, str]) -> None:
    sent = body(declared(1), declared(2, gross_mass_kg=900.0), declared(3, stream="postal"), message_id="DRY")
    before = everything(client)
    dry = client.post("/v1/consignments?dry_run=true", json=sent, headers=key)
    assert dry.status_code == 200, dry.text
    assert (dry.json()["dry_run"], dry.headers["tamis-dry-run"]) == (True, "true")
    assert everything(client) == before
    assert client.get(f"/v1/consignments/{declared(1)['consignment_id']}", headers=key).status_code == 404
    real = client.post("/v1/consignments", json=sent, headers=key)
    assert "dry_run" not in real.json()
    assert "tamis-dry-run" not in real.headers
    assert "idempotent-replay" not in real.headers
    assert without_clock(dry.json()["decisions"]) == without_clock(real.json()["decisions"])


def test_what_is_on_record_is_answered_and_refused_as_for_a_real_call(client: TestClient, key: dict[str, str]) -> None:
    sent = body(declared(11), message_id="DRY-AGAIN")
    real = client.post("/v1/consignments", json=sent, headers=key)
    before = everything(client)
    again = client.post("/v1/consignments?dry_run=1", json=sent, headers=key)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json()["decisions"] == real.json()["decisions"]
    changed = body(declared(11, mail_class="x"), message_id="DRY-AGAIN")
    assert client.post("/v1/consignments?dry_run=1", json=changed, headers=key).json()["code"] == "version-on-record"
    other = bearing(access(client).make_key("other", "clearance", ["*"], "tests", "tests", now()))
    refused = client.post("/v1/consignments?dry_run=1", json=sent, headers=other)
    assert refused.json()["code"] == "of-another-sender"
    wrong = body(declared(12, stream="rail"), message_id="DRY-WRONG")
    assert client.post("/v1/consignments?dry_run=1", json=wrong, headers=key).json()["code"] == "invalid-fields"
    assert client.post("/v1/consignments?dry_run=perhaps", json=sent, headers=key).json()["code"] == "malformed-body"
    after = everything(client)
    assert {name for name in after if after[name] != before[name]} == {"keys", "chain"}


def test_a_carriers_message_is_rehearsed_too_in_any_form(client: TestClient, key: dict[str, str]) -> None:
    before = everything(client)
    as_json = client.post("/v1/messages?dry_run=true", content=CSV.format(stream="express"), headers=key)
    assert (as_json.status_code, as_json.json()["dry_run"]) == (200, True)
    lanes = client.post("/v1/messages?dry_run=true&answer=asycuda", content=CSV.format(stream="express"), headers=key)
    assert (lanes.status_code, lanes.headers["tamis-dry-run"]) == (200, "true")
    assert everything(client) == before


def test_every_dry_run_stands_in_the_log_of_reads(client: TestClient, key: dict[str, str]) -> None:
    client.post("/v1/consignments?dry_run=false", json=body(declared(21), message_id="DRY-READ"), headers=key)
    client.post("/v1/messages?dry_run=true", content=CSV.format(stream="express"), headers=key)
    app_state(client).read_log.move()
    noted = [(row["who"], row["route"], row["subject"]) for row in access(client).reads(2)]
    assert noted == [("dry", "post_message", "dry_run"), ("dry", "post_consignments", "dry_run")]
