"""Where the store cannot be reached, every guarded route says 503 and when to come again, to machines and people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.access.permissions import PERMISSIONS
from service.access.principal import Principal
from service.app import create
from service.settings import Settings
from service.store.database import Store
from tests.service.access.closed import EVERY_ROUTE, OWN, PASSWORD, accept, access, bearing, now
from tests.service.access.test_access import BODIES, FILLED
from tests.service.building import body, declared
from tests.service.store.between import Between

GUARDED = [one for one in EVERY_ROUTE if not PERMISSIONS[one[0]].public]
ROLES = ("analyst", "auditor", "clearance", "admin", "data_scientist", "right_holder")


class Callers:
    """Keys and sessions, made while the store is there; a key that nobody has used yet is not remembered."""

    def __init__(self, client: TestClient) -> None:
        known = access(client)
        self.keys = {role: known.make_key(role, role, ["*"], "tests", "tests", now()) for role in ROLES}
        self.people: dict[str, tuple[str, Principal]] = {}
        for role in ROLES[:-1]:
            if role != "clearance":
                accept(known, role, role)
                secret = known.log_in(role, PASSWORD, "audit", now())
                principal = known.person(secret, now())
                assert principal is not None
                self.people[role] = secret, principal

    def call(self, client: TestClient, name: str, method: str, path: str) -> httpx.Response:
        role = next(role for role in ROLES if role in PERMISSIONS[name].roles)
        path = path.replace("{sealed}", access(client).store.pseudonyms.sealed("HAWB000000001"))
        for pattern, filled in FILLED.items():
            path = path.replace(pattern, filled)
        if not path.startswith("/console"):
            told = {**BODIES.get(name, {}), "headers": bearing(self.keys[role])}
            answer: httpx.Response = client.request(method, path, **told)
            return answer
        secret, principal = self.people[role]
        given: dict[str, Any] = {"data": {"csrf": principal.csrf}} if method == "POST" else {}
        page: httpx.Response = client.request(method, path, headers={"Cookie": f"{COOKIE}={secret}"}, **given)
        return page


@contextmanager
def opened(home: Settings, store: str) -> Iterator[TestClient]:
    settings = home.model_copy(update={"store": store, "answer_seconds": 20.0, "access": "keys"})
    with TestClient(create(settings), follow_redirects=False, raise_server_exceptions=False) as client:
        yield client


def test_every_guarded_route_says_503_while_postgresql_is_out(between: tuple[Between, str], home: Settings) -> None:
    store, address = between
    with opened(home, address) as client:
        callers = Callers(client)
        used = callers.keys["clearance"]
        sent = body(declared(1, office=OWN), message_id="M1")
        assert client.post("/v1/consignments", json=sent, headers=bearing(used)).status_code == 200
        store.fail("refuse")
        wrong = []
        for name, method, path in GUARDED:
            answer = callers.call(client, name, method, path)
            if (answer.status_code, answer.headers.get("retry-after")) != (503, "5") and name != "openapi":
                wrong.append((name, answer.status_code))
        assert wrong == []
        unknown = client.get("/v1/queue", params={"office": OWN}, headers=bearing(f"tamis_{'0' * 12}_{'x' * 43}"))
        assert (unknown.status_code, unknown.headers["retry-after"]) == (503, "5")
        healthy = client.get("/healthz", headers=bearing(callers.keys["analyst"]))
        assert healthy.status_code == 200  # it needs no store, whatever key is sent
        secret = callers.people["analyst"][0]
        page = client.get("/console/queue", headers={"Cookie": f"{COOKIE}={secret}"})
        assert page.headers["content-type"].startswith("text/html")
        login = {"name": "analyst", "password": PASSWORD, "purpose": "audit"}
        assert client.post("/console/log-in", data=login).status_code == 503
        store.mend()
        assert callers.call(client, "queue_page", "GET", "/console/queue").status_code == 200


NOT_ON_RECORD = {  # looked for all the same
    "get_investigation", "get_document", "investigation_page", "document_file", "list_page",
}  # fmt: skip
READS = [one for one in GUARDED if PERMISSIONS[one[0]].reads and one[1] == "GET" and "network" not in one[0]]


@contextmanager
def writing_for_long(store: Store) -> Iterator[None]:
    """Hold the lock of writers, as a command does that writes a day."""
    held, over = threading.Event(), threading.Event()

    def write() -> None:
        with store.writing():
            held.set()
            over.wait(60)

    thread = threading.Thread(target=write)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        over.set()
        thread.join()


def test_who_reads_waits_for_no_writer(home: Settings) -> None:
    """SQLite has one writer: a command that writes for long must not keep officers from reading."""
    with opened(home, "") as client:
        callers, store = Callers(client), access(client).store
        sent = body(declared(1, office=OWN), message_id="M1")
        key = callers.keys["clearance"]
        assert client.post("/v1/consignments", json=sent, headers=bearing(key)).status_code == 200
        with writing_for_long(store):
            answers = {one[0]: callers.call(client, *one).status_code for one in READS}
            refused = callers.call(client, "post_judgement", "POST", "/v1/judgements")
        assert answers == {name: 404 if name in NOT_ON_RECORD else 200 for name in answers}
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert client.app.state.read_log.move()  # type: ignore[attr-defined]
        assert [row["route"] for row in access(client).reads(len(READS))][::-1] == list(answers)
