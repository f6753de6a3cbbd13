"""Messages by a call: any format in, decisions and problems out, the record behind them, nothing of what was sent."""

from __future__ import annotations

import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient
from httpx import Response

from service.app import create
from service.settings import Settings
from service.store.tables import DECLARATIONS, RECEPTACLES
from tests.features.messages.attacks import ACCEPTED, REFUSED, SEEDS
from tests.features.messages.parcels import HOUSE, ITEM, PREDES
from tests.service.api.as_described import described
from tests.service.building import NOON, app_state
from tests.writers import as_cargo_xml, as_fhl, as_flat, as_ics2, as_postal_json

CANARY = "kanarienvogel7"
AT = "2026-03-01T08:15:00Z"


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("messages") / "home"
    shutil.copytree(quick_home, home)
    settings = Settings(home=home, body_limit=4_000_000)
    with TestClient(create(settings), raise_server_exceptions=False) as opened:
        described(opened)
        yield opened


@pytest.fixture
def number(request: pytest.FixtureRequest) -> str:
    """A consignment of its own for each test."""
    return f"H{abs(hash(request.node.nodeid)) % 10**11:011d}"


def sent(client: TestClient, content: bytes, **query: str) -> Response:
    answer: Response = client.post("/v1/messages", content=content, params=query)
    return answer


def decided(client: TestClient, content: bytes, **query: str) -> dict[str, Any]:
    answer = sent(client, content, **query)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def problems_of(decision: dict[str, Any]) -> set[tuple[str, str]]:
    return {(one["field"], one["problem"]) for one in decision["data_problems"]}


def house(number: str, **changes: Any) -> dict[str, Any]:
    return {**HOUSE, "consignment_id": number, **changes}


def versions(client: TestClient, number: str) -> list[int]:
    return [d["version"] for d in client.get(f"/v1/consignments/{number}").json()["decisions"]]


def flat(told: dict[str, Any]) -> bytes:
    return as_flat([{k: v for k, v in told.items() if k != "origin_airport"}], f"F-{told['consignment_id']}")


FORMATS: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "flat": flat,
    "gzip": lambda told: gzip.compress(flat(told)),
    "ics2": lambda told: as_ics2([told], f"I-{told['consignment_id']}"),
    "cargo-xml": lambda told: as_cargo_xml(told, f"C-{told['consignment_id']}"),
    "cargo-imp": lambda told: as_fhl([told]),
    "postal": lambda told: as_postal_json([{**told, "stream": "postal"}], f"P-{told['consignment_id']}", AT),
}


@pytest.mark.parametrize("format", FORMATS)
def test_a_message_of_any_format_is_decided_recorded_and_repeatable(
    client: TestClient, number: str, format: str
) -> None:
    content = FORMATS[format](house(number))
    told = decided(client, content)
    assert told["format"] == ("flat" if format == "gzip" else format)
    assert [(d["consignment_id"], d["version"]) for d in told["decisions"]] == [(number, 1)]
    assert told["problems"] == []
    again = sent(client, content)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == told
    assert versions(client, number) == [1]


def test_all_formats_of_the_same_consignment_come_to_the_same_risk(client: TestClient) -> None:
    """What a format has no place for is left out of all: the model must not see which format it was."""
    risks = {}
    for place, format in enumerate(("flat", "cargo-xml")):
        told = house(f"SAME{place}", operator="888", consignor_name="Only Here", lodged_at="2026-01-05T08:15:00Z")
        told |= {"dispatch_country": "CN", "destination_country": "FR"}
        risks[format] = decided(client, FORMATS[format](told))["decisions"][0]["risk"]
    assert risks["flat"] == risks["cargo-xml"]


def test_what_is_sent_later_about_the_same_house_is_its_next_version(client: TestClient, number: str) -> None:
    decided(client, as_ics2([house(number)], f"A-{number}", "relatedPLACI"))
    decided(client, as_ics2([house(number)], f"B-{number}"))
    decided(client, as_fhl([house(number)]))
    assert sorted(versions(client, number)) == [1, 2, 3]
    decided(client, as_ics2([house(number)], f"A-{number}", "relatedPLACI"))  # the first once more
    assert sorted(versions(client, number)) == [1, 2, 3]


def test_amendments_and_cancellations(client: TestClient, number: str) -> None:
    first = decided(client, as_cargo_xml(house(number), f"1-{number}"))["decisions"][0]
    amended = decided(client, as_cargo_xml(house(number, packages="7"), f"2-{number}", "Update"))["decisions"][0]
    withdrawn = decided(client, as_cargo_xml(house(number), f"3-{number}", "Deletion"))["decisions"][0]
    assert [d["version"] for d in (first, amended, withdrawn)] == [1, 2, 3]
    assert (withdrawn["clearance"], withdrawn["pre_arrival"], withdrawn["selection"]) == ("green", "no_risk", "none")
    assert [reason["code"] for reason in withdrawn["reasons"]] == ["withdrawn"]
    assert withdrawn["selection_probability"] is None


