"""The matrix of roles, offices, reads and writes on what is one's own and another's, over every route and form."""

from __future__ import annotations

import hashlib
import itertools
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.choices import ROLES, Role
from features.moments import micros
from service.access.permissions import PERMISSIONS, SCOPES
from service.app import create
from service.officers.cases import Detained, detain
from service.officers.investigations import Item, attach, open_investigation
from service.officers.purchases import Order, order
from service.orientation.track_conditions import Tracks
from service.parties.linking_switch import LinkingSwitch
from service.parties.watch_lists import import_list
from service.record.ownership import Sender
from service.record.search_index import catch_up
from service.settings import Settings
from service.store.database import Store
from service.store.tables import DECISIONS, TABLES
from tests.service.access.closed import EVERY_ROUTE, OTHER, OWN, KeyOf, PersonOf, access, as_person, bearing, now
from tests.service.building import NOON, app_state, body, declared, outcome

CANARIES = ("Kanarienhandel", "Autre Destinataire", "canary cage", "OTHERS")
REFUSED = (403, 404, 409, 422)
DONE = (200, 201, 303)
NUMBER = itertools.count(2)
DOCUMENT = hashlib.sha256(b"x").hexdigest()
MY_PHONE, PHONE, OTHER_PHONE = "+86 137 1111 2222", "+86 138 1234 5678", "+86 139 8765 4321"


@dataclass(frozen=True)
class Target:
    """What is one office's, and what may be said about it: a consignment, its decision, two parties that are linked."""

    office: str
    consignment_id: str
    message_id: str
    decision_id: str = ""
    parties: tuple[str, str] = ("", "")
    article: str = ""
    purchase_id: str = ""
    inquiry: str = ""

    @property
    def phone(self) -> str:
        """The telephone of its sender, whom no other office knows."""
        return MY_PHONE if self.office == OWN else OTHER_PHONE


@dataclass(frozen=True)
class Scene:
    client: TestClient
    mine: Target
    other: Target
    shared: Target  # mine too; its network reaches into the other office


def sent_by(name: str, phone: str, number: str, office: str) -> dict[str, Any]:
    goods = [{**declared()["goods"][0], "description": "canary cage" if office == OTHER else "running shoes"}]
    who = {"name": name, "address": f"{name} Road 7", "city": "Yiwu", "country": "CN", "phone": phone}
    consignee = {"name": "Autre Destinataire" if office == OTHER else "Marie Durand", "country": "FR"}
    return declared(consignment_id=number, office=office, consignor=who, consignee=consignee, goods=goods)


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service that asks for keys and links senders; nothing is on record."""
    home = tmp_path_factory.mktemp("whose") / "home"
    shutil.copytree(quick_home, home)
    settings = Settings(home=home, access="keys", calls_a_minute=100_000)
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOON)
    with TestClient(create(settings), follow_redirects=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def scene(client: TestClient, key_of: KeyOf) -> Scene:
    """Two networks of each office's own, and one of both; lodged by a key of each office."""

    def lodged(target: Target, *names: tuple[str, str]) -> Target:
        rows = [
            sent_by(name, phone, f"{target.consignment_id}{n or ''}", target.office)
            for n, (name, phone) in enumerate(names)
        ]
        key = bearing(key_of("clearance", target.office))
        answer = client.post("/v1/consignments", json=body(*rows, message_id=target.message_id), headers=key)
        assert answer.status_code == 200, answer.text
        first, *more = answer.json()["decisions"]
        decided = app_state(client).desk.journal.decisions_on(first["consignment_id"])[0]
        parties = (decided["party_id"], (more or [first])[0]["party_id"])
        return Target(target.office, target.consignment_id, target.message_id, first["decision_id"], parties)

    mine = lodged(Target(OWN, "MINE", "M-MINE"), ("Bright", MY_PHONE), ("Bright Star", MY_PHONE))
    shared = lodged(Target(OWN, "BOTH", "M-BOTH"), ("Two Sides", PHONE))
    names = (("Kanarienhandel", OTHER_PHONE), ("Kanarienhandel Zwei", OTHER_PHONE), ("Kanarienhandel Drei", PHONE))
    other = lodged(Target(OTHER, "OTHERS", "M-OTHERS"), *names)
    store = access(client).store
    catch_up(store)
    for target in (mine, other):
        detained = Detained(target.consignment_id, now(), "o-7", "FR", None)
        detain(app_state(client).desk.journal, detained, Tracks())
    for office, article in ((OWN, "9506000134352"), (OTHER, "4006381333931")):
        given = {"serials": [{"gtin": article, "serial": "A-1"}]}
        holder = bearing(key_of("right_holder", office))
        assert client.post("/v1/genuine", json=given, headers=holder).status_code == 201
    mine, other = (
        replace(target, purchase_id=bought(client, target.office, canary))
        for target, canary in ((mine, "Ann Lee"), (other, CANARIES[0]))
    )
    listed = "".join(f"{n},Person,{phone}\n" for n, phone in enumerate((MY_PHONE, OTHER_PHONE)))
    import_list(store, "watched", f"id,schema,phone\n{listed}".encode(), source="t", by="ada", at=micros(NOON))
    mine, other = (replace(one, inquiry=inquiry_into(store, one)) for one in (mine, other))
    return Scene(client, mine, other, shared)


