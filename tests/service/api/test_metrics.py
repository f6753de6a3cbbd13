"""What Prometheus reads: the counters of all workers, and how the service stands, also while the record is away."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from service.api.state_metrics import DESCRIBED
from service.app import create
from service.settings import Settings
from tests.service.building import MODEL_ID, NOON, app_state, body, declared
from tests.service.processes import serving


@pytest.fixture
def client(quick_home: Path, tmp_path: Path) -> Iterator[TestClient]:
    shutil.copytree(quick_home, tmp_path / "home")
    with TestClient(create(Settings(home=tmp_path / "home")), raise_server_exceptions=False) as opened:
        yield opened


def read(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Every sample by its name."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_it_says_how_the_service_stands(client: TestClient) -> None:
    assert client.post("/v1/consignments", json=body(declared(1))).status_code == 200
    found = read(client.get("/metrics").text)
    absent = {"tamis_lists_checked_seconds", "tamis_model_promoted_seconds", "tamis_webhook_failing_since_seconds"}
    assert set(found) >= set(DESCRIBED) - absent
    ((labels, one),) = found["tamis_build_info"]
    assert (labels["model_id"], one) == (MODEL_ID, 1)
    assert found["tamis_store_up"] == [({}, 1.0)]
    assert {labels["what"]: value for labels, value in found["tamis_lacking"]}["history"] == 0
    assert found["tamis_history_as_of_seconds"][0][1] >= NOON.timestamp()
    assert found["tamis_store_bytes"][0][1] > 10_000
    assert found["tamis_facts_waiting"] == [({}, 0.0)]
    assert found["tamis_reassessments_waiting"][0][1] >= 0


def test_while_the_record_is_away_it_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    store = app_state(client).desk.journal.store

    def away() -> None:
        raise sa.exc.OperationalError("SELECT", None, Exception("gone"))

    monkeypatch.setattr(store, "reading", away)
    answer = client.get("/metrics")
    assert answer.status_code == 200
    found = read(answer.text)
    assert found["tamis_store_up"] == [({}, 0.0)]
    assert "tamis_lacking" not in found


def test_whichever_worker_is_asked_it_tells_the_counters_of_all(quick_home: Path, tmp_path: Path) -> None:
    shutil.copytree(quick_home, tmp_path / "home")
    calls = 24
    settings = Settings(home=tmp_path / "home")
    with serving(settings, tmp_path / "serve.log", workers=2, TAMIS_ACCESS="open") as (_, client):
        for number in range(calls):
            headers = {"Connection": "close"}  # so that both workers get their share
            sent = client.post(
                "/v1/consignments", json=body(declared(number), message_id=f"M{number}"), headers=headers
            )
            assert sent.status_code == 200, sent.text
        told = []
        for _ in range(6):
            text = client.get("/metrics", headers={"Connection": "close"}).text
            told.append(sum(value for _, value in read(text)["tamis_decisions_total"]))
            time.sleep(0.05)
    assert told == [calls] * 6
