"""Who may do what: the matrix tried route by route, keys, log-ins, one-time links, and what stays on record of it."""

from __future__ import annotations

import json
import logging
import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, cast
from urllib.parse import quote

import httpx
import pytest
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.choices import OF_PEOPLE, ROLES
from service.access import Access, guard
from service.access.accounts import IDLE, WHOLE
from service.access.api_keys import LIVE_KEYS, REMEMBERED, Machines
from service.access.credentials import Denied
from service.access.guard import COOKIE
from service.access.log_in_backoff import TRIES
from service.access.permissions import PERMISSIONS, check_every_route_has_a_row
from service.access.rate_limit import Limit
from service.access.read_log import ReadLog, reads_traced, trace_of
from service.api.body_reading import BoundedRoute
from service.app import ROUTERS, create
from service.audit.verify import verify_record
from service.officers.overrides import override_lane
from service.officers.queue import queue
from service.parties.registered_serials import holders
from service.settings import Settings
from service.store.database import Store
from tests.service.access.closed import (
    EVERY_ROUTE,
    OTHER,
    OWN,
    PASSWORD,
    PersonOf,
    accept,
    access,
    as_person,
    bearing,
    now,
)
from tests.service.building import NOON, app_state, body, declared, outcome

PARTY, NETWORK = "P-0000000000000001", "N-0000000000000001"


@pytest.fixture
def known(either_store: Store) -> Access:
    return Access(either_store)


JUDGEMENT = {"one": PARTY, "other": "P-0000000000000002", "verdict": "same", "reason": "y"}
FILLED = {
    "{consignment_id:path}": "HAWB000000001", "{code}": NETWORK,
    **dict.fromkeys(("{token}", "{key_id}", "{name}"), "none"), "{number}": "I-2026-0001", "{sealed}": "none",
    "{list_id:path}": "none", "{sha256}": "0" * 64, "{purchase}": "TP-0",
}  # fmt: skip
BODIES: dict[str, dict[str, Any]] = {
    "post_consignments": {"json": body(declared(1), message_id="M-matrix")},
    "post_message": {
        "content": b"consignment_id,stream,lodged_at,description\nA1,express,2026-02-03T12:00:00Z,shoes\n"
    },
    "post_outcomes": {"json": {"outcomes": [outcome(1)]}},
    "post_judgement": {"json": JUDGEMENT},
    "post_investigation": {"json": {"title": "shoes"}},
    "post_investigation_entry": {"json": {"step": "note", "text": "seen"}},
    "post_document": {"params": {"name": "a.txt"}, "content": b"x"},
    "post_hand_over": {"json": {"to": "the prosecutor"}},
    "post_transfer": {"json": {"consignment_id": "HAWB000000001", "office": OWN, "reason": "back"}},
    "post_genuine": {"json": {"serials": [{"gtin": "9506000134352", "serial": "A-1"}]}},
    "get_purchases": {"params": {"office": OWN}},
    "post_purchase": {"json": {"office": OWN, "shop": {"url": "x.example"}, "goods": "g", "alias": {"name": "N"}}},
    "post_purchase_note": {"json": {"purchase_id": "TP-0", "step": "closed"}},
    "post_operator_audit": {"json": {"kind": "importer", "name": "FR1"}},
    "get_queue": {"params": {"office": OWN}},
    "get_search": {"params": {"key": "HAWB000000001"}},
}


def called(client: TestClient, name: str, method: str, path: str, caller: dict[str, Any]) -> httpx.Response:
    for pattern, filled in FILLED.items():
        path = path.replace(pattern, filled)
    told = {**BODIES.get(name, {}), **caller}
    answer: httpx.Response = client.request(method, path, **told)
    return answer


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    names = {name for name, _, _ in EVERY_ROUTE} | {"static", "docs_static"}
    assert names == set(PERMISSIONS)
    with pytest.raises(KeyError, match="another_route"):
        check_every_route_has_a_row(["healthz", "another_route"])