def bought(client: TestClient, office: str, alias: str) -> str:
    """Order a test purchase for an office, under a name that nobody else may see; its number."""
    placed = Order({"url": "https://one-copy.example"}, "shoes", {"name": alias}, office, "o-9", now())
    return order(access(client).store, placed).purchase_id


def inquiry_into(store: Store, target: Target) -> str:
    """An investigation into a consignment, with a document."""
    sender, item = Sender("tests", (target.office,)), Item("consignment", target.consignment_id)
    number = open_investigation(store, f"into {target.consignment_id}", [item], sender, "tests", now())
    assert attach(store, number, "a.txt", "text/plain", b"x", sender, "tests", now()) == DOCUMENT
    return number


def amendment(target: Target, message_id: str, **changes: Any) -> dict[str, Any]:
    row = sent_by("Bright", MY_PHONE, target.consignment_id, OWN) | {"version": next(NUMBER)} | changes
    return {"json": body(row, message_id=message_id)}


def flat(target: Target, number: str, message_id: str) -> dict[str, Any]:
    head = "message_id,consignment_id,version,stream,lodged_at,office,description"
    row = f"{message_id},{number},{next(NUMBER)},express,2026-02-03T12:00:00Z,{OWN},shoes"
    return {"content": f"{head}\n{row}\n".encode()}


