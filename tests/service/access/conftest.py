"""A service that asks for keys and sessions, with a consignment of each of two offices; keys and people by role."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from service.access.principal import Principal
from service.app import create
from service.settings import Settings
from tests.service.access.closed import OTHER, OWN, PASSWORD, KeyOf, PersonOf, accept, access, bearing, now
from tests.service.building import NOON, app_state, body, declared


@pytest.fixture(scope="module")
def client(quick_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    home = tmp_path_factory.mktemp("access") / "home"
    shutil.copytree(quick_home, home)
    with TestClient(create(Settings(home=home, access="keys")), follow_redirects=False) as opened:
        key = access(opened).make_key("seed", "clearance", ["*"], "tests", "tests", now())
        for number, office in ((1, OWN), (2, OTHER)):
            told = body(declared(number, office=office), message_id=f"M{number}")
            assert opened.post("/v1/consignments", json=told, headers=bearing(key)).status_code == 200
        odd = {"description": "perfume", "hs_code": "330300", "quantity": 30, "value": 4.0, "currency": "EUR"}
        many = [
            declared(
                300 + n, office=OWN, goods=[odd], lodged_at=NOON + timedelta(seconds=n),
                consignor={"name": f"Shop {n}", "city": "Yiwu", "country": "CN", "phone": "+86 138 1234 5678"},
            )
            for n in range(12)
        ]  # fmt: skip
        decided = opened.post("/v1/consignments", json=body(*many, message_id="M-odd"), headers=bearing(key)).json()
        lanes = {one["consignment_id"] for one in decided["decisions"] if one["clearance"] != "green"}
        app_state(opened).explained = min(lanes)
        yield opened


@pytest.fixture(scope="module")
def key_of(client: TestClient) -> KeyOf:
    """A key of a role and an office, made once."""
    made: dict[tuple[str, str], str] = {}

    def key(role: str, office: str) -> str:
        if (role, office) not in made:
            name = f"{role}-{office.replace('*', 'all')}"
            made[role, office] = access(client).make_key(name, role, [office], "tests", "tests", now())
        return made[role, office]

    return key


@pytest.fixture(scope="module")
def person_of(client: TestClient) -> PersonOf:
    """The session of a person of a role and an office."""
    made: dict[tuple[str, str], tuple[str, Principal]] = {}

    def person(role: str, office: str) -> tuple[str, Principal]:
        if (role, office) not in made:
            name = f"{role}-{office.replace('*', 'all')}"
            accept(access(client), name, role, office)
            secret = access(client).log_in(name, PASSWORD, "audit", now())
            principal = access(client).person(secret, now())
            assert principal is not None
            made[role, office] = secret, principal
        return made[role, office]

    return person
