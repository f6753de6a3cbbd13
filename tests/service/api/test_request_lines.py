"""The log over a real server: a line of JSON for each request, one number for all of it, no value of input."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi.testclient import TestClient

from service.api.request_lines import WELL_FORMED
from service.app import create
from service.settings import Settings
from tests.service.building import body, declared
from tests.service.processes import serving

CANARY = "Zephyrine-Quillfeather"
GIVEN = "call-2026-0001"
BESIDE = ("who calls /v1", "anybody on this machine", "nobody has an account")  # what the command says before it serves


def _lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a log, all of them JSON but what the command itself says."""
    written = log.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in written if not line.startswith(BESIDE)]


@pytest.mark.process
def test_every_line_is_json_and_each_request_has_one_with_its_number(home: Settings, tmp_path: Path) -> None:
    log = tmp_path / "log"
    with serving(home, log, workers=2) as (process, client):
        decided = client.post("/v1/consignments", json=body(declared(1)), headers={"X-Request-Id": GIVEN})
        unnamed = client.get(f"/v1/consignments/{CANARY}", params={"q": CANARY})
        replaced = client.get("/v1/consignments/none", headers={"X-Request-Id": f"{CANARY} 1"})
        broken = client.post("/v1/consignments", content=f'{{"{CANARY}": 1')
        process.terminate()
        process.wait(20)
    assert decided.headers["X-Request-Id"] == GIVEN
    assert replaced.headers["X-Request-Id"] != f"{CANARY} 1"
    assert all(WELL_FORMED.fullmatch(one.headers["X-Request-Id"].encode()) for one in (unnamed, replaced, broken))
    assert [one.json()["request_id"] for one in (unnamed, broken)] == [
        one.headers["X-Request-Id"] for one in (unnamed, broken)
    ]
    lines = _lines(log)
    assert all({"at", "level", "event"} <= set(line) for line in lines)
    assert any(line.get("logger") == "uvicorn.error" for line in lines)
    of_requests = {line["request_id"]: line for line in lines if line["event"] == "request"}
    line = of_requests[GIVEN]
    assert [line[name] for name in ("method", "route", "status")] == ["POST", "post_consignments", 200]
    assert line["principal"] == "open"
    assert line["ms"] > 0
    assert of_requests[unnamed.headers["X-Request-Id"]]["status"] == 404
    assert of_requests[broken.headers["X-Request-Id"]]["status"] == 422
    assert CANARY not in log.read_text(encoding="utf-8")


def test_what_is_logged_while_a_call_is_decided_has_its_number_and_so_has_the_last_resort(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        structlog.get_logger("test").info("within")
        raise RuntimeError(CANARY)

    monkeypatch.setattr("service.calls.call_queue.target", failing)
    numbered: list[dict[str, Any]] = []

    def keep(_: Any, __: str, line: Any) -> Any:
        numbered.append(dict(line))
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, keep])
    try:
        with TestClient(create(home), raise_server_exceptions=False) as client:
            failed = client.post("/v1/consignments", json=body(declared(1)), headers={"X-Request-Id": GIVEN})
    finally:
        structlog.configure(**before)
    assert (failed.status_code, failed.json()["request_id"], failed.headers["X-Request-Id"]) == (500, GIVEN, GIVEN)
    found = {line["event"]: line for line in numbered if line.get("request_id") == GIVEN}
    assert set(found) == {"within", "unexpected", "request"}
    assert (found["request"]["status"], found["unexpected"]["route"]) == (500, "post_consignments")
    assert CANARY not in str(numbered)
