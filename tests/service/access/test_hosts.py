"""The service answers to its own names, and what it writes into links is configured, never what a caller says."""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.app import create
from service.settings import Settings
from service.settings_file import SettingsFault
from tests.service.access.closed import PASSWORD, accept, access, now
from tests.service.access.provider import CLIENT, elsewhere

PLACE, FORGED = "https://tamis.example", {"Host": "evil.example"}


@pytest.fixture(scope="module")
def client(quick_home_settings: Settings) -> Iterator[TestClient]:
    with elsewhere() as provider:
        update = {"public_url": PLACE, "hosts": "tamis-2.example, 10.1.2.3", "oidc_issuer": provider.issuer,
                  "oidc_client_id": CLIENT}  # fmt: skip
        with TestClient(create(quick_home_settings.model_copy(update=update)), follow_redirects=False) as opened:
            accept(access(opened), "boss", "admin")
            yield opened


@pytest.fixture(scope="module")
def quick_home_settings(quick_home: object, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("hosts") / "home"
    shutil.copytree(str(quick_home), home)
    return Settings(home=home, access="keys")


@pytest.mark.parametrize(
    "host",
    ["tamis.example", "TAMIS.example:8443", "tamis-2.example", "10.1.2.3:80", "localhost:8000", "127.0.0.1",
     "[::1]:8000", "testserver"],
)  # fmt: skip
def test_its_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "tamis.example.evil.example", "evil.example#tamis.example", "tamis.example@evil.example", "",
     "tamis.example/x", "[::1", "tamis.example:0", "tamis.example:port", "x y", "127.0.0.1.evil.example"],
)  # fmt: skip
def test_another_name_is_refused_on_every_kind_of_path(client: TestClient, host: str) -> None:
    for path in ("/healthz", "/v1/queue", "/console/log-in", "/nowhere"):
        answer = client.get(path, headers={"Host": host})
        assert answer.status_code == 421
        assert "evil" not in answer.text
    assert client.post("/console/elsewhere", data={"purpose": "audit"}, headers={"Host": host}).status_code == 421


def test_two_hosts_are_none(client: TestClient) -> None:
    headers = [("Host", "tamis.example"), ("Host", "evil.example")]
    assert client.get("/healthz", headers=headers).status_code == 421


def test_links_and_the_way_back_from_the_provider_are_configured(client: TestClient) -> None:
    secret = access(client).log_in("boss", PASSWORD, "audit", now())
    principal = access(client).person(secret, now())
    assert principal is not None
    form = {"csrf": principal.csrf, "name": "ana", "role": "analyst", "offices": "*"}
    sent = {"Cookie": f"{COOKIE}={secret}"}
    page = client.post("/console/access/invite", data=form, headers=sent)
    assert re.search(r"<code>https://tamis\.example/console/invitation/[\w-]+</code>", page.text)
    begun = client.post("/console/elsewhere", data={"purpose": "audit"})
    place = re.search(r"url=([^\"]+)", begun.text)
    assert place is not None
    asked = parse_qs(urlsplit(html.unescape(place[1])).query)
    assert asked["redirect_uri"] == [f"{PLACE}/console/elsewhere/back"]
    assert "secure" in begun.headers["set-cookie"].lower()
    login = client.post("/console/log-in", data={"name": "boss", "password": PASSWORD, "purpose": "audit"})
    assert "secure" in login.headers["set-cookie"].lower()


def test_a_token_of_any_characters_is_refused_and_no_fault(client: TestClient) -> None:
    secret = access(client).log_in("boss", PASSWORD, "audit", now())
    for token in ("é", "中", "\x00", "x" * 10_000):
        answer = client.post("/console/log-out", data={"csrf": token}, headers={"Cookie": f"{COOKIE}={secret}"})
        assert answer.status_code == 403


@pytest.mark.parametrize("given", [{"public_url": "https://tamis.example/path"}, {"public_url": "tamis.example"},
                                   {"public_url": "https://user@tamis.example"}, {"hosts": "a.example/b"}])  # fmt: skip
def test_what_is_no_address_of_a_service_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsFault, match="TAMIS_"):
        Settings(**given)
