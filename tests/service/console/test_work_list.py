"""The work list says which days it shows; a form that is refused keeps what was typed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from service.access import Access
from service.access.guard import COOKIE
from service.app import create
from service.console.translations import LANGUAGES, in_language
from service.scoring.explanation import Language
from service.settings import Settings
from service.store.tables import OUTCOMES
from tests.service.building import NOON, app_state, body, declared

PASSWORD = "a long enough password"
OFFICE, NUMBER = "FRCDG1", "HAWB000000001"


@pytest.fixture(scope="module")
def client(sealed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A service with one consignment on record and an analyst of each language who is logged in."""
    home = tmp_path_factory.mktemp("work-list") / "home"
    shutil.copytree(sealed_home, home)
    with TestClient(create(Settings(home=home, access="keys")), follow_redirects=False) as opened:
        key = access_of(opened).make_key("seed", "clearance", ["*"], "tests", "tests", datetime.now(UTC))
        sent = body(declared(1, office=OFFICE, goods=[{"line_no": 1, "description": "gift", "quantity": 1}]))
        answer = opened.post("/v1/consignments", json=sent, headers={"Authorization": f"Bearer {key}"})
        assert answer.json()["decisions"][0]["consignment_id"] == NUMBER
        yield opened


def access_of(client: TestClient) -> Access:
    known: Access = app_state(client).access
    return known


def session(client: TestClient, language: str) -> tuple[dict[str, str], str]:
    """The header of a session, and the token that its forms carry."""
    access, at, name = access_of(client), datetime.now(UTC), f"analyst-{language}"
    if name not in {one["name"] for one in access.accounts()}:
        access.accept(access.invite(name, "analyst", ["*"], "tests", at), "", PASSWORD, language, at)
    secret = access.log_in(name, PASSWORD, "audit", at)
    principal = access.person(secret, at)
    assert principal is not None
    return {"Cookie": f"{COOKIE}={secret}"}, principal.csrf


def listed(client: TestClient, language: str = "en", **asked: str) -> httpx.Response:
    header, _ = session(client, language)
    query = {"office": OFFICE, "stage": "pre_arrival", **asked}
    answer: httpx.Response = client.get("/console/queue", params=query, headers=header)
    return answer


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_says_its_days_and_begins_with_the_newest_that_have_work(client: TestClient, language: Language) -> None:
    day, say = NOON.date(), in_language(language, "say")
    page = listed(client, language).text
    assert NUMBER in page
    shown = re.findall(r"<time>(\d{4}-\d{2}-\d{2})</time>", page)
    assert shown[0] <= day.isoformat() <= shown[1]
    assert say("lodged_from") in page
    assert say("newest_days") in page
    alone = listed(client, language, day=day.isoformat()).text
    assert NUMBER in alone
    assert f'name="day" value="{day}"' in alone
    assert f"day={day}" in alone  # the list renews itself with the day
    assert NUMBER not in listed(client, language, day="2026-01-02").text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_list_of_one_kind_holds_what_is_likeliest_of_it(client: TestClient, language: Language) -> None:
    day = NOON.date().isoformat()
    kinds = app_state(client).dialects.kinds
    page = listed(client, language, day=day, kind="narcotics").text
    assert NUMBER not in page  # the model that serves here states no chance of any kind
    assert f'<option value="narcotics" selected>{kinds.word_of("narcotics", language)}</option>' in page
    assert "kind=narcotics" in page  # the list renews itself, and is kept, with the kind
    assert NUMBER in listed(client, language, day=day, kind="").text


@pytest.mark.parametrize(("asked", "status"), [
    ({"office": "nowhere"}, 404), ({"day": ""}, 200), ({"day": "2026-02-31"}, 422), ({"day": "yesterday"}, 422),
])  # fmt: skip
def test_what_no_list_can_be_of_is_refused(client: TestClient, asked: dict[str, str], status: int) -> None:
    assert listed(client, **asked).status_code == status


@pytest.mark.parametrize(
    ("typed", "ticked"),
    [({"result": "compliant", "findings": "counterfeit"}, True), ({"result": "non_compliant"}, False)],
)
def test_a_contradictory_result_is_refused_and_stays_in_the_form(
    client: TestClient, typed: dict[str, str], ticked: bool
) -> None:
    header, token = session(client, "en")
    form = {"csrf": token, "stage": "post_clearance", "items_found": "7", "right_holder": "Maison de Parfum", **typed}
    answer = client.post(f"/console/consignments/{NUMBER}/outcome", data=form, headers=header)
    assert answer.status_code == 422
    assert "Findings: " in answer.text
    assert re.search(rf'name="result" value="{typed["result"]}" [^>]*checked', answer.text)
    assert '<option value="post_clearance" selected>' in answer.text
    assert bool(re.search('value="counterfeit" [^>]*checked', answer.text)) is ticked
    assert 'value="7"' in answer.text
    assert 'value="Maison de Parfum"' in answer.text
    store = app_state(client).desk.journal.store
    with store.reading() as connection:
        assert connection.execute(OUTCOMES.select()).all() == []
