"""Whoever chose another language reads no English: on any page, in any fault, of any route of the console."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from features.choices import OF_PEOPLE
from service.access.guard import COOKIE
from service.access.permissions import PERMISSIONS
from service.access.principal import Principal
from service.app import create
from service.officers.cases import Detained, detain
from service.officers.holder_answers import ask_holder
from service.officers.investigations import Item, give_task, open_investigation
from service.officers.purchases import Order, order
from service.orientation.track_conditions import Tracks
from service.parties.linking_switch import LinkingSwitch
from service.parties.watch_lists import import_list
from service.record.ownership import INSTALLATION
from service.record.search_index import catch_up
from service.settings import Settings
from tests.service.access.closed import EVERY_ROUTE, OWN, PASSWORD, access, bearing, now
from tests.service.building import NOON, app_state, body, declared
from tests.service.console.every_page import latin_words, said_on

LANGUAGES = ("en", "fr", "zh")
NAMES = {  # of products, standards and keys, which no language has another word for
    *("Tamis", "tamis", "CSV", "IOSS", "GTIN", "UTC", "Esc", "CET", "CEST", "ISO", "TOML", "English", "Français"),
    *("monitor", "invite", "NAME", "API"),
}
PEOPLE = re.compile(rf"\b({'|'.join(OF_PEOPLE)})-(en|fr|zh)\b|\bShop \d")  # whose names stand in labels and titles
ALIKE = {  # whole texts that French has as English has them
    *("Audit", "Pages", "Page", "Source", "Version", "Documents", "Message", "Parties", "Exploration", "exploration"),
    *("documents", "message", "express", "Nature", "Orientation", "Destination", "Transit", "Transport", "active"),
    *("audit", "Tamis", "English", "Français", "CSV"),
}
PHONE = "+86 138 1234 5678"
NUMBER = "HAWB000000300"


@dataclass(frozen=True)
class Seen:
    """A service with something on each of its pages, and what fills the paths of its routes."""

    client: TestClient
    paths: dict[str, str]
    people: dict[tuple[str, str], tuple[str, Principal]]

    def asked(self, role: str, language: str, method: str, path: str, **how: Any) -> httpx.Response:
        """A request of a person of a role who reads a language; a form carries the token."""
        for pattern, filled in self.paths.items():
            path = path.replace(pattern, filled)
        headers = {"Accept-Language": language}
        if role:
            secret, principal = self.people[role, language]
            headers["Cookie"] = f"{COOKIE}={secret}"
            if method == "POST":
                how["data"] = {"csrf": principal.csrf, **how.get("data", {})}
        answer: httpx.Response = self.client.request(method, path, headers=headers, **how)
        return answer


@pytest.fixture(scope="module")
def seen(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    home = tmp_path_factory.mktemp("every-page") / "home"
    shutil.copytree(quick_home, home)
    settings = Settings(home=home, access="keys", calls_a_minute=100_000)
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOON)
    with TestClient(create(settings), follow_redirects=False) as opened:
        known = access(opened)
        key = bearing(known.make_key("seed", "clearance", ["*"], "clearance of parcels", "tests", now()))
        many = [
            declared(
                300 + n, office=OWN, lodged_at=now() - timedelta(minutes=30 - n),
                goods=[{"description": "parfum", "hs_code": "330300", "quantity": 30, "value": 4.0, "currency": "EUR"}],
                consignor={"name": f"Shop {n}", "city": "Yiwu", "country": "CN", "phone": PHONE},
            )
            for n in range(6)
        ]  # fmt: skip
        decided = opened.post("/v1/consignments", json=body(*many, message_id="M1"), headers=key).json()["decisions"]
        journal = app_state(opened).desk.journal
        detain(journal, Detained(NUMBER, now(), "o-7", "FR", "Maison"), Tracks())
        import_list(known.store, "stars", b"id,schema,name\n1,Person,Star\n", source="unit 7", by="ada", at=1_000)
        catch_up(known.store)
        people = {(str(role), language): person(opened, role, language) for role in OF_PEOPLE for language in LANGUAGES}
        items = [Item("consignment", NUMBER), Item("party", journal.decisions_on(NUMBER)[0]["party_id"])]
        inquiry = open_investigation(known.store, "parfum", items, INSTALLATION, "ada", now())
        give_task(known.store, inquiry, "parfum", "ada", "", INSTALLATION, "ada", now())
        placed = Order({"url": "https://x.example"}, "parfum", {"name": "Ann Lee"}, OWN, "o-7", now())
        order(known.store, placed)
        asked = ask_holder(known.store, NUMBER, "o-7", now())
        paths = {
            "/answer/{token}": f"/answer/{asked}", "{list_id:path}": "stars",
            "/investigations/{number}": f"/investigations/{inquiry}",
            "{consignment_id:path}": NUMBER, "{code}": journal.decisions_on(NUMBER)[0]["party_id"],
            "{token}": known.invite("", "analyst", ["*"], "tests", now()), "{key_id}": "none", "{name}": "none",
            "{number}": "1", "{sealed}": known.store.pseudonyms.sealed(PHONE),
        }  # fmt: skip
        assert decided[0]["consignment_id"] == NUMBER
        yield Seen(opened, paths, people)


def person(client: TestClient, role: str, language: str) -> tuple[str, Principal]:
    known, name = access(client), f"{role}-{language}"
    known.accept(known.invite(name, role, ["*"], "tests", now()), "", PASSWORD, language, now())
    secret = known.log_in(name, PASSWORD, "audit", now())
    principal = known.person(secret, now())
    assert principal is not None
    return secret, principal


PAGES = sorted(
    (name, path, role)
    for name, method, path in EVERY_ROUTE
    if method == "GET" and path.startswith("/console/") and name not in ("oidc_callback", "static")
    and not name.endswith(("_csv", "_file"))
    for role in (PERMISSIONS[name].roles or {""})
)  # fmt: skip
QUERIES = {"queue_page": {"office": OWN}, "capacity_page": {"office": OWN, "physical": "3"}}
FAULTS: list[tuple[str, str, str, dict[str, Any]]] = [  # role, method, path, what is wrong with it
    ("", "POST", "/console/log-in", {"data": {"name": "nobody", "password": "x", "purpose": "audit"}}),
    ("", "POST", "/console/log-in", {"data": {"purpose": "nothing"}}),
    ("", "GET", "/console/invitation/none", {}),
    ("", "POST", "/console/invitation/{token}", {"data": {"name": "new", "password": "short"}}),
    ("", "POST", "/console/invitation/none", {"data": {"name": "new", "password": "a long enough password"}}),
    ("", "GET", "/console/nowhere", {}),
    ("", "GET", "/console/elsewhere/back", {}),
    ("admin", "POST", "/console/access/invite", {"data": {"name": "!", "role": "analyst", "offices": "*"}}),
    ("admin", "POST", "/console/access/invite", {"data": {"name": "n", "role": "none", "offices": "*"}}),
    ("admin", "POST", "/console/access/invite", {"data": {"name": "n", "role": "analyst", "offices": ""}}),
    ("admin", "POST", "/console/access/keys", {"data": {"name": "k", "role": "analyst", "offices": "*", "days": "x"}}),
    ("admin", "POST", "/console/access/keys", {"data": {"name": "k", "role": "analyst", "offices": "*"}}),
    ("admin", "POST", "/console/access/invite", {"data": {"csrf": "none"}}),
    ("admin", "GET", "/console/queue", {}),
    ("auditor", "POST", "/console/audit/replay", {"data": {"decision_id": "nothing"}}),
    ("data_scientist", "POST", "/console/model/proposals", {"data": {"version": "x", "reason": "y"}}),
    ("data_scientist", "POST", "/console/model/proposals", {"data": {"version": "3", "reason": ""}}),
    ("analyst", "POST", "/console/policy/proposals", {"data": {"text": "id = 3", "reason": "y"}}),
    ("analyst", "POST", "/console/policy/proposals", {"data": {"text": "id =", "reason": "y"}}),
    ("analyst", "POST", "/console/proposals/77", {"data": {"word": "refuse", "page": "policy"}}),
    ("analyst", "POST", "/console/proposals/x", {}),
    ("analyst", "GET", "/console/capacity", {"params": {"physical": "many"}}),
    ("analyst", "GET", "/console/queue", {"params": {"office": OWN, "day": "2026-02-31"}}),
    ("analyst", "GET", "/console/queue", {"params": {"office": OWN, "day": "soon"}}),
    ("analyst", "GET", "/console/queue", {"params": {"office": "NOWHERE"}}),
    ("analyst", "GET", "/console/consignments/none", {}),
    ("analyst", "POST", "/console/search", {"data": {"key": ""}}),
    ("analyst", "POST", "/console/search", {"data": {"key": "a*"}}),
    ("analyst", "POST", "/console/search", {"data": {"key": "x", "kind": "telephone"}}),
    ("analyst", "POST", "/console/networks/{code}", {"data": {"verdict": "same", "one": "x", "other": "y"}}),
    ("analyst", "POST", "/console/networks/{code}",
     {"data": {"verdict": "same", "one": "x", "other": "y", "reason": "z"}}),
    ("analyst", "POST", "/console/consignments/{consignment_id:path}/override",
     {"data": {"clearance": "red", "reason": "", "decision_id": "x"}}),
    ("analyst", "POST", "/console/consignments/{consignment_id:path}/outcome", {"data": {"result": "none"}}),
    ("analyst", "POST", "/console/consignments/{consignment_id:path}/undo", {"data": {"what": "recorded"}}),
    ("analyst", "PUT", "/console/queue", {}),
]  # fmt: skip


def english_left(texts: list[str], english: list[str], language: str) -> list[str]:
    """What of a page in another language is English: the same text as there, or, in Chinese, any Latin word."""
    texts, english = ([PEOPLE.sub("", text).strip() for text in each] for each in (texts, english))
    if language == "zh":
        return [text for text in texts if {*latin_words(text)} - NAMES]
    same = {text for text in texts if text in english and {*latin_words(text)} - NAMES}
    return sorted(text for text in same if text.removesuffix(" · Tamis").strip(" :·–,()") not in ALIKE)


@pytest.mark.parametrize(("name", "path", "role"), PAGES, ids=lambda one: str(one))
def test_no_page_is_left_in_english(seen: Seen, name: str, path: str, role: str) -> None:
    pages = {}
    for language in LANGUAGES:
        answer = seen.asked(role, language, "GET", path, params=QUERIES.get(name, {}))
        if answer.status_code == 303:
            return  # it shows no page of its own
        assert answer.status_code == (403 if name == "home_page" else 200), answer.text
        assert f'lang="{language}"' in answer.text
        pages[language] = said_on(answer.text)
    assert len(pages["en"]) > 3
    for language in LANGUAGES[1:]:
        assert english_left(pages[language], pages["en"], language) == []


@pytest.mark.parametrize(("role", "method", "path", "how"), FAULTS)
def test_no_fault_is_left_in_english(seen: Seen, role: str, method: str, path: str, how: dict[str, Any]) -> None:
    pages = {}
    for language in LANGUAGES:
        answer = seen.asked(role, language, method, path, **how)
        assert 400 <= answer.status_code < 500, answer.text
        assert 'role="alert"' in answer.text or answer.status_code == 404
        pages[language] = said_on(answer.text)
    for language in LANGUAGES[1:]:
        assert english_left(pages[language], pages["en"], language) == []
