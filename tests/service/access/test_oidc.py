"""People who log in elsewhere: whom the provider vouches for comes in, and nobody by what it did not say."""

from __future__ import annotations

import html
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc.jwk import RSAKey

from service.access.guard import COOKIE
from service.app import create
from service.settings import Settings
from tests.service.access.closed import accept, access, now
from tests.service.access.provider import CLIENT, SECRET, Elsewhere, elsewhere

ANA = {"preferred_username": "ana", "tamis_role": "analyst", "tamis_offices": ["FRCDG1"]}


@pytest.fixture(scope="module")
def running() -> Iterator[Elsewhere]:
    with elsewhere() as told:
        yield told


@pytest.fixture
def provider(running: Elsewhere) -> Iterator[Elsewhere]:
    running.claims, running.twisted, running.published = dict(ANA), {}, None
    yield running
    running.published = None


@pytest.fixture(scope="module")
def client(running: Elsewhere, quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder = tmp_path_factory.mktemp("oidc")
    shutil.copytree(quick_home, folder / "home")
    (folder / "secret").write_text(f"{SECRET}\n")
    settings = Settings(
        home=folder / "home", access="keys", oidc_issuer=running.issuer, oidc_client_id=CLIENT,
        oidc_client_secret=folder / "secret",
    )  # fmt: skip
    with TestClient(create(settings), follow_redirects=False) as opened:
        yield opened


def begun(client: TestClient) -> str:
    """Where the browser is sent."""
    client.cookies.clear()
    answer = client.post("/console/elsewhere", data={"purpose": "targeting"})
    assert answer.status_code == 200
    place = re.search(r"url=([^\"]+)", answer.text)
    assert place
    return html.unescape(place[1])


def back(client: TestClient, place: str) -> httpx.Response:
    sent = httpx.get(place).headers["location"]
    answer: httpx.Response = client.get(sent.removeprefix("http://testserver"))
    return answer


def test_whom_the_provider_vouches_for_comes_in_with_role_and_offices(client: TestClient, provider: Elsewhere) -> None:
    assert 'action="/console/elsewhere"' in client.get("/console/log-in").text
    place = begun(client)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}
    assert (asked["code_challenge_method"], asked["response_type"], asked["client_id"]) == ("S256", "code", CLIENT)
    assert back(client, place).status_code == 200
    principal = access(client).person(client.cookies[COOKIE], now())
    assert principal is not None
    assert (principal.name, principal.role, principal.offices) == ("ana", "analyst", ("FRCDG1",))
    assert principal.purpose == "targeting"
    assert client.get("/console/queue").status_code == 200
    provider.claims["tamis_role"] = "auditor"  # changed there
    back(client, begun(client))
    changed = access(client).person(client.cookies[COOKIE], now())
    assert changed is not None
    assert changed.role == "auditor"


@pytest.mark.parametrize(
    "twisted",
    [
        {"iss": "http://127.0.0.1:1"}, {"aud": "another"}, {"nonce": "another"}, {"nonce": None},
        {"exp": int(time.time()) - 600}, {"exp": None}, {"tamis_role": "root"}, {"tamis_role": None},
        {"tamis_offices": []}, {"tamis_offices": {"FRCDG1": True}}, {"tamis_role": ["analyst", "auditor"]},
        {"preferred_username": "<script>"}, {"iss": None},
    ],
)  # fmt: skip
def test_what_the_provider_says_wrongly_lets_nobody_in(
    client: TestClient, provider: Elsewhere, twisted: dict[str, Any]
) -> None:
    provider.twisted = twisted
    answer = back(client, begun(client))
    assert answer.status_code == 401
    assert COOKIE not in client.cookies
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text.replace('<script src="/console/static/htmx.min.js" defer></script>', "")


def test_a_token_that_another_key_signed_is_not_believed(client: TestClient, provider: Elsewhere) -> None:
    provider.published = RSAKey.generate_key(2048, {"kid": "1"})
    assert back(client, begun(client)).status_code == 401


def test_what_was_not_begun_here_does_not_end_here(client: TestClient, provider: Elsewhere) -> None:
    sent = httpx.get(begun(client)).headers["location"].removeprefix("http://testserver")
    client.cookies.clear()
    assert client.get(sent).status_code == 403  # a link that somebody else was given
    place = begun(client)
    sent = httpx.get(place).headers["location"].removeprefix("http://testserver")
    for state in ("state=x", "state=%C3%A9", "state=%ED%A0%80", "state="):
        assert client.get(f"/console/elsewhere/back?code=1&{state}").status_code == 403
    assert client.get("/console/elsewhere/back?error=access_denied").status_code == 403
    begun_state = parse_qs(urlsplit(sent).query)["state"][0]
    assert client.get(f"/console/elsewhere/back?error=access_denied&state={begun_state}").status_code == 401
    again = httpx.get(begun(client)).headers["location"].removeprefix("http://testserver")
    assert client.get(again).status_code == 200
    assert client.get(again).status_code == 403  # a log-in ends once


@pytest.mark.parametrize(
    "cookie", ["5", "null", '"abcd"', "[1,2,3,4]", '["a","b","c"]', '["\\ud800","n","v","p"]', "[" * 3000, "{}", "%"]
)
def test_a_cookie_that_is_not_ours_begins_nothing(client: TestClient, cookie: str) -> None:
    client.cookies.clear()
    sent = {"Cookie": f"tamis_elsewhere={quote(cookie)}"}
    assert client.get("/console/elsewhere/back?code=1&state=a", headers=sent).status_code == 403


def test_a_local_account_is_not_taken_over_and_a_closed_one_stays_closed(
    client: TestClient, provider: Elsewhere
) -> None:
    accept(access(client), "local")
    provider.claims["preferred_username"] = "local"
    assert back(client, begun(client)).status_code == 401
    provider.claims["preferred_username"] = "gone"
    assert back(client, begun(client)).status_code == 200
    access(client).close_account("gone", "ada", now())
    assert back(client, begun(client)).status_code == 401
    login = {"name": "gone", "password": "", "purpose": "targeting"}
    assert client.post("/console/log-in", data=login).status_code == 401  # no password opens what has none


def test_without_a_provider_there_is_no_such_door(home: Settings) -> None:
    with TestClient(create(home)) as opened:
        assert "/console/elsewhere" not in opened.get("/console/log-in").text
        assert opened.post("/console/elsewhere", data={"purpose": "targeting"}).status_code == 404


def test_a_provider_that_does_not_answer_is_said(home: Settings) -> None:
    nowhere = home.model_copy(update={"oidc_issuer": "http://127.0.0.1:1"})
    with TestClient(create(nowhere)) as opened:
        answer = opened.post("/console/elsewhere", data={"purpose": "targeting"})
        assert answer.status_code == 503
        assert "does not answer" in answer.text