def test_an_amendment_of_nothing_leaves_the_first_place_free(client: TestClient, number: str) -> None:
    late = decided(client, as_cargo_xml(house(number), f"2-{number}", "Update"))["decisions"][0]
    assert late["version"] == 2
    assert ("purpose", "an amendment of what is not on record") in problems_of(late)
    first = decided(client, as_cargo_xml(house(number), f"1-{number}"))["decisions"][0]
    assert first["version"] == 1


def test_what_was_cancelled_says_nothing_in_history(client: TestClient, number: str) -> None:
    """Its own facts are taken back: the sender is as new as before, but was seen."""
    for message, purpose in (("1", "Creation"), ("2", "Deletion")):
        decided(client, as_cargo_xml(house(number), f"{message}-{number}", purpose))
    with app_state(client).desk.journal.store.reading() as connection:
        query = sa.select(DECLARATIONS.c.version, DECLARATIONS.c.stated).where(DECLARATIONS.c.consignment_id == number)
        stated = dict(tuple(row) for row in connection.execute(query))
    assert (stated[1]["consignments"], stated[1]["value"]) == (1, 3000)
    assert {stated[2][name] for name in ("consignments", "lines", "value", "mass", "pieces")} == {0}


def test_a_dispatch_list_before_the_item_tells_where_it_lies(client: TestClient) -> None:
    listed = decided(client, json.dumps(PREDES).encode())
    assert (listed["decisions"], listed["items_assigned"]) == ([], 3)
    item = {k: v for k, v in ITEM.items() if k != "transport_id"}
    decided(client, as_postal_json([item], "I1", AT))
    with app_state(client).desk.journal.store.reading() as connection:
        body = connection.execute(sa.select(DECLARATIONS.c.body).where(DECLARATIONS.c.message_id == "I1")).scalar_one()
        assert connection.execute(sa.select(sa.func.count()).select_from(RECEPTACLES)).scalar_one() == 3
    assert body["transport_id"] == "CNPVGAFRCDGAAUN12345678901234"


RECEPTACLES_OF = [f"CNPVGAFRCDGAAUN1234567890{n}" for n in (5001, 5002, 5003)]


def listing(item: str, receptacle: str) -> bytes:
    """A dispatch list of one item."""
    receptacles = [{"receptacleId": receptacle, "items": [{"itemId": item}]}]
    return json.dumps({"predes": {"messageId": f"P-{receptacle}", "receptacles": receptacles}}).encode()


@pytest.mark.parametrize(
    "before",
    [[], RECEPTACLES_OF[:1], RECEPTACLES_OF[:2]],
    ids=["no list", "one list", "two lists"],
)
@pytest.mark.parametrize("after", [RECEPTACLES_OF[2:], RECEPTACLES_OF[:1], RECEPTACLES_OF])
def test_an_item_message_sent_again_after_a_dispatch_list_is_the_same_message(
    client: TestClient, number: str, before: list[str], after: list[str]
) -> None:
    item = {k: v for k, v in ITEM.items() if k != "transport_id"} | {"consignment_id": number}
    content = as_postal_json([item], f"I-{number}", AT)
    for receptacle in before:
        decided(client, listing(number, receptacle))
    first = decided(client, content)
    for receptacle in after:
        decided(client, listing(number, receptacle))
    again = sent(client, content)
    assert (again.status_code, again.headers.get("Idempotent-Replay")) == (200, "true")
    assert again.json()["decisions"] == first["decisions"]
    assert versions(client, number) == [1]


def test_another_content_after_a_dispatch_list_is_still_a_conflict(client: TestClient, number: str) -> None:
    item = {k: v for k, v in ITEM.items() if k != "transport_id"} | {"consignment_id": number}
    decided(client, as_postal_json([item], f"I-{number}", AT))
    decided(client, listing(number, RECEPTACLES_OF[0]))
    other = as_postal_json([item | {"gross_mass_kg": "9"}], f"I-{number}", AT)
    assert sent(client, other).status_code == 409
    stated = as_postal_json([item | {"transport_id": RECEPTACLES_OF[1]}], f"I-{number}", AT)
    assert sent(client, stated).status_code == 409  # a receptacle that no list names is another content


def test_a_message_without_a_time_keeps_the_one_of_its_first_arrival(client: TestClient, number: str) -> None:
    content = as_fhl([house(number)])
    first = decided(client, content)["decisions"][0]
    assert ("lodged_at", "not stated; the time of arrival stands") in problems_of(first)
    assert decided(client, content)["decisions"][0] == first


def test_a_value_that_cannot_be_read_costs_that_value_alone(client: TestClient, number: str) -> None:
    content = as_cargo_xml(house(number, gross_mass_kg="much", packages="-3"), f"M-{number}")
    told = decided(client, content)
    assert told["problems"] == []
    found = problems_of(told["decisions"][0])
    assert {("gross_mass_kg", "not a number; left out"), ("packages", "negative; left out")} <= found
    assert told["decisions"][0]["pre_arrival"] in ("request_information", "control_recommended")