Requests = Callable[[Target], list[dict[str, Any]]]
ABOUT: dict[str, Requests] = {  # of each route that reaches what is on record: what is asked about a target
    "post_consignments": lambda t: [
        amendment(t, f"M-new-{next(NUMBER)}"),
        amendment(t, t.message_id),
        amendment(t, f"M-new-{next(NUMBER)}", office=None),
        {"json": body(declared(next(NUMBER), office=OWN), message_id=t.message_id)},
    ],
    "post_message": lambda t: [
        flat(t, t.consignment_id, f"M-new-{next(NUMBER)}"),
        flat(t, f"NEW{next(NUMBER)}", t.message_id),
    ],
    "post_outcomes": lambda t: [
        {"json": {"outcomes": [outcome(known_at=NOON, consignment_id=t.consignment_id, officer=f"o-{next(NUMBER)}")]}}
    ],
    "get_consignment": lambda t: [{"path": t.consignment_id}],
    "get_dossier": lambda t: [{"path": t.consignment_id}],
    "get_queue": lambda t: [{"params": {"office": t.office, "day": "2026-02-03"}}],
    "get_network": lambda t: [{"path": t.parties[0]}],
    "get_network_ftm": lambda t: [{"path": t.parties[0]}],
    "get_decisions": lambda _: [{"params": {"since": "0", "at_most": 100}}],
    "get_search": lambda t: [{"params": {"key": t.phone}}, {"params": {"key": t.consignment_id}}],
    "found_page": lambda t: [{"sealed": t.phone}],
    "found_csv": lambda t: [{"sealed": t.phone}],
    "cases_page": lambda _: [{}],
    "cases_csv": lambda _: [{}],
    "get_investigations": lambda _: [{}],
    "post_investigation": lambda t: [
        {"json": {"title": "shoes", "items": [{"kind": "consignment", "value": t.consignment_id}]}}
    ],
    "get_investigation": lambda t: [{"inquiry": t.inquiry}],
    "post_investigation_entry": lambda t: [{"inquiry": t.inquiry, "json": {"step": "note", "text": "seen"}}],
    "list_page": lambda _: [{"listed": "watched"}],
    "investigations_page": lambda _: [{}],
    "begin_investigation": lambda t: [{"data": {"consignment": t.consignment_id}}],
    "investigation_page": lambda t: [{"inquiry": t.inquiry}],
    "act_in_investigation": lambda t: [{"inquiry": t.inquiry, "data": {"what": "note", "text": "seen"}}],
    "attach_document": lambda t: [{"inquiry": t.inquiry, "files": {"document": ("a.txt", b"x", "text/plain")}}],
    "document_file": lambda t: [{"inquiry": t.inquiry}],
    "post_document": lambda t: [{"inquiry": t.inquiry, "params": {"name": "a.txt"}, "content": b"x"}],
    "get_document": lambda t: [{"inquiry": t.inquiry}],
    "post_hand_over": lambda t: [{"inquiry": t.inquiry, "json": {"to": "the prosecutor"}}],
    "purchases_page": lambda _: [{}],
    "order_purchase": lambda t: [
        {"data": {"office": t.office, "goods": "shoes", "shop_url": "x.example", "alias_name": "Ann Lee"}}
    ],
    "note_purchase": lambda t: [{"purchase": t.purchase_id, "data": {"step": "expected", "number": "X"}}],
    "hand_over_investigation": lambda t: [{"inquiry": t.inquiry, "data": {"to": "the prosecutor"}}],
    "act_on_case": lambda t: [{"path": t.consignment_id, "data": {"what": "note", "step": "declarant_notified"}}],
    "post_judgement": lambda t: [
        {"json": {"one": t.parties[0], "other": t.parties[1], "verdict": "same", "reason": "seen"}}
    ],
    "post_transfer": lambda t: [
        {"json": {"consignment_id": t.consignment_id, "office": t.office, "sender": f"clearance-{t.office}",
                  "reason": "it stays where it is"}}
    ],
    "get_purchases": lambda t: [{"params": {"office": t.office}}],
    "post_purchase": lambda t: [
        {"json": {"office": t.office, "shop": {"url": "x.example"}, "goods": "g", "alias": {"name": "Ann Lee"}}}
    ],
    "post_purchase_note": lambda t: [{"json": {"purchase_id": t.purchase_id, "step": "expected", "number": "X"}}],
    "post_genuine": lambda t: [{"json": {"serials": [{"gtin": t.article, "serial": f"S-{next(NUMBER)}"}]}}],
    "queue_page": lambda t: [{"params": {"office": t.office, "day": "2026-02-03"}}],
    "queue_csv": lambda t: [{"params": {"office": t.office, "day": "2026-02-03"}}],
    "take_consignment": lambda t: [{"path": t.consignment_id}],
    "release_consignment": lambda t: [{"path": t.consignment_id}],
    "bulk_page": lambda t: [{"data": {"number": [t.consignment_id]}}],
    "enter_bulk_results": lambda t: [
        {"data": {"number": [t.consignment_id], "result": "non_compliant", "findings": "counterfeit"}}
    ],
    "undo_bulk_results": lambda t: [{"number": t.consignment_id}],
    "undo": lambda t: [{"path": t.consignment_id, "data": {"what": "recorded"}}],
    "consignment_page": lambda t: [{"path": t.consignment_id}],
    "override": lambda t: [
        {"path": t.consignment_id, "data": {"decision_id": t.decision_id, "clearance": "red", "reason": "seen"}}
    ],
    "enter_outcome": lambda t: [
        {"path": t.consignment_id, "data": {"result": "non_compliant", "findings": "counterfeit"}}
    ],
    "network_page": lambda t: [{"path": t.parties[0]}],
    "judge_pair": lambda t: [
        {"path": t.parties[0],
         "data": {"one": t.parties[0], "other": t.parties[1], "verdict": "same", "reason": "seen"}}
    ],
    "capacity_page": lambda t: [{"params": {"office": t.office, "physical": 3}}],
    "day_page": lambda t: [{"params": {"office": t.office, "day": "2026-02-03"}}],
    "replay_decision": lambda t: [{"data": {"decision_id": t.decision_id}}],
}  # fmt: skip
BOUND = ("office", "parts", "sender", "network", "found", "holder")  # what these reach is somebody's
Call = tuple[str, str, str, Role]  # route, method, path and who calls
MATRIX: list[Call] = [
    (name, method, path, role)
    for name, method, path in EVERY_ROUTE
    for role in ROLES
    if role in PERMISSIONS[name].roles and PERMISSIONS[name].scope in BOUND
]
UNBOUND: list[Call] = [
    (name, method, path, role)
    for name, method, path in EVERY_ROUTE
    for role in ROLES
    if role in PERMISSIONS[name].roles and PERMISSIONS[name].scope not in BOUND and name != "log_out"
]


