"""What the API says of itself: every operation, who may call it, how it answers and how it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from service.access.permissions import PERMISSIONS
from service.app import create
from service.oversight.operators import Operator
from service.oversight.operators_report import Ranking
from service.oversight.operators_report import write as write_operators
from service.settings import Settings
from tests.service.api.as_described import AsDescribed, described
from tests.service.building import NOON, app_state, body, declared, outcome

REFUSALS = {"401", "403", "429", "503"}


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("described") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home)), raise_server_exceptions=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def hook(client: TestClient) -> AsDescribed:
    return described(client)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {of["operationId"]: of for path in document["paths"].values() for of in path.values()}


def test_every_operation_says_who_calls_it_and_how_it_refuses(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert document["components"]["securitySchemes"] == {
        "key": {"type": "http", "scheme": "bearer", "description": "Bearer KEY"}
    }
    for name, operation in operations(document).items():
        row = PERMISSIONS[name]
        assert operation["tags"], name
        assert operation["summary"], name
        assert ("security" in operation) == (not row.public), name
        if not row.public:
            assert set(operation["responses"]) >= REFUSALS, name
            assert all(role in operation["description"] for role in row.roles), name
        answers = [answer for status, answer in operation["responses"].items() if status < "300"]
        assert all(answer.get("content", {"of a 204": {"schema": {"type": "null"}}}) for answer in answers), name
        schemas = [of["schema"] for answer in answers for of in answer.get("content", {}).values()]
        assert all(schemas), name
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_reference_leads_somewhere_and_every_schema_is_one(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    schemas, responses = document["components"]["schemas"], document["components"]["responses"]
    for reference in references(document):
        kind, _, name = reference.removeprefix("#/components/").partition("/")
        assert name in {"schemas": schemas, "responses": responses, "headers": document["components"]["headers"]}[kind]
    for schema in schemas.values():
        Draft202012Validator.check_schema(schema)


def references(of: Any) -> Iterator[str]:
    if isinstance(of, dict):
        yield from ([of["$ref"]] if isinstance(of.get("$ref"), str) else [])
        for part in of.values():
            yield from references(part)
    elif isinstance(of, list):
        for part in of:
            yield from references(part)


def test_the_example_is_one_that_the_service_takes(client: TestClient, hook: AsDescribed) -> None:
    (example,) = client.get("/openapi.json").json()["components"]["schemas"]["Message"]["examples"]
    assert client.post("/v1/consignments", json=example).status_code == 200
    assert ("post_consignments", 200) in hook.seen


def test_every_operation_answers_as_it_is_described(client: TestClient, hook: AsDescribed) -> None:
    app_state(client).desk.parties.switch.turn_on("A. Martin", "the law of this test", NOON)
    sender = {"name": "Yip Wong Trading", "address": "7 Futian Road", "country": "CN", "email": "yip@wong.example"}
    parcels = [declared(n, consignor=sender | ({"name": "Bright Gifts"} if n == 2 else {})) for n in (1, 2)]
    first = client.post("/v1/consignments", json=body(*parcels, message_id="DESCRIBED"))
    again = client.post("/v1/consignments", json=body(*parcels, message_id="DESCRIBED"))
    changed = [{**parcels[0], "mail_class": "x"}]
    conflict = client.post("/v1/consignments", json=body(*changed, message_id="DESCRIBED"))
    assert (first.status_code, again.status_code, conflict.status_code) == (200, 200, 409)
    elsewhere = body(declared(3, office="FRLYS1"), message_id="ELSEWHERE")
    assert client.post("/v1/consignments", json=elsewhere).status_code == 200
    one, other = (decision["party_id"] for decision in first.json()["decisions"])
    office = first.json()["decisions"][0]["office"]
    number = parcels[0]["consignment_id"]
    result = outcome(1, known_at=NOON + timedelta(days=2))
    word = {"one": one, "other": other, "verdict": "not_same", "reason": "other handwriting"}
    inquiry = {"title": "gifts", "items": [{"kind": "consignment", "value": number}, {"kind": "party", "value": one}]}
    opened = f"I-{datetime.now(UTC).year}-0001"
    entry = {"step": "task", "text": "ask the platform", "who": "o-7"}
    calls: dict[str, tuple[str, str, Any, int]] = {
        "post_outcomes": ("POST", "/v1/outcomes", {"outcomes": [result]}, 200),
        "get_consignment": ("GET", f"/v1/consignments/{number}", None, 200),
        "get_decisions": ("GET", "/v1/decisions?since=0&at_most=2", None, 200),
        "get_dossier": ("GET", f"/v1/consignments/{number}/dossier", None, 200),
        "get_queue": ("GET", f"/v1/queue?office={office}&stage=clearance&since=2026-01-01", None, 200),
        "get_network": ("GET", f"/v1/networks/{one}", None, 200),
        "get_network_ftm": ("GET", f"/v1/networks/{one}/ftm", None, 200),
        "get_search": ("GET", "/v1/search?key=Yip%20Wong&at_most=5", None, 200),
        "post_investigation": ("POST", "/v1/investigations", inquiry, 201),
        "get_investigations": ("GET", "/v1/investigations", None, 200),
        "get_investigation": ("GET", f"/v1/investigations/{opened}", None, 200),
        "post_investigation_entry": ("POST", f"/v1/investigations/{opened}", entry, 201),
        "post_hand_over": ("POST", f"/v1/investigations/{opened}/hand-over", {"to": "the prosecutor"}, 200),
        "post_judgement": ("POST", "/v1/judgements", word, 201),
        "post_transfer": (
            "POST",
            "/v1/transfers",
            {"consignment_id": number, "office": "FRLYS1", "reason": "moved"},
            201,
        ),
        "post_genuine": ("POST", "/v1/genuine", {"serials": [{"gtin": "4006381333931", "serial": "A1"}]}, 201),
        "healthz": ("GET", "/healthz", None, 200),
        "readyz": ("GET", "/readyz", None, 200),
        "metrics": ("GET", "/metrics", None, 200),
    }
    ordered = {"office": office, "shop": {"url": "https://x.example"}, "goods": "bag", "alias": {"name": "Ann Lee"}}
    purchase = client.post("/v1/purchases", json=ordered).json()["purchase_id"]
    ended = {"purchase_id": purchase, "step": "closed"}
    calls |= {
        "get_purchases": ("GET", f"/v1/purchases?office={office}", None, 200),
        "post_purchase_note": ("POST", "/v1/purchases/notes", ended, 201),
    }
    settings: Settings = client.app.state.settings  # type: ignore[attr-defined]
    listed = Operator("importer", "FR1", 3, 5, 900.0, 0.4, 123.0, 0, 0, 0, (number,))
    ranking = Ranking(NOON.date(), NOON.date(), 3, neutral=True, operators={"importer": [listed]})
    write_operators(ranking, settings.reports / "operators" / "2026-02-03")
    calls |= {
        "post_operator_audit": ("POST", "/v1/operators/audits", {"kind": "importer", "name": "FR1"}, 201),
        "get_operators": ("GET", "/v1/operators?kind=importer&at_most=5", None, 200),
    }
    for name, (method, path, sent, status) in calls.items():
        answer = client.request(method, path, json=sent) if sent else client.request(method, path)
        assert answer.status_code == status, (name, answer.text)
    paper = client.post(f"/v1/investigations/{opened}/documents", params={"name": "a.txt"}, content=b"seen")
    assert paper.status_code == 201, paper.text
    assert client.get(f"/v1/investigations/{opened}/documents/{'0' * 64}").status_code == 404
    assert client.get(f"/v1/investigations/{opened}/documents/{paper.json()['sha256']}").content == b"seen"
    after = client.get(f"/v1/networks/{one}").json()
    assert [judgement["reason"] for judgement in after["judgements"]] == ["other handwriting"]
    assert client.get(f"/v1/consignments/{number}/dossier").json()["outcomes"]
    by_kind = client.get(f"/v1/queue?office={office}&kind=narcotics&since=2026-01-01")
    assert (by_kind.status_code, by_kind.json()["waiting"]) == (200, []), "its model states no chance of them"
    assert client.get(f"/v1/queue?office={office}&kind=Narcotics!").status_code == 422
    (operator,) = client.get("/v1/operators").json()["operators"]
    assert [(one["consignments"], one["examined"]) for one in operator["audits"]] == [(1, 0)]
    twice = client.post("/v1/operators/audits", json={"kind": "importer", "name": "FR1"})
    assert (twice.status_code, twice.json()["errors"][0]["pointer"]) == (422, "/name")
    every = client.get("/v1/investigations").json()["investigations"]
    (held,) = [one for one in every if one["number"] == opened]
    assert [item["value"] for item in held["items"]] == [number, one]
    assert [task["who"] for task in held["tasks"]] == ["o-7"]
    done = {"step": "task_done", "task": held["tasks"][0]["number"] + 1}
    refused = client.post(f"/v1/investigations/{opened}", json=done)
    assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, "/task")
    assert client.get("/v1/investigations/I-2026-9999").status_code == 404
    assert client.get("/v1/consignments/NONE").status_code == 404
    found = client.get("/v1/search", params={"key": number}).json()
    assert [hit["by"] for hit in found["consignments"]] == [["consignment"]]
    assert client.get("/v1/search", params={"key": " "}).status_code == 422
    assert client.post("/v1/outcomes", json={"outcomes": []}).status_code == 422
    documented = set(operations(hook.document))
    answered = {name for name, status in hook.seen if status < 300}
    assert documented - answered == {"post_message"}  # test_message_routes.py holds its answers, in every format


def test_answers_are_held_to_every_field(client: TestClient) -> None:
    hook = AsDescribed(client.app.openapi())  # type: ignore[attr-defined]
    answer = client.get("/healthz")
    answer._content = b'{"status": "alive", "more": 1}'
    with pytest.raises(AssertionError, match="more"):
        hook(answer)