def test_bad_lines_of_a_flat_message_are_told_and_the_rest_is_decided(client: TestClient, number: str) -> None:
    content = flat(house(number)) + b"1,2,3\r\n"
    told = decided(client, content)
    assert [d["consignment_id"] for d in told["decisions"]] == [number]
    assert [(p["line"], p["field"]) for p in told["problems"]] == [(3, "record")]
    assert sent(client, content, answer="asycuda").headers["Tamis-Lines-Refused"] == "1"


def test_missing_elements_and_empty_words_call_for_a_request_that_names_them(client: TestClient, number: str) -> None:
    told = house(number, consignor_address=None, goods=[{"line_no": "1", "description": "gift"}])
    decision = decided(client, as_ics2([told], f"M-{number}"))["decisions"][0]
    lacking = {
        ("consignor_address", "missing"),
        ("hs_code", "missing"),
        ("description", "says nothing about the goods"),
    }
    assert lacking <= problems_of(decision)
    assert decision["pre_arrival"] in ("request_information", "control_recommended")
    asked = sent(client, as_ics2([told], f"M-{number}"), answer="IE4Q04")
    if decision["pre_arrival"] == "request_information":
        assert asked.headers["content-type"].startswith("application/xml")
        assert b"consignor_address: missing" in asked.content
    else:
        assert asked.status_code == 204


@pytest.mark.parametrize("kind", ["IE4S02", "edifact", "asycuda", "csv"])
def test_an_answer_in_anothers_words(client: TestClient, number: str, kind: str) -> None:
    answer = sent(client, as_ics2([house(number)], f"M-{number}"), answer=kind)
    assert answer.status_code == 200
    assert number in answer.text


@pytest.mark.parametrize(
    ("query", "status"), [({"answer": "telex"}, 422), ({"format": "fax"}, 422), ({"answer": "IE4S02"}, 422)]
)
def test_an_answer_or_format_that_is_not_there(
    client: TestClient, number: str, query: dict[str, str], status: int
) -> None:
    answer = sent(client, as_cargo_xml(house(number, consignor_name=CANARY), f"M-{number}"), **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert CANARY not in answer.text
    assert client.get(f"/v1/consignments/{number}").status_code == 404  # nothing was decided


def test_too_many_consignments_for_a_call(client: TestClient) -> None:
    lines = flat(house("N")).split(b"\r\n")
    rows = [lines[1].replace(b"N,", f"N{n},".encode()) for n in range(1_001)]
    answer = sent(client, b"\r\n".join([lines[0], *rows, b""]))
    assert answer.status_code == 422
    assert "at most 1,000 consignments" in answer.text


@pytest.mark.parametrize("attack", [*REFUSED, *ACCEPTED])
def test_no_attack_is_more_than_a_polite_refusal(client: TestClient, attack: str) -> None:
    content = {**REFUSED, **ACCEPTED}[attack]()
    answer = sent(client, content[:3_900_000])
    assert answer.status_code in (200, 409, 422)
    assert CANARY not in answer.text
    assert answer.headers["content-type"] in ("application/json", "application/problem+json")


@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_is_answered(client: TestClient, seed: str) -> None:
    assert sent(client, SEEDS[seed]).status_code in (200, 409)


def test_a_body_above_the_limit_is_refused_unread(client: TestClient) -> None:
    assert sent(client, b"x" * 4_000_001).status_code == 413


def test_the_moment_of_a_call_is_later_than_what_it_declares(client: TestClient, number: str) -> None:
    late = (NOON + timedelta(days=1)).isoformat()
    decision = decided(client, as_cargo_xml(house(number, lodged_at=late), f"M-{number}"))["decisions"][0]
    assert decision["decided_at"] > decision["lodged_at"]


@pytest.mark.parametrize("written", ["RC 123 456 785 CN", "rc123456785cn", "RC-123456785-CN", "RC123456785CN"])
def test_an_item_is_found_by_its_number_however_it_is_written(client: TestClient, written: str) -> None:
    decided(client, flat(house("RC 123456785 CN", stream="postal")))
    assert client.get(f"/v1/consignments/{written}").json()["consignment_id"] == "RC123456785CN"
    assert client.get(f"/v1/consignments/{written}/dossier").json()["consignment_id"] == "RC123456785CN"
    result = {"consignment_id": written, "known_at": "2026-03-20T10:00:00Z", "result": "inconclusive"}
    answer = client.post("/v1/outcomes", json={"outcomes": [result]}).json()
    assert (answer["unknown_consignments"], answer["recorded"] + answer["repeated"]) == (0, 1)
    assert client.get(f"/console/consignments/{written}").status_code in (200, 303, 401)