def called(
    scene: Scene,
    key_of: KeyOf,
    person_of: PersonOf,
    one: Call,
    office: str,
    asked: dict[str, Any],
) -> httpx.Response:
    """Call a route in a role for an office, as a machine under /v1 and as a person in the console."""
    name, method, path, role = one
    if name == "undo":  # of what the same person entered a moment ago
        entered = {"path": asked["path"], "data": {"result": "non_compliant", "findings": "counterfeit"}}
        entry = ("enter_outcome", method, path.removesuffix("undo") + "outcome", role)
        called(scene, key_of, person_of, entry, office, entered)
    if name == "undo_bulk_results":
        entered = {"data": {"number": [asked["number"]], "result": "non_compliant", "findings": "counterfeit"}}
        entry = ("enter_bulk_results", method, path.removesuffix("undo") + "results", role)
        called(scene, key_of, person_of, entry, office, entered)
    console = path.startswith("/console") or path == "/"
    caller = as_person(*person_of(role, office), method) if console else {"headers": bearing(key_of(role, office))}
    of_path = ("path", "sealed", "number", "inquiry", "listed", "purchase")
    given = {field: value for field, value in asked.items() if field not in of_path}
    pseudonyms = access(scene.client).store.pseudonyms
    path = path.replace("{sealed}", pseudonyms.sealed(asked.get("sealed", "none")))
    if console and method == "POST":
        given["data"] = {**caller.pop("data"), **given.get("data", {})}
    for pattern in ("{consignment_id:path}", "{code}"):
        path = path.replace(pattern, asked.get("path", "none"))
    path = path.replace("{list_id:path}", asked.get("listed", "none")).replace("{sha256}", DOCUMENT)
    path = path.replace("{number}", asked.get("inquiry", "0")).replace("{purchase}", asked.get("purchase", "none"))
    for pattern, filled in (("{token}", "none"), ("{key_id}", "none"), ("{name}", "none")):
        path = path.replace(pattern, filled)
    answer: httpx.Response = scene.client.request(method, path, **caller, **given)
    return answer