@pytest.mark.parametrize(("name", "method", "path"), EVERY_ROUTE)
def test_a_route_takes_the_roles_of_its_row_and_no_other(
    client: TestClient, key_of: Any, person_of: PersonOf, name: str, method: str, path: str
) -> None:
    row = PERMISSIONS[name]
    console = path.startswith("/console") or path == "/"
    nobody = called(client, name, method, path, {})
    if row.public:
        assert nobody.status_code != 403
        assert nobody.status_code != 401 or name == "log_in"  # which says that the name is not right
        return
    if console:
        assert nobody.status_code == 303
        assert nobody.headers["location"] == "/console/log-in"
    else:
        assert nobody.status_code == 401
        assert nobody.headers["www-authenticate"] == "Bearer"
    for role in OF_PEOPLE if console else ROLES:
        if name == "log_out":
            continue  # it would end the session of the tests after it
        caller = as_person(*person_of(role, "*"), method) if console else {"headers": bearing(key_of(role, "*"))}
        status = called(client, name, method, path, caller).status_code
        assert (status == 403) == (role not in row.roles) or (name == "home_page" and status == 403), (role, status)
        assert status < 500


@pytest.mark.parametrize(("name", "method", "path"), [one for one in EVERY_ROUTE if one[1] == "POST"])
def test_a_form_without_the_token_of_its_session_is_refused(
    client: TestClient, person_of: PersonOf, name: str, method: str, path: str
) -> None:
    if not path.startswith("/console"):
        pytest.skip("a call of a machine: no browser sends its key by itself")
    role = next(iter(PERMISSIONS[name].roles), "analyst")
    secret, principal = person_of(role, "*")
    forged = {"headers": {"Cookie": f"{COOKIE}={secret}"}, "data": {"csrf": "forged"}}
    assert called(client, name, method, path, forged).status_code == 403
    if not PERMISSIONS[name].public:
        elsewhere = as_person(secret, principal, method)
        elsewhere["headers"]["Sec-Fetch-Site"] = "cross-site"
        assert called(client, name, method, path, elsewhere).status_code == 403


def test_a_right_holder_registers_its_serials_all_or_none_and_sees_nothing(client: TestClient, key_of: Any) -> None:
    key = bearing(key_of("right_holder", "*"))
    link = "https://id.gs1.org/01/09506000134352/21/B-2"
    told = {"serials": [{"gtin": "9506000134352", "serial": "B-1"}, {"product_code": link}]}
    first = client.post("/v1/genuine", json=told, headers=key)
    assert (first.status_code, first.json()) == (201, {"registered": 2, "known": 0})
    again = client.post("/v1/genuine", json=told, headers=key)
    assert again.json() == {"registered": 0, "known": 2}
    odd = [{"gtin": "9506000134353", "serial": "B-3"}, {"serial": "B-4"}]
    before = dict(holders(app_state(client).access.store))
    told["serials"] += [*odd, {"gtin": "9506000134352", "serial": "B-5"}]
    wrong = client.post("/v1/genuine", json=told, headers=key)
    assert wrong.status_code == 422
    assert [problem["pointer"] for problem in wrong.json()["errors"]] == ["/serials/2", "/serials/3"]
    assert dict(holders(app_state(client).access.store)) == before
    for place in ("/v1/queue", "/v1/networks/P-0000000000000001", "/v1/networks/P-0000000000000001/ftm"):
        assert client.get(place, params={"office": OWN}, headers=key).status_code == 403
    with pytest.raises(Denied, match="role"):
        access(client).invite("maker", "right_holder", ["*"], "tests", now())


def test_a_session_opens_no_route_of_machines_and_a_key_no_page(
    client: TestClient, key_of: Any, person_of: PersonOf
) -> None:
    secret, _ = person_of("analyst", "*")
    cookie = {"Cookie": f"{COOKIE}={secret}"}
    assert client.get("/v1/queue", params={"office": OWN}, headers=cookie).status_code == 401
    assert client.get("/console/queue", headers=bearing(key_of("analyst", "*"))).status_code == 303


