"""Test purchases in the console: from the order to the finding, and the name used for who ordered alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from service.officers import purchases as bought
from service.record.search_index import catch_up
from tests.service.access.closed import OTHER, OWN, PersonOf, access, as_person, bearing
from tests.service.building import body, declared

HERE = "/console/purchases"
ALIAS = {"name": "Anne Leroy", "address": "4 rue du Bac", "city": "Lyon", "postcode": "69001", "country": "FR"}
ORDER = {
    "office": OWN, "goods": "trainers", "price": "49 EUR", "shop_url": "https://copy-works.shop",
    **{f"alias_{name}": text for name, text in ALIAS.items()},
}  # fmt: skip


@pytest.fixture
def parcel(client: TestClient, key_of: Any) -> str:
    """A parcel on record to the name that is used, and one to somebody else."""
    rows = [declared(701, office=OWN, consignee=ALIAS), declared(702, office=OWN)]
    key = bearing(key_of("clearance", OWN))
    assert client.post("/v1/consignments", json=body(*rows, message_id="M-bought"), headers=key).status_code == 200
    catch_up(access(client).store)
    return "HAWB000000701"


def sent(client: TestClient, who: tuple[str, Any], path: str, **fields: Any) -> Any:
    given = as_person(*who, "POST")
    return client.post(path, **{**given, "data": {**given["data"], **fields}}, follow_redirects=False)


def shown(client: TestClient, who: tuple[str, Any]) -> str:
    return str(client.get(HERE, **as_person(*who, "GET")).text)


def test_from_the_order_to_the_finding(client: TestClient, person_of: PersonOf, parcel: str) -> None:
    me = person_of("analyst", OWN)
    ordered = sent(client, me, HERE, **ORDER)
    assert ordered.status_code == 303, ordered.text
    purchase = ordered.headers["location"].partition("#")[2]
    page = shown(client, me)
    assert "Anne Leroy" in page
    assert parcel in page, "it may be the one"
    assert "HAWB000000702" not in page
    step = f"{HERE}/{purchase}"
    assert sent(client, me, step, step="examined", result="compliant").status_code == 422, "nothing came yet"
    for fields in ({"step": "expected", "number": "LX1"}, {"step": "arrived", "number": parcel},
                   {"step": "examined", "result": "non_compliant", "findings": "counterfeit"}):  # fmt: skip
        assert sent(client, me, step, **fields).status_code == 303
    (one,) = [one for one in bought.purchases(access(client).store) if one.purchase_id == purchase]
    assert (one.consignment_id, one.result, one.findings) == (parcel, "non_compliant", ("counterfeit",))
    assert sent(client, me, step, step="closed").status_code == 303
    assert f'action="{step}"' not in shown(client, me), "nothing more can be noted"
    assert sent(client, me, step, step="nowhere").status_code == 404


def test_the_name_used_and_the_parcels_to_it_are_for_who_ordered_alone(
    client: TestClient, person_of: PersonOf, parcel: str
) -> None:
    ordered = sent(client, person_of("analyst", OWN), HERE, **ORDER)
    purchase = ordered.headers["location"].partition("#")[2]
    colleague = shown(client, person_of("analyst", "*"))
    assert purchase in colleague
    assert "Anne Leroy" not in colleague
    of_it = re.search(rf'<section class="card" id="{purchase}".*?</section>', colleague, re.DOTALL)
    assert of_it is not None
    assert parcel not in of_it[0]
    other = person_of("analyst", OTHER)
    assert purchase not in shown(client, other)
    assert sent(client, other, f"{HERE}/{purchase}", step="closed").status_code == 422
    assert sent(client, other, HERE, **ORDER).status_code == 403


def test_an_order_that_cannot_be_noted_keeps_what_was_typed(client: TestClient, person_of: PersonOf) -> None:
    without_shop = {name: text for name, text in ORDER.items() if name != "shop_url"}
    answer = sent(client, person_of("analyst", OWN), HERE, **without_shop)
    assert answer.status_code == 422
    assert 'value="trainers"' in answer.text
