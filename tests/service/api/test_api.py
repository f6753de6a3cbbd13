"""The API over ASGI: every answer is a decision or a problem, never a 5xx for what was sent, never an echo of it."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response

from service.app import create
from service.problems.catalogue import KINDS
from service.settings import Settings
from service.store.tables import DECLARATIONS
from tests.service.api.as_described import described
from tests.service.building import MODEL_ID, NOON, app_state, as_it_stands, body, declared, outcome

CANARY = "kanarienvogel7"
CODES = {(kind.code, kind.status.value) for kind in KINDS}
LIMIT = 1_500_000


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("api") / "home"
    shutil.copytree(quick_home, home)
    mapping = home.with_name("mapping.toml")
    mapping.write_text('[extra.colour]\nfrom = "Colour"\ntype = "category"\n', encoding="utf-8")
    settings = Settings(home=home, body_limit=LIMIT, mapping=mapping)
    with TestClient(create(settings), raise_server_exceptions=False) as opened:
        described(opened)
        yield opened


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A message of its own for each test."""
    return f"M-{abs(hash(request.node.nodeid)):x}"


def sent(client: TestClient, content: Any, route: str = "/v1/consignments") -> Response:
    """A body as bytes, as text or as what JSON makes of it."""
    raw = content if isinstance(content, bytes) else content.encode() if isinstance(content, str) else None
    raw = json.dumps(content).encode() if raw is None else raw
    answer: Response = client.post(route, content=raw, headers={"Content-Type": "application/json"})
    return answer


def recorded(client: TestClient) -> int:
    with app_state(client).desk.journal.store.reading() as connection:
        count: int = connection.execute(sa.select(sa.func.count()).select_from(DECLARATIONS)).scalar_one()
        return count