def of_others(scene: Scene) -> dict[str, list[Any]]:
    """All that is on record of the other office's consignments and of its senders, and whose articles are whose."""
    store, found = app_state(scene.client).access.store, {}
    which: sa.ColumnElement[bool]
    with store.reading() as connection:
        for table in TABLES.sorted_tables:
            if "consignment_id" in table.c:
                which = table.c.consignment_id.like("OTHERS%")
            elif table.name in ("judgements", "registered"):
                which = sa.true()
            else:
                continue
            found[table.name] = sorted(map(repr, connection.execute(sa.select(table).where(which))))
    return found


def with_article(target: Target, role: Role) -> Target:
    article = {OWN: "9506000134352", OTHER: "4006381333931"}[target.office]
    return Target(**{**vars(target), "article": article}) if role == "right_holder" else target


def test_every_route_that_reaches_what_is_somebodys_is_in_the_matrix() -> None:
    """A new route needs a scope in the matrix of permissions, and where that binds it, a request here."""
    bound = {name for name, row in PERMISSIONS.items() if row.scope in BOUND}
    assert bound == set(ABOUT)
    assert {row.scope for row in PERMISSIONS.values()} <= set(SCOPES)
    console_and_api = {name for name, _, _ in EVERY_ROUTE}
    assert {one[0] for one in (*MATRIX, *UNBOUND)} == {
        name for name in console_and_api if not PERMISSIONS[name].public and name != "log_out"
    }


@pytest.mark.parametrize("one", MATRIX, ids=lambda one: f"{one[0]}-{one[3]}")
def test_who_is_for_an_office_reaches_nothing_of_another(
    scene: Scene, key_of: KeyOf, person_of: PersonOf, one: Call
) -> None:
    before = of_others(scene)
    for asked in ABOUT[one[0]](with_article(scene.other, one[3])):
        answer = called(scene, key_of, person_of, one, OWN, asked)
        found = PERMISSIONS[one[0]].scope == "found"  # a search is answered, and finds nothing
        assert answer.status_code in ((200,) if found else REFUSED), (asked, answer.text)
        assert "json" not in answer.headers["content-type"] or answer.json().get("total", 0) == 0
        shown = [canary for canary in CANARIES if canary in answer.text]
        assert shown == [], answer.text
    assert of_others(scene) == before


@pytest.mark.parametrize("one", MATRIX, ids=lambda one: f"{one[0]}-{one[3]}")
def test_the_same_is_done_with_what_is_ones_own(scene: Scene, key_of: KeyOf, person_of: PersonOf, one: Call) -> None:
    """Or the refusals above would say nothing: the body may be at fault. And nothing of others is shown beside it."""
    before = of_others(scene)
    for target in (scene.mine, scene.shared) if PERMISSIONS[one[0]].scope == "network" else (scene.mine,):
        for asked in ABOUT[one[0]](with_article(target, one[3])):
            answer = called(scene, key_of, person_of, one, OWN, asked)
            single = target is scene.shared and "verdict" in str(asked)
            assert answer.status_code in (REFUSED if single else DONE), (asked, answer.text)
            named = target.purchase_id if one[0] == "purchases_page" else target.consignment_id
            assert PERMISSIONS[one[0]].scope != "found" or named in answer.text
            shown = [canary for canary in CANARIES if canary in answer.text]
            assert shown == [], answer.text
    changed = {name for name, rows in of_others(scene).items() if rows != before[name]}
    assert changed <= {"judgements", "registered"}


@pytest.mark.parametrize("one", MATRIX, ids=lambda one: f"{one[0]}-{one[3]}")
def test_who_is_for_all_offices_reaches_everything_but_what_others_lodged_and_registered(
    scene: Scene, key_of: KeyOf, person_of: PersonOf, one: Call
) -> None:
    expected = REFUSED if PERMISSIONS[one[0]].scope in ("sender", "holder") else DONE
    for asked in ABOUT[one[0]](with_article(scene.other, one[3])):
        assert called(scene, key_of, person_of, one, "*", asked).status_code in expected, asked