@pytest.mark.parametrize("role", ["clearance", "analyst", "auditor"])
def test_what_belongs_to_another_office_is_not_there(
    client: TestClient, key_of: Any, person_of: PersonOf, role: str
) -> None:
    mine, every = bearing(key_of(role, OWN)), bearing(key_of(role, "*"))
    may = {name for name, row in PERMISSIONS.items() if role in row.roles}
    for name, path in (("get_consignment", ""), ("get_dossier", "/dossier")):
        if name in may:
            assert client.get(f"/v1/consignments/HAWB000000001{path}", headers=mine).status_code == 200
            assert client.get(f"/v1/consignments/HAWB000000002{path}", headers=mine).status_code == 404
            assert client.get(f"/v1/consignments/HAWB000000002{path}", headers=every).status_code == 200
    if "get_queue" in may:
        assert client.get("/v1/queue", params={"office": OWN}, headers=mine).status_code == 200
        assert client.get("/v1/queue", params={"office": OTHER}, headers=mine).status_code == 403
    if "post_outcomes" in may:
        told = client.post("/v1/outcomes", json={"outcomes": [outcome(1), outcome(2)]}, headers=mine)
        assert told.status_code == 422
        assert [error["pointer"] for error in told.json()["errors"]] == ["/outcomes/1"]
    if role == "clearance":
        sent = body(declared(31, office=OWN), declared(32, office=OTHER), message_id="M-two-offices")
        told = client.post("/v1/consignments", json=sent, headers=mine)
        assert [error["pointer"] for error in told.json()["errors"]] == ["/consignments/1"]
        flat = "consignment_id,stream,lodged_at,office,description\nA,express,2026-02-03T12:00:00Z,FRLYS1,shoes\n"
        assert client.post("/v1/messages", content=flat.encode(), headers=mine).status_code == 422
        assert client.get("/v1/consignments/HAWB000000031", headers=every).status_code == 404  # nothing was recorded
    else:
        page = as_person(*person_of(role, OWN), "GET")
        assert client.get("/console/consignments/HAWB000000001", **page).status_code == 200
        assert client.get("/console/consignments/HAWB000000002", **page).status_code == 404
        assert client.get("/console/queue", params={"office": OTHER}, **page).status_code == 403


def test_an_analyst_says_nothing_about_another_office(client: TestClient, person_of: PersonOf) -> None:
    caller = as_person(*person_of("analyst", OWN), "POST")
    for what in ("override", "outcome"):
        assert client.post(f"/console/consignments/HAWB000000002/{what}", **caller).status_code == 404


def test_clearance_learns_what_to_do_and_not_how_much_it_weighed(client: TestClient, key_of: Any) -> None:
    number = app_state(client).explained
    full, plain = (
        client.get(f"/v1/consignments/{number}", headers=bearing(key_of(role, "*"))).json()["decisions"][0]
        for role in ("analyst", "clearance")
    )
    assert any("contribution" in reason for reason in full["reasons"])
    assert all(set(reason) == {"code", "text"} for reason in plain["reasons"])
    for told, shown in zip(full["reasons"], plain["reasons"], strict=True):
        if told.get("contribution") is not None:
            assert told["text"].startswith(shown["text"])
            assert ":" not in shown["text"]  # neither the value nor which way
    assert {k: v for k, v in full.items() if k != "reasons"} == {k: v for k, v in plain.items() if k != "reasons"}


def test_no_answer_in_other_words_says_more(client: TestClient, key_of: Any) -> None:
    """A carrier's message is answered as a table too; there as well clearance gets words alone."""
    flat = "consignment_id,stream,lodged_at,office,dispatch_country,consignor_name,consignor_phone,description\n"
    lines = [
        f"CSV{n},express,2026-02-03T23:59:{n:02d}Z,FRMRS1,CN,Shop {n + 50},+86 138 1234 5678,perfume" for n in range(8)
    ]
    content = (flat + "\n".join(lines) + "\n").encode()
    shown = {
        kind: client.post(
            f"/v1/messages?answer={kind}", content=content, headers=bearing(key_of("clearance", "*"))
        ).text
        for kind in ("json", "csv")
    }
    key = bearing(key_of("analyst", "*"))
    answers = [client.get(f"/v1/consignments/CSV{n}", headers=key).json() for n in range(len(lines))]
    reasons = [reason for answer in answers for reason in answer["decisions"][0]["reasons"]]
    told = [reason["text"] for reason in reasons if reason.get("contribution") is not None]
    assert told
    assert not any(text in answer for text in told for answer in shown.values())