def is_problem(answer: Response, status: int) -> dict[str, Any]:
    """The problem of an answer, which must be one by RFC 9457 and must not hold what was sent."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]
    assert (told["code"], told["status"]) in CODES
    assert told["type"] == f"/docs/problems#{told['code']}"
    assert CANARY not in answer.text
    return told


def test_decisions_come_in_order_and_are_there_to_be_read(client: TestClient, name: str) -> None:
    answer = sent(client, body(declared(3), declared(1), declared(2), message_id=name))
    assert answer.status_code == 200
    assert "Idempotent-Replay" not in answer.headers
    decided = answer.json()["decisions"]
    assert [d["consignment_id"] for d in decided] == ["HAWB000000003", "HAWB000000001", "HAWB000000002"]
    found = client.get("/v1/consignments/HAWB000000003").json()
    assert found["consignment_id"] == "HAWB000000003"
    assert as_it_stands(decided[0]) in found["decisions"]


def test_a_message_sent_twice_is_answered_alike_and_says_so(client: TestClient, name: str) -> None:
    first = sent(client, body(declared(10), message_id=name))
    again = sent(client, body(declared(10), message_id=name))
    assert again.status_code == 200
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    assert len(client.get("/v1/consignments/HAWB000000010").json()["decisions"]) == 1


def test_a_changed_version_is_a_conflict_and_an_amendment_is_none(client: TestClient, name: str) -> None:
    first = sent(client, body(declared(11), message_id=name))
    before = recorded(client)
    changed = sent(client, body(declared(12), declared(11, mail_class=CANARY), message_id=name))
    assert "next version" in is_problem(changed, 409)["detail"]
    assert recorded(client) == before
    assert sent(client, body(declared(11, mail_class="x", version=2), message_id=name)).status_code == 200
    decisions = client.get("/v1/consignments/HAWB000000011").json()["decisions"]
    assert [d["version"] for d in decisions] == [2, 1]
    assert decisions[1] == as_it_stands(first.json()["decisions"][0])


def test_alive_ready_and_counted(client: TestClient, name: str) -> None:
    assert client.get("/healthz").json() == {"status": "alive"}
    sent(client, body(declared(20), message_id=name))
    ready = client.get("/readyz").json()
    assert (ready["status"], ready["mode"], ready["model_id"]) == ("ready", "full", MODEL_ID)
    assert ready["history_as_of"] >= int(NOON.timestamp()) * 1_000_000
    told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    assert "tamis_decisions_total{" in told.text
    assert 'tamis_request_seconds_count{route="/v1/consignments",status="200"}' in told.text
    assert "HAWB" not in told.text


def _given(client: TestClient) -> float:
    counts = (line for line in client.get("/metrics").text.splitlines() if line.startswith("tamis_decisions_total"))
    return sum(float(line.rsplit(" ", 1)[1]) for line in counts)


def test_a_replay_is_not_counted_as_a_decision(client: TestClient, name: str) -> None:
    before = _given(client)
    sent(client, body(declared(21), declared(22), message_id=name))
    sent(client, body(declared(21), declared(22), message_id=name))
    assert _given(client) == before + 2


def test_outcomes_are_recorded_once_and_unknown_consignments_are_counted(client: TestClient, name: str) -> None:
    sent(client, body(declared(30), message_id=name))
    results = {"outcomes": [outcome(30), outcome(987654)]}
    assert sent(client, results, "/v1/outcomes").json() == {
        "recorded": 2,
        "repeated": 0,
        "superseding": 0,
        "unknown_consignments": 1,
    }
    assert sent(client, results, "/v1/outcomes").json() == {
        "recorded": 0,
        "repeated": 2,
        "superseding": 0,
        "unknown_consignments": 0,
    }


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"result": CANARY}, "/outcomes/0/result"),
        ({"known_at": CANARY}, "/outcomes/0/known_at"),
        ({"known_at": "2026-02-03T12:00:00"}, "/outcomes/0/known_at"),
        ({"selection_probability": 1.5}, "/outcomes/0/selection_probability"),
        ({"selection_probability": 0}, "/outcomes/0/selection_probability"),
        ({"items_found": -1}, "/outcomes/0/items_found"),
        ({"officer": f"{CANARY}\x00"}, "/outcomes/0/officer"),
        ({"stage": CANARY}, "/outcomes/0/stage"),
        ({CANARY: 1}, "/outcomes/0"),
    ],
)
def test_a_bad_outcome_is_named_and_nothing_is_recorded(
    client: TestClient, changes: dict[str, Any], pointer: str
) -> None:
    told = is_problem(sent(client, {"outcomes": [outcome(31) | changes]}, "/v1/outcomes"), 422)
    assert pointer in [error["pointer"] for error in told["errors"]]
    answer = sent(client, {"outcomes": [outcome(31)]}, "/v1/outcomes").json()
    assert answer["recorded"] + answer["repeated"] == 1


GOODS = declared()["goods"][0]
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a text that is NaN": ({"packages": "NaN"}, "/consignments/1/packages"),
    "a text beyond all numbers": ({"packages": "1e999"}, "/consignments/1/packages"),
    "a text that is no number": ({"packages": CANARY}, "/consignments/1/packages"),
    "a negative mass": ({"gross_mass_kg": -1}, "/consignments/1/gross_mass_kg"),
    "a number too large": ({"gross_mass_kg": 1e13}, "/consignments/1/gross_mass_kg"),
    "a broken version": ({"version": 1.5}, "/consignments/1/version"),
    "a version of nought": ({"version": 0}, "/consignments/1/version"),
    "a NUL": ({"office": f"{CANARY}\x00"}, "/consignments/1/office"),
    "a control character": ({"operator": f"{CANARY}\x1b[31m"}, "/consignments/1/operator"),
    "a control character in a party": ({"consignor": {"name": f"{CANARY}\x07"}}, "/consignments/1/consignor/name"),
    "a control character in goods": (
        {"goods": [GOODS, {"description": f"{CANARY}\x7f"}]},
        "/consignments/1/goods/1/description",
    ),
    "a lone surrogate": ({"office": f"{CANARY}\ud800"}, "/consignments/1/office"),
    "a lone surrogate as a name": ({f"{CANARY}\udfff": 1}, "/consignments/1"),
    "an unknown field": ({CANARY: CANARY}, "/consignments/1"),
    "an unknown field of a party": ({"consignee": {CANARY: CANARY}}, "/consignments/1/consignee"),
    "an unknown field of goods": ({"goods": [{**GOODS, CANARY: 1}]}, "/consignments/1/goods/0"),
    "a foreign column of a bad name": ({"extra": {CANARY.upper(): 1}}, "/consignments/1/extra"),
    "a foreign column that is a list": ({"extra": {CANARY: [CANARY]}}, "/consignments/1/extra"),
    "no goods": ({"goods": []}, "/consignments/1/goods"),
    "goods of another type": ({"goods": CANARY}, "/consignments/1/goods"),
    "goods without a description": ({"goods": [{"hs_code": "64"}]}, "/consignments/1/goods/0/description"),
    "one line twice": ({"goods": [GOODS, GOODS]}, "/consignments/1/goods/1/line_no"),
    "a party of another type": ({"consignor": [CANARY]}, "/consignments/1/consignor"),
    "an office of another type": ({"office": {CANARY: CANARY}}, "/consignments/1/office"),
    "an office that is a number": ({"office": 7}, "/consignments/1/office"),
    "an unknown stream": ({"stream": CANARY}, "/consignments/1/stream"),
    "no stream": ({"stream": None}, "/consignments/1/stream"),
    "an empty identifier": ({"consignment_id": " "}, "/consignments/1/consignment_id"),
    "an identifier too long": ({"consignment_id": CANARY * 10}, "/consignments/1/consignment_id"),
    "a text too long for anything": ({"office": CANARY * 400}, "/consignments/1/office"),
    "no time": ({"lodged_at": CANARY}, "/consignments/1/lodged_at"),
    "a time without a zone": ({"lodged_at": "2026-02-03T12:00:00"}, "/consignments/1/lodged_at"),
    "a day that there is not": ({"lodged_at": "2026-02-30T12:00:00Z"}, "/consignments/1/lodged_at"),
    "a time that is a number": ({"lodged_at": 1770000000}, "/consignments/1/lodged_at"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_a_malformed_field_is_named_and_the_whole_message_is_refused(client: TestClient, name: str, fault: str) -> None:
    changes, pointer = BAD[fault]
    before = recorded(client)
    told = is_problem(sent(client, body(declared(40), declared(41) | changes, message_id=name)), 422)
    assert pointer in [error["pointer"] for error in told["errors"]]
    assert all(error["reason"] and error["remedy"] for error in told["errors"])
    assert recorded(client) == before


@pytest.mark.parametrize("token", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" + "0" * 400])
def test_numbers_that_are_none_are_refused(client: TestClient, name: str, token: str) -> None:
    text = json.dumps(body(declared(42), message_id=name)).replace('"packages": 1', f'"packages": {token}')
    told = is_problem(sent(client, text), 422)
    assert any(error["pointer"].startswith("/consignments/0/packages") for error in told["errors"])


@pytest.mark.parametrize(
    "content",
    [
        b"", b"null", b"[]", b"7", b'"' + CANARY.encode() + b'"', b"{}", b'{"message_id": ' + CANARY.encode(),
        b'{"message_id": "\xff' + CANARY.encode() + b'"}', b"\xff\xfe{\x00" + CANARY.encode(), b"\x00\x00\xfe\xff",
        CANARY.encode("utf-16"), b"[" * 100_000, b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b'{"message_id": 1' + b"0" * 5000 + b"}", b"\x1f\x8b\x08" + CANARY.encode(),
    ],
)  # fmt: skip
def test_what_is_no_message_at_all_is_refused(client: TestClient, content: bytes) -> None:
    for route in ("/v1/consignments", "/v1/outcomes"):
        answer = sent(client, content, route)
        assert is_problem(answer, answer.status_code)["status"] in (400, 422)


def test_empty_and_overlong_lists_are_refused(client: TestClient, name: str) -> None:
    assert is_problem(sent(client, body(message_id=name)), 422)["errors"][0]["pointer"] == "/consignments"
    too_many = body(*(declared(i) for i in range(1001)), message_id=name)
    assert is_problem(sent(client, too_many), 422)["errors"][0]["pointer"] == "/consignments"
    assert is_problem(sent(client, {"outcomes": []}, "/v1/outcomes"), 422)["errors"][0]["pointer"] == "/outcomes"
    overlong = {"outcomes": [outcome(i) for i in range(1001)]}
    assert is_problem(sent(client, overlong, "/v1/outcomes"), 422)["errors"][0]["pointer"] == "/outcomes"
    assert is_problem(sent(client, body(declared(1), message_id="")), 422)["errors"][0]["pointer"] == "/message_id"


def test_a_thousand_consignments_are_decided_in_one_call(client: TestClient, name: str) -> None:
    answer = sent(client, body(*(declared(100_000 + i) for i in range(1000)), message_id=name))
    assert answer.status_code == 200
    assert len({d["decision_id"] for d in answer.json()["decisions"]}) == 1000


def test_a_name_given_twice_is_refused(client: TestClient, name: str) -> None:
    """Two programs could read two declarations: JSON leaves open which of the values counts."""
    text = json.dumps(body(declared(50), message_id=name))
    twice = text.replace('"office": "FRCDG1"', f'"office": "{CANARY}", "office": "FRMRS1"')
    before = recorded(client)
    told = is_problem(sent(client, twice), 422)
    assert "the same key twice" in told["errors"][0]["remedy"]
    results = json.dumps({"outcomes": [outcome(50)]}).replace('"result"', f'"result": "{CANARY}", "result"')
    assert "the same key twice" in is_problem(sent(client, results, "/v1/outcomes"), 422)["errors"][0]["remedy"]
    assert recorded(client) == before


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "utf-32-be"])
def test_json_is_utf_8_and_nothing_else(client: TestClient, name: str, encoding: str) -> None:
    text = json.dumps(body(declared(51), message_id=name))
    assert "UTF-8" in is_problem(sent(client, text.encode(encoding)), 422)["errors"][0]["remedy"]
    assert sent(client, b"\xef\xbb\xbf" + text.encode()).status_code == 200  # a byte order mark of UTF-8 says nothing


def test_only_a_foreign_column_that_the_mapping_offers_is_taken(client: TestClient, name: str) -> None:
    """Each name would widen all rows: a thousand names of one consignment each are a million cells."""
    offered = declared(53, extra={"colour": "red"})
    told = is_problem(sent(client, body(offered, declared(54, extra={CANARY: 1}), message_id=name)), 422)
    assert [error["pointer"] for error in told["errors"]] == ["/consignments/1/extra"]
    assert sent(client, body(offered, message_id=name)).status_code == 200
    with client.app.state.desk.journal.store.reading() as connection:  # type: ignore[attr-defined]
        found = connection.execute(sa.select(DECLARATIONS.c.body).where(DECLARATIONS.c.message_id == name)).scalar_one()
    assert found["extra_colour"] == "red"


def test_faults_are_told_up_to_a_number_wherever_they_stand(client: TestClient, name: str) -> None:
    many = body(*(declared(number, office=7) for number in range(200)), message_id=name)
    told = is_problem(sent(client, many), 422)
    assert [error["pointer"] for error in told["errors"]][:2] == ["/consignments/0/office", "/consignments/1/office"]
    assert (len(told["errors"]), told["more_errors"]) == (100, 100)
    assert "100 more are not listed" in told["detail"]
    last = body(*(declared(number) for number in range(199)), declared(199, office=7), message_id=name)
    assert is_problem(sent(client, last), 422)["errors"][0]["pointer"] == "/consignments/199/office"


def test_all_faults_of_a_body_are_told_at_once_whatever_their_kind(client: TestClient, name: str) -> None:
    """Of one shape and another value, of one row several, of the caller and of the gate."""
    bad_goods = {**GOODS, "value": "a few", "quantity": "two"}
    one = declared(60, office=7, stream="rail", goods=[bad_goods]) | {"lodged_at": "today"}
    other = declared(61, version=0, goods=[{"hs_code": "64"}, {**GOODS, CANARY: 1, "quantity": "-1"}])
    shape = is_problem(sent(client, body(one, other, message_id=name)), 422)
    assert shape["code"] == "malformed-body"
    first, second = "/consignments/0", "/consignments/1"
    assert {error["pointer"] for error in shape["errors"]} == {
        f"{first}/office", f"{first}/stream", f"{first}/lodged_at", f"{first}/goods/0/value",
        f"{first}/goods/0/quantity", f"{second}/version", f"{second}/goods/0/description", f"{second}/goods/1",
        f"{second}/goods/1/quantity",
    }  # fmt: skip
    assert len(shape["errors"]) == 9
    wide = declared(62, extra={CANARY: 1}, stream="rail") | {"lodged_at": "today"}
    values = is_problem(sent(client, body(wide, declared(63), declared(63), message_id=name)), 422)
    assert values["code"] == "invalid-fields"
    assert {error["pointer"] for error in values["errors"]} == {
        f"{first}/extra", f"{first}/stream", f"{first}/lodged_at", "/consignments/2/consignment_id",
        "/consignments/2/goods/0/line_no",
    }  # fmt: skip


def test_all_faults_of_results_and_serial_numbers_are_told_at_once(client: TestClient) -> None:
    results = [outcome(64) | {"stage": CANARY, "items_found": -1}, {"consignment_id": "C1", "known_at": 7}]
    told = is_problem(sent(client, {"outcomes": results}, "/v1/outcomes"), 422)
    assert {error["pointer"] for error in told["errors"]} == {
        "/outcomes/0/stage", "/outcomes/0/items_found", "/outcomes/1/known_at", "/outcomes/1/result",
    }  # fmt: skip
    serials = [{"gtin": CANARY, "serial": "1"}, {"gtin": 7, "serial": "2"}, {"serial": "3"}]
    told = is_problem(sent(client, {"serials": serials}, "/v1/genuine"), 422)
    assert [error["pointer"] for error in told["errors"]] == ["/serials/1/gtin", "/serials/0", "/serials/2"]


def test_every_fault_of_a_line_of_a_file_is_told(client: TestClient) -> None:
    rows = "consignment_id,stream,lodged_at,description\nC1,rail,today,\nC2,express,2026-03-01T08:00:00Z,shirts\n"
    answer = client.post("/v1/messages", content=rows).json()
    assert [(fault["line"], fault["field"]) for fault in answer["problems"]] == [
        (2, "stream"), (2, "lodged_at"), (2, "description"),
    ]  # fmt: skip
    assert len(answer["decisions"]) == 1


def test_the_catalogue_is_shown_by_the_service_without_a_key(client: TestClient) -> None:
    page = client.get("/docs/problems")
    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert [kind.code for kind in KINDS if f'id="{kind.code}"' not in page.text] == []


def test_what_machines_read_is_not_kept_on_the_way(client: TestClient, name: str) -> None:
    sent(client, body(declared(55), message_id=name))
    for answer in (client.get("/v1/consignments/HAWB000000055"), client.get("/v1/consignments/none"), sent(client, {})):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_another_content_type_is_refused(client: TestClient, name: str) -> None:
    content = json.dumps(body(declared(52, office=CANARY), message_id=name))
    answer = client.post("/v1/consignments", content=content, headers={"Content-Type": "text/plain"})
    is_problem(answer, 422)


def test_a_body_above_the_limit_is_refused_whether_its_length_is_told_or_not(client: TestClient) -> None:
    told = is_problem(sent(client, CANARY.encode() * (LIMIT // 10)), 413)
    assert str(LIMIT) in told["detail"]
    streamed = client.post("/v1/consignments", content=(CANARY.encode() * 10_000 for _ in range(20)))
    is_problem(streamed, 413)
    assert is_problem(sent(client, b" " * LIMIT), 422)  # as large as allowed: read, and found to be nothing


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/{CANARY}", 404),
        ("GET", f"/v1/consignments/{CANARY}", 404),
        ("GET", "/v1/consignments/%00", 404),
        ("GET", "/v1/consignments/%ED%A0%80", 404),
        ("GET", "/v1/consignments/%FF%FE", 404),
        ("GET", "/v1/consignments/' OR 1=1 --", 404),
        ("GET", "/v1/consignments", 405),
        ("DELETE", f"/v1/consignments/{CANARY}", 405),
        ("GET", "/v1/outcomes", 405),
        ("POST", "/readyz", 405),
        ("GET", "/redoc", 404),
    ],
)
def test_unknown_routes_and_methods_are_problems_too(client: TestClient, method: str, path: str, status: int) -> None:
    is_problem(client.request(method, path), status)


def test_a_record_that_cannot_be_written_is_503_and_nothing_is_half_written(client: TestClient, name: str) -> None:
    """The database itself refuses, in three places of the transaction; once it takes writes again, so does the API."""
    store = app_state(client).desk.journal.store
    before = recorded(client)
    for table in ("declarations", "running", "decisions"):
        with store.writing() as connection:
            connection.exec_driver_sql(
                f"CREATE TRIGGER full BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, '{CANARY}'); END"
            )
        answer = sent(client, body(declared(60), message_id=name))
        is_problem(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
        assert client.get("/healthz").status_code == 200
        with store.writing() as connection:
            connection.exec_driver_sql("DROP TRIGGER full")
        assert recorded(client) == before
    taken = sent(client, body(declared(60), message_id=name))
    assert taken.status_code == 200
    assert "Idempotent-Replay" not in taken.headers


def test_a_table_that_is_gone_makes_every_route_say_503(client: TestClient, name: str) -> None:
    store = app_state(client).desk.journal.store
    with store.writing() as connection:
        connection.exec_driver_sql("ALTER TABLE decisions RENAME TO gone")
        connection.exec_driver_sql("ALTER TABLE state RENAME TO state_gone")
    try:
        for answer in (
            sent(client, body(declared(61), message_id=name)),
            client.get("/v1/consignments/HAWB000000001"),
            client.get("/readyz"),
        ):
            is_problem(answer, 503)
            assert "Retry-After" in answer.headers
    finally:
        with store.writing() as connection:
            connection.exec_driver_sql("ALTER TABLE gone RENAME TO decisions")
            connection.exec_driver_sql("ALTER TABLE state_gone RENAME TO state")
    assert sent(client, body(declared(61), message_id=name)).status_code == 200


WHOLE = declared(70, extra={"colour": "red"}, platform="shop", seller_url="https://shop.example/a", postage=2.5)
ODD: list[Any] = [
    None, True, False, 0, -1, 1e308, -0.0, "", " ", CANARY, f"{CANARY}\x00", f"{CANARY}\ud800", "\u202e" + CANARY,
    [], {}, [CANARY], {CANARY: CANARY}, "NaN", "1e400", "2026-01-01", CANARY * 60, CANARY * 500, 10**30, "🙂" * 50,
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def mutant(rng: random.Random, number: int) -> bytes:
    """A valid body with one to three changes: a value replaced, removed, doubled or renamed, or a byte of the text."""
    message = json.loads(json.dumps(body(WHOLE, declared(71), message_id=f"fuzz-{number}")))
    for _ in range(rng.randint(1, 3)):
        *way, last = rng.choice(list(_places(message)))
        inner = message
        for key in way:
            inner = inner[key]
        change = rng.choice(["replace", "replace", "replace", "remove", "rename", "double"])
        if change == "replace":
            inner[last] = rng.choice(ODD)
        elif change == "remove":
            del inner[last]
        elif change == "rename" and isinstance(inner, dict):
            inner[rng.choice([CANARY, "", "__class__", f"{CANARY}\udc00"])] = inner.pop(last)
        elif change == "double" and isinstance(inner, list):
            inner.append(inner[last])
    content = json.dumps(message).encode()
    if rng.random() < 0.2:
        at = rng.randrange(len(content))
        content = content[:at] + bytes([rng.randrange(256)]) + content[at + 1 :]
    return content


def test_three_hundred_mutants_get_no_5xx_and_no_echo(client: TestClient) -> None:
    rng = random.Random(20260203)
    statuses: dict[int, int] = {}
    for number in range(300):
        content = mutant(rng, number)
        answer = sent(client, content)
        assert answer.status_code in (200, 400, 409, 422), content
        if answer.status_code != 200:
            is_problem(answer, answer.status_code)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    assert statuses[200] > 10
    assert statuses[422] > 100


OUT_OF_TIME = [
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:59", "+12345-01-01T00:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("moment", OUT_OF_TIME)
@pytest.mark.parametrize("route", ["/v1/consignments", "/v1/outcomes"])
def test_a_moment_outside_the_calendar_is_refused(client: TestClient, name: str, route: str, moment: str) -> None:
    consignments = body(declared(80) | {"lodged_at": moment}, message_id=name)
    content = consignments if route == "/v1/consignments" else {"outcomes": [outcome(80) | {"known_at": moment}]}
    is_problem(sent(client, content, route), 422)


def test_a_moment_far_in_the_future_is_refused(client: TestClient, name: str) -> None:
    is_problem(sent(client, body(declared(81) | {"lodged_at": "2199-01-01T00:00:00Z"}, message_id=name)), 422)


def test_one_identifier_twice_in_a_message_is_refused_or_decided_twice(client: TestClient, name: str) -> None:
    one = declared(82, goods=[{"description": "shoes"}])
    other = declared(82, office="FRMRS1", goods=[{"description": "watches"}])
    answer = sent(client, body(one, other, message_id=name))
    assert answer.status_code == 422 or len(answer.json()["decisions"]) == 2


def test_a_control_character_in_a_foreign_column_is_refused(client: TestClient, name: str) -> None:
    is_problem(sent(client, body(declared(83, extra={"colour": f"{CANARY}\x00"}), message_id=name)), 422)


def test_a_truth_value_is_no_number(client: TestClient, name: str) -> None:
    is_problem(sent(client, body(declared(84, packages=True), message_id=name)), 422)


def test_a_pointer_to_a_number_points_into_the_body(client: TestClient, name: str) -> None:
    told = is_problem(sent(client, body(declared(85, packages=[1]), message_id=name)), 422)
    assert {error["pointer"] for error in told["errors"]} == {"/consignments/0/packages"}


def test_405_names_the_methods_that_are_allowed(client: TestClient) -> None:
    assert "POST" in client.get("/v1/outcomes").headers["allow"]


def test_an_identifier_with_a_slash_can_be_read_back(client: TestClient, name: str) -> None:
    assert sent(client, body(declared(86, consignment_id="HAWB/2026/86"), message_id=name)).status_code == 200
    assert client.get("/v1/consignments/HAWB%2F2026%2F86").status_code == 200


# who stands behind it


def networked(client: TestClient, name: str) -> list[dict[str, Any]]:
    """Two consignments that share a seller account, sent one after the other; their decisions."""
    from service.parties.linking_switch import LinkingSwitch

    settings: Settings = app_state(client).settings
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOON)
    told = []
    for number in (1, 2):
        party = {"name": f"Sender {number} {name}", "address": f"{number} Harbour Road", "country": "CN"}
        lodged_at = NOON + timedelta(minutes=number)
        one = declared(
            number, lodged_at=lodged_at, consignor=party, seller_account=name, consignment_id=f"{name}{number}"
        )
        told += sent(client, body(one, message_id=f"{name}{number}")).json()["decisions"]
    LinkingSwitch(settings.linking).turn_off()
    return told


def test_a_network_is_told_with_its_evidence(client: TestClient, name: str) -> None:
    first, second = networked(client, name)
    assert first["network_id"] == second["network_id"]
    told = client.get(f"/v1/networks/{second['party_id']}").json()
    assert told["size"] == 2
    assert [link["evidence"] for link in told["links"]] == ["the same seller account"]


def test_an_officer_cuts_a_network_by_a_call(client: TestClient, name: str) -> None:
    first, second = networked(client, name)
    word = {"one": first["party_id"], "other": second["party_id"], "reason": "two firms"}
    given = sent(client, word | {"verdict": "not_same", "by": "somebody else"}, "/v1/judgements")
    assert (given.status_code, given.json()) == (201, {"status": "recorded", "by": "open"})
    assert client.get(f"/v1/networks/{second['party_id']}").json()["size"] == 1
    assert sent(client, word | {"verdict": "unsure"}, "/v1/judgements").status_code == 201
    assert client.get(f"/v1/networks/{second['party_id']}").json()["size"] == 2


@pytest.mark.parametrize(
    "change", [{"one": "P-1"}, {"other": CANARY}, {"verdict": "maybe"}, {"reason": ""}, {"more": 1}]
)
def test_a_judgement_that_is_none_is_refused_politely(client: TestClient, change: dict[str, Any]) -> None:
    word = {"one": f"P-{1:016X}", "other": f"P-{2:016X}", "verdict": "same", "reason": "seen"}
    told = is_problem(sent(client, word | change, "/v1/judgements"), 422)
    assert CANARY not in json.dumps(told)
    assert is_problem(sent(client, word, "/v1/judgements"), 422)["errors"][0]["pointer"] == "/one"


@pytest.mark.parametrize(("code", "status"), [(f"N-{5:016X}", 404), ("N-5", 422), (CANARY, 422)])
def test_a_network_that_is_not_there_is_a_problem(client: TestClient, code: str, status: int) -> None:
    is_problem(client.get(f"/v1/networks/{code}"), status)