@pytest.mark.parametrize("one", UNBOUND, ids=lambda one: f"{one[0]}-{one[3]}")
def test_what_is_of_the_installation_shows_nothing_of_another_office(
    scene: Scene, key_of: KeyOf, person_of: PersonOf, one: Call
) -> None:
    before = of_others(scene)
    answer = called(scene, key_of, person_of, one, OWN, {})
    assert answer.status_code < 500
    assert [canary for canary in CANARIES if canary in answer.text] == []
    assert of_others(scene) == before


def test_another_key_of_the_same_office_amends_nothing(scene: Scene, key_of: KeyOf) -> None:
    rival = access(scene.client).make_key("rival", "clearance", [OWN], "tests", "tests", now())
    for asked in ABOUT["post_consignments"](scene.mine):
        answer = scene.client.post("/v1/consignments", headers=bearing(rival), **asked)
        assert answer.status_code == 409
        assert "MINE" not in answer.text
    seen = scene.client.get("/v1/consignments/MINE", headers=bearing(rival))
    assert seen.status_code == 200  # it is for the office, and so it sees what is the office's


def test_a_network_of_several_offices_says_how_many_it_does_not_show(scene: Scene, key_of: KeyOf) -> None:
    code = scene.shared.parties[0]
    mine, every = (
        scene.client.get(f"/v1/networks/{code}", headers=bearing(key_of("auditor", office))).json()
        for office in (OWN, "*")
    )
    assert (every["size"], every["hidden"], len(every["parties"]), len(every["links"])) == (2, 0, 2, 1)
    assert (mine["size"], mine["hidden"], mine["links"]) == (2, 1, [])
    assert [party["party_id"] for party in mine["parties"]] == [code]


def test_a_judgement_stands_in_the_name_of_who_calls(scene: Scene, key_of: KeyOf) -> None:
    one, other = scene.mine.parties
    word = {"one": one, "other": other, "verdict": "same", "reason": "seen", "by": "somebody else"}
    answer = scene.client.post("/v1/judgements", json=word, headers=bearing(key_of("analyst", OWN)))
    assert answer.json() == {"status": "recorded", "by": f"analyst-{OWN}"}
    found = scene.client.get(f"/v1/networks/{one}", headers=bearing(key_of("auditor", OWN))).json()
    assert {said["by"] for said in found["judgements"] if said["counts"]} == {f"analyst-{OWN}"}


def test_a_transfer_by_a_call_lets_the_other_office_see_it(scene: Scene, key_of: KeyOf) -> None:
    target = Target(OWN, "PASSED", "M-PASSED")
    lodger, analyst = bearing(key_of("clearance", OWN)), bearing(key_of("analyst", OWN))
    row = sent_by("Bright", MY_PHONE, "PASSED", OWN)
    posted = scene.client.post("/v1/consignments", json=body(row, message_id=target.message_id), headers=lodger)
    assert posted.status_code == 200
    there = bearing(key_of("analyst", OTHER))
    assert scene.client.get("/v1/consignments/PASSED", headers=there).status_code == 404
    given = {"consignment_id": "PASSED", "office": OTHER, "reason": "it landed there"}
    wrong = scene.client.post("/v1/transfers", json={**given, "office": "NOWHERE"}, headers=analyst)
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/office")
    assert scene.client.post("/v1/transfers", json=given, headers=analyst).status_code == 201
    dossier = scene.client.get("/v1/consignments/PASSED/dossier", headers=there)
    assert [event["kind"] for event in dossier.json()["timeline"]] == ["decision", "transfer"]
    assert "owners" not in dossier.json()["decisions"][0]["circumstances"]
    assert scene.client.get("/v1/consignments/PASSED", headers=analyst).status_code == 404


def test_decisions_of_the_other_office_are_on_record_as_they_were(scene: Scene) -> None:
    with app_state(scene.client).access.store.reading() as connection:
        mine = sa.select(DECISIONS.c.office, DECISIONS.c.message_id).where(DECISIONS.c.consignment_id == "OTHERS")
        assert [tuple(row) for row in connection.execute(mine)] == [(OTHER, "M-OTHERS")]