def latest_read(client: TestClient) -> dict[str, Any]:
    assert client.app.state.read_log.move()  # type: ignore[attr-defined]
    return access(client).reads(1)[0]


def test_every_read_of_personal_data_is_logged_with_its_purpose(
    client: TestClient, key_of: Any, person_of: PersonOf
) -> None:
    key = bearing(key_of("clearance", "*"))
    assert client.get("/v1/consignments/HAWB000000001", headers=key).status_code == 200
    last = latest_read(client)
    assert (last["who"], last["role"], last["purpose"]) == ("clearance-all", "clearance", "tests")
    assert (last["route"], last["subject"]) == ("get_consignment", "HAWB000000001")
    client.get("/console/consignments/HAWB000000001", **as_person(*person_of("analyst", "*"), "GET"))
    last = latest_read(client)
    assert (last["who"], last["route"], last["purpose"]) == ("analyst-all", "consignment_page", "audit")


def test_every_search_is_logged_with_its_purpose_and_a_trace_of_its_key(
    client: TestClient, key_of: Any, person_of: PersonOf
) -> None:
    """The same key has the same trace, by machine and by person, and however it is spaced; no log shows the key."""
    store, typed = access(client).store, "+86 138 1234 5678"
    secret, principal = person_of("analyst", "*")
    found = client.get("/v1/search", params={"key": typed}, headers=bearing(key_of("analyst", "*")))
    assert found.status_code == 200
    by_machine = latest_read(client)
    assert (by_machine["who"], by_machine["route"], by_machine["purpose"]) == ("analyst-all", "get_search", "tests")
    form = {"csrf": principal.csrf, "key": "+8613812345678"}
    sent = client.post("/console/search", data=form, headers={"Cookie": f"{COOKIE}={secret}"})
    assert sent.status_code == 303
    assert "138" not in sent.headers["location"]
    page = client.get(sent.headers["location"], **as_person(secret, principal, "GET"))
    assert page.status_code == 200
    by_person = latest_read(client)
    assert (by_person["route"], by_person["purpose"]) == ("found_page", "audit")
    assert by_person["subject"] == by_machine["subject"] == trace_of(store, typed)
    assert re.fullmatch("[0-9A-F]{16}", by_person["subject"])
    assert {read["route"] for read in reads_traced(store, typed)} == {"get_search", "found_page"}
    assert reads_traced(store, "+8613812345679") == []
    other = client.get(f"/console/search/{'A' * 60}", **as_person(secret, principal, "GET"))
    assert other.status_code == 404  # nothing that was not sealed here


@pytest.mark.parametrize(
    ("params", "pointer"),
    [
        ({}, "/key"), ({"key": " "}, "/key"), ({"key": "x" * 201}, "/key"), ({"key": "ab*"}, "/key"),
        ({"key": "no number", "kind": "telephone"}, "/key"), ({"key": "x", "kind": "colour"}, "/kind"),
    ],
)  # fmt: skip
def test_a_search_that_cannot_be_made_names_the_field_and_the_remedy(
    client: TestClient, key_of: Any, params: dict[str, str], pointer: str
) -> None:
    answer = client.get("/v1/search", params=params, headers=bearing(key_of("analyst", "*")))
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] == pointer
    assert len(error["remedy"].split()) > 3
    assert "no number" not in answer.text


