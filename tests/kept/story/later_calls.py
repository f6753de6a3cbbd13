"""What came after cd4db32: whose a consignment is, how it passes on, results that come before it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
from fastapi.testclient import TestClient
from service.access import Access
from service.audit.erasure import erase
from service.store.tables import EARLY_RESULTS, TRANSFERS
from tests.service.building import body, declared, outcome

DAYS = 18
OFFICES = {"cdg": ["FRCDG1"], "lys": ["FRLYS1"], "both": ["FRCDG1", "FRLYS1"]}


def came_since(client: TestClient, access: Access, place: Any) -> None:
    """Carriers of one office and of two, transfers by an officer and by an amendment, and early results."""
    lodged_at = place.at(DAYS, 11)
    keys = {name: _headers(access, f"{name}-1", "clearance", of, lodged_at) for name, of in OFFICES.items()}
    officer = _headers(access, "officer-1", "analyst", ["FRCDG1", "FRLYS1"], lodged_at)

    def post(whose: str, name: str, *consignments: dict[str, Any], status: int = 200) -> None:
        answer = client.post("/v1/consignments", json=body(*consignments, message_id=name), headers=keys[whose])
        _answered(answer, status)

    def learned(whose: str, number: int) -> None:
        known_at = lodged_at + timedelta(minutes=number)
        told = {"outcomes": [outcome(number, known_at=known_at, officer=f"o-{whose}")]}
        _answered(client.post("/v1/outcomes", json=told, headers=keys[whose]), 200)

    def lyon(number: int, **changes: Any) -> dict[str, Any]:
        return declared(number, **{"lodged_at": lodged_at, "office": "FRLYS1"} | changes)

    for whose, number in (("lys", 30), ("cdg", 30), ("lys", 31), ("both", 32)):
        learned(whose, number)
    post("lys", "K-lys", lyon(20), lyon(21), lyon(30))
    post("cdg", "K-cdg", declared(23, lodged_at=lodged_at))
    # no contact of an erased one is another's: what history holds of the others is then what they alone state
    post("both", "K-both", lyon(22), *(lyon(number, consignor={"name": f"Erased {number} Ltd"}) for number in (24, 32)))
    amendment = {"version": 2, "purpose": "amendment", "gross_mass_kg": 4.5}
    post("cdg", "K-cdg-2", lyon(20, office="FRCDG1", **amendment), status=409)
    post("lys", "K-lys-2", lyon(20, office=None, **amendment))
    post("both", "K-both-2", lyon(22, office="FRCDG1", **amendment))
    for number, office, sender in ((21, "FRCDG1", "cdg-1"), (24, "FRCDG1", None), (23, "FRLYS1", None)):
        given = {"consignment_id": f"HAWB{number:09d}", "office": office, "sender": sender, "reason": "it landed there"}
        _answered(client.post("/v1/transfers", json=given, headers=officer), 201)
    post("cdg", "K-cdg-3", declared(21, lodged_at=lodged_at, **amendment))
    store = client.app.state.desk.journal.store  # type: ignore[attr-defined]
    erase(store, ["HAWB000000024", "HAWB000000032"], "A. Martin", "asked for by the person", place.at(DAYS, 12))
    with store.reading() as connection:
        transfers = connection.execute(TRANSFERS.select()).all()
        taken = [row.taken for row in connection.execute(EARLY_RESULTS.select())]
    if len(transfers) < 5 or set(taken) != {True, False}:
        raise RuntimeError(f"{len(transfers)} transfers, early results taken: {taken}")


def _headers(access: Access, name: str, role: str, offices: list[str], now: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {access.make_key(name, role, offices, 'kept', 'anna', now)}"}


def _answered(answer: httpx.Response, status: int) -> None:
    if answer.status_code != status:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")