def test_nothing_personal_and_no_secret_is_in_logs_metrics_or_errors(
    client: TestClient,
    key_of: Any,
    person_of: PersonOf,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Canaries on every way in: what was sent comes out of no log, no counter and no refusal."""
    canary = "kanarienvogel9"
    key, (secret, principal) = key_of("clearance", "*"), person_of("analyst", "*")
    named = {"name": f"{canary} Name", "address": canary, "email": f"{canary}@x.example", "phone": canary}
    sent = declared(77, consignor=named, consignee={**named, "country": "FR"}, office=OWN)
    told: list[str] = []
    logging.getLogger("httpx").setLevel(logging.WARNING)  # the client of the tests logs what it asks for
    with caplog.at_level(logging.DEBUG):
        client.post("/v1/consignments", json=body(sent, message_id="M-canary"), headers=bearing(key))
        broken = {**sent, "gross_mass_kg": canary, "stream": canary}
        for name, method, path in EVERY_ROUTE:
            for caller in ({"headers": bearing(key)}, as_person(secret, principal, method)):
                if name in ("log_out", "post_consignments"):
                    continue
                extra = {"params": {"office": canary, "stage": canary, "since": canary, "key": canary}}
                answer = client.request(method, path.replace("{consignment_id:path}", "none"), **extra, **caller)
                if answer.status_code >= 400:
                    told.append(answer.text)
        refused = client.post("/v1/consignments", json=body(broken, message_id="M-canary2"), headers=bearing(key))
        assert refused.status_code == 422
        told += [refused.text, client.get("/metrics").text, client.get("/readyz").text]
    captured = capsys.readouterr()
    for place in (*told, captured.out, captured.err, caplog.text):
        assert canary not in place
        assert key not in place
        assert secret not in place
        assert PASSWORD not in place


RUBBISH = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(["\x00", "../../etc/passwd", "%00", "' OR 1=1 --", "1e999", "\u202e", "a" * 5000, "P-ZZZZ", "NaN"]),
)
FIELDS = (
    *(
        "decision_id",
        "clearance",
        "reason",
        "result",
        "findings",
        "stage",
        "items_found",
        "right_holder",
        "one",
        "other",
    ),
    *(
        "verdict",
        "text",
        "version",
        "word",
        "page",
        "name",
        "role",
        "offices",
        "purpose",
        "days",
        "language",
        "password",
    ),
    *("office", "lane", "beyond", "physical", "criminal_link", "told", "key", "kind"),
)


@pytest.mark.parametrize(("name", "method", "path"), [one for one in EVERY_ROUTE if one[2].startswith("/console")])
@settings(max_examples=12, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_rubbish_gets_a_polite_page(
    client: TestClient, person_of: PersonOf, name: str, method: str, path: str, data: st.DataObject
) -> None:
    """Whatever stands in the address and in the fields of a form: a page, and never a fault of ours."""
    if name == "log_out":
        return
    role = next(iter(PERMISSIONS[name].roles), "analyst")
    secret, principal = person_of(role, "*")
    for pattern in FILLED:
        path = path.replace(pattern, quote(data.draw(RUBBISH), safe="") or "x")
    fields = data.draw(st.dictionaries(st.sampled_from(FIELDS), RUBBISH, max_size=6))
    told: dict[str, Any] = {"headers": {"Cookie": f"{COOKIE}={secret}"}}
    told |= {"data": {**fields, "csrf": principal.csrf}} if method == "POST" else {"params": fields}
    answer = client.request(method, path, **told)
    assert answer.status_code < 500, (name, path, fields)
    if answer.status_code >= 400 and answer.status_code != 429:
        assert answer.headers["content-type"].startswith("text/html")


def test_an_open_installation_asks_no_machine_and_every_person(home: Settings) -> None:
    with TestClient(create(home.model_copy(update={"access": "open"})), follow_redirects=False) as opened:
        assert opened.get("/v1/queue", params={"office": OWN}).status_code == 200
        assert opened.get("/console/queue").status_code == 303


def test_a_caller_that_calls_too_often_waits() -> None:
    limit = Limit(calls_a_minute=60)
    assert [limit.lets("one") for _ in range(12)].count(True) == 10
    assert limit.lets("another")


# what is behind the door


def test_a_password_opens_a_session_and_no_other_does(known: Access) -> None:
    accept(known, "ana", at=NOON)
    secret = known.log_in("ana", PASSWORD, "targeting", NOON)
    principal = known.person(secret, NOON)
    assert principal is not None
    assert (principal.name, principal.role, principal.purpose) == ("ana", "analyst", "targeting")
    for name, password in (("ana", "not this one at all"), ("nobody", PASSWORD)):
        with pytest.raises(Denied, match="wrong name"):
            known.log_in(name, password, "targeting", NOON)
    assert known.person("forged", NOON) is None


def test_a_session_ends_when_it_is_not_used_and_in_any_case(known: Access, tmp_path: Path) -> None:
    accept(known, "ana", at=NOON)
    secret = known.log_in("ana", PASSWORD, "targeting", NOON)
    assert known.person(secret, NOON + IDLE) is not None
    log, at = ReadLog(known.store, tmp_path / "read-log"), NOON + IDLE
    while at < NOON + WHOLE:
        principal = known.person(secret, at)
        assert principal is not None
        log.use(principal.session, at)
        assert log.move()
        at += IDLE - timedelta(minutes=2)
    log.close()
    assert known.person(secret, NOON + WHOLE + timedelta(seconds=1)) is None
    other = known.log_in("ana", PASSWORD, "targeting", NOON)
    assert known.person(other, NOON + IDLE + timedelta(seconds=1)) is None


def test_log_out_and_a_closed_account_end_sessions(known: Access) -> None:
    accept(known, "ana", at=NOON)
    first, second = (known.log_in("ana", PASSWORD, "targeting", NOON) for _ in range(2))
    principal = known.person(first, NOON)
    assert principal is not None
    known.log_out(principal.session)
    assert known.person(first, NOON) is None
    known.close_account("ana", "ada", NOON)
    assert known.person(second, NOON) is None
    with pytest.raises(Denied):
        known.log_in("ana", PASSWORD, "targeting", NOON)
    with pytest.raises(Denied, match="own"):
        known.close_account("ada", "ada", NOON)


def test_who_guesses_waits_longer_each_time(known: Access) -> None:
    accept(known, "ana", at=NOON)
    waits, at = [], NOON
    for number in range(TRIES + 12):
        with pytest.raises(Denied):
            known.log_in("ana", "guessed and guessed", "targeting", at)
        began = at
        while number >= TRIES - 1:
            try:
                known.log_in("ana", "guessed and guessed", "targeting", at)
            except Denied as denied:
                if "wait" not in str(denied):
                    break
            at += timedelta(seconds=1)
        waits.append((at - began).total_seconds())
        if len(waits) > TRIES + 4:
            break
    assert waits[: TRIES - 1] == [0] * (TRIES - 1)
    assert waits[TRIES:] == sorted(waits[TRIES:])
    assert waits[-1] > waits[TRIES]
    known.log_in("ana", PASSWORD, "targeting", at + timedelta(hours=1))  # and is let in again in the end


def test_a_one_time_link_works_once_and_not_for_ever(known: Access) -> None:
    token = known.invite("", "admin", ["*"], "set-up", NOON)
    assert not known.has_accounts()
    for name, password, why in (("x y", PASSWORD, "name"), ("ada", "short", "password")):
        with pytest.raises(Denied, match=why):
            known.accept(token, name, password, "fr", NOON)
    known.accept(token, "ada", PASSWORD, "fr", NOON)
    assert known.has_accounts()
    principal = known.person(known.log_in("ada", PASSWORD, "audit", NOON), NOON)
    assert principal is not None
    assert principal.language == "fr"
    with pytest.raises(Denied, match="used"):
        known.accept(token, "eve", PASSWORD, "en", NOON)
    late = known.invite("bob", "analyst", ["*"], "ada", NOON)
    with pytest.raises(Denied, match="expired"):
        known.accept(late, "", PASSWORD, "en", NOON + timedelta(days=4))
    taken = known.invite("", "admin", ["*"], "ada", NOON)
    with pytest.raises(Denied, match="account with this name"):
        known.accept(taken, "ada", PASSWORD, "en", NOON)


def test_a_link_for_an_account_that_is_there_gives_it_a_new_password(known: Access) -> None:
    accept(known, "ana", at=NOON)
    old = known.log_in("ana", PASSWORD, "targeting", NOON)
    known.accept(known.invite("ana", "auditor", [OWN], "ada", NOON), "", PASSWORD[::-1], "en", NOON)
    assert known.person(old, NOON) is None
    with pytest.raises(Denied):
        known.log_in("ana", PASSWORD, "audit", NOON)
    principal = known.person(known.log_in("ana", PASSWORD[::-1], "audit", NOON), NOON)
    assert principal is not None
    assert (principal.role, principal.offices) == ("auditor", (OWN,))


def test_keys_change_over_expire_and_are_revoked(known: Access) -> None:
    keys = [known.make_key("c1", "clearance", ["*"], "p", "ada", NOON, days=n + 1) for n in range(LIVE_KEYS)]
    with pytest.raises(Denied, match="revoke one first"):
        known.make_key("c1", "clearance", ["*"], "p", "ada", NOON)
    assert all(known.machine(key, NOON) for key in keys)
    fresh = Access(known.store)  # remembers none of them
    assert fresh.machine(keys[0], NOON + timedelta(days=1)) is None
    assert fresh.machine(keys[1], NOON + timedelta(days=1)) is not None
    known.revoke_key(keys[1].split("_")[1], "ada", NOON)
    assert known.machine(keys[1], NOON) is None
    assert Access(known.store).machine(keys[1], NOON) is None
    damaged = keys[0][:-1] + ("A" if keys[0][-1] != "A" else "B")
    for wrong in (damaged, "", "tamis_", keys[0] + "x", "tamis_000000000000_" + "x" * 43):
        assert Access(known.store).machine(wrong, NOON) is None


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": "a b"}, "name"), ({"role": "root"}, "role"), ({"offices": []}, "offices"),
        ({"purpose": " "}, "purpose"), ({"days": 0}, "days"), ({"days": 366}, "days"),
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_says_why(known: Access, given: dict[str, Any], why: str) -> None:
    told = {"name": "c1", "role": "clearance", "offices": ["*"], "purpose": "p", "by": "ada", "now": NOON, **given}
    with pytest.raises(Denied, match=why):
        known.make_key(**told)


def test_a_key_is_known_without_the_store_for_a_minute_after_it_was_verified(
    known: Access, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = known.make_key("c1", "clearance", ["*"], "p", "ada", NOON)
    assert known.remembered(key) is None  # made, never used
    caller = known.machine(key, NOON)
    assert caller is not None
    assert known.remembered(key) == caller
    elsewhere = Machines(known.store)
    assert elsewhere.machine(key, NOON)
    known.revoke_key(key.split("_")[1], "ada", NOON)
    assert known.remembered(key) is None  # at once where it was revoked, in a minute elsewhere
    assert elsewhere.remembered(key)
    later = time.monotonic() + REMEMBERED.total_seconds()
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert elsewhere.remembered(key) is None
    assert elsewhere.machine(key, NOON) is None


def test_no_secret_lies_in_the_store_and_who_was_let_in_is_on_the_chain(known: Access, tmp_path: Path) -> None:
    accept(known, "ana", at=NOON)
    secret = known.log_in("ana", PASSWORD, "targeting", NOON)
    key = known.make_key("c1", "clearance", ["*"], "p", "ada", NOON)
    with known.store.reading() as connection:
        rows = [
            json.dumps([str(cell) for cell in row])
            for table in ("accounts", "invitations", "sessions", "keys", "chain")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        ]
    assert not any(hidden in row for row in rows for hidden in (secret, key, key.split("_", 2)[2], PASSWORD))
    assert [row for row in rows if '"access"' in row and "logged in" in row]
    assert verify_record(known.store, tmp_path / "none", tmp_path / "keys").holds


# another lane


def test_an_override_counts_in_the_queue_stays_on_record_and_never_lets_chance_go(
    desk: Any, store: Store, tmp_path: Path
) -> None:
    from service.targeting import target
    from tests.service.building import message

    decided = target(message(*(declared(n) for n in range(1, 500))), desk).rows
    green = next(row for row in decided if row["clearance"] == "green")
    random = next(row for row in decided if row["selection"] == "random")

    def say(row: dict[str, Any], lane: str, reason: str = "seen before") -> None:
        override_lane(store, row["decision_id"], lane, "ana", reason, NOON, consignment_id=row["consignment_id"])

    def waiting() -> set[str]:
        return {one["consignment_id"] for one in queue(store, OWN, "clearance", NOON.date())}

    assert green["consignment_id"] not in waiting()
    say(green, "red")
    assert green["consignment_id"] in waiting()
    say(green, "green", "the file explains it")
    assert green["consignment_id"] not in waiting()
    for row, lane, reason, why in (
        (random, "green", "x", "random control"), (green, "purple", "x", "clearance"), (green, "red", " ", "reason"),
        ({**green, "decision_id": "none"}, "red", "x", "no decision"),
        ({**green, "consignment_id": "other"}, "red", "x", "no decision"),
    ):  # fmt: skip
        with pytest.raises(Exception, match=why):
            say(row, lane, reason)
    assert verify_record(store, tmp_path / "none", tmp_path / "keys").holds
    with store.writing() as connection:
        connection.exec_driver_sql("UPDATE overrides SET clearance = 'yellow' WHERE counts")
    assert any("override was changed" in fault for fault in
               verify_record(store, tmp_path / "none", tmp_path / "keys").faults)  # fmt: skip


def test_who_tries_many_log_ins_at_once_waits_whatever_the_name(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "LOG_INS_A_MINUTE", 6)  # a busy machine takes a second for each: the count must run out
    with TestClient(create(home)) as opened:
        told = [
            opened.post("/console/log-in", data={"name": f"n{n}", "password": "x", "purpose": "audit"}).status_code
            for n in range(40)
        ]
        assert told[0] == 401
        assert 429 in told
        assert opened.get("/console/log-in").status_code == 200  # to look at the page is free


def test_failures_that_come_at_once_are_all_counted(known: Access) -> None:
    from concurrent.futures import ThreadPoolExecutor

    accept(known, "ana", at=NOON)

    def guess(_: int) -> None:
        with pytest.raises(Denied):
            known.log_in("ana", "guessed and guessed", "targeting", NOON)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(guess, range(TRIES)))
    with pytest.raises(Denied, match="wait"):
        known.log_in("ana", PASSWORD, "targeting", NOON)


def test_every_body_of_the_api_is_read_within_bounds() -> None:
    """FastAPI alone reads a body of any depth and answers another status where it is no JSON."""
    plain = [
        (route.path, method)
        for route in (route for router in ROUTERS for route in cast("list[APIRoute]", router.routes))
        for method in route.methods or ()
        if route.path.startswith("/v1/")
        and method == "POST"
        and route.body_field
        and not isinstance(route, BoundedRoute)
    ]
    assert plain == []


def test_every_whole_number_of_a_route_is_bounded() -> None:
    """A number that no database holds must be refused before one is asked."""
    unbounded = []
    for route in (route for router in ROUTERS for route in cast("list[APIRoute]", router.routes)):
        for field in (*route.dependant.path_params, *route.dependant.query_params):
            bounds = {type(bound).__name__ for bound in field.field_info.metadata}
            if "int" in str(field.field_info.annotation) and not {"Ge", "Le"} <= bounds:
                unbounded.append((route.path, field.name))
    assert unbounded == []


def test_a_proposal_beyond_all_numbers_is_refused(client: TestClient, person_of: PersonOf) -> None:
    secret, principal = person_of("analyst", "*")
    for number in ("9" * 19, "9" * 400, "0", "-1"):
        answer = client.post(f"/console/proposals/{number}", **as_person(secret, principal, "POST"))
        assert answer.status_code == 422
