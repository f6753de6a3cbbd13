"""The last day of a kept home, by calls: people and machines, carriers' messages, an erasure, what still waits.

Runs only on a checkout of the version to be kept, whose modules `its_code` names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
from fastapi.testclient import TestClient
from its_code import (
    COOKIE,
    DECISIONS,
    ODD,
    OUTCOMES,
    SELECTION,
    Access,
    Archive,
    Denied,
    Detained,
    as_fhl,
    as_ics2,
    as_postal_json,
    body,
    came_since,
    create,
    declared,
    detain,
    erase,
    import_list,
    invited_by,
    load_policy,
    micros,
    open_journal,
    outcome,
    override,
    reassess,
    sweep,
    target,
)
from kept_place import (
    DAYS,
    Place,
    a_list,
    away,
    decisions,
    learned,
    mailboxes,
    result_of,
    segments,
    sent,
)

PASSWORD = "nobody lives in this home"  # of every account of a kept home
PHONE, GARMENTS = "+86 138 1234 5678", {"description": "perfume branded", "hs_code": "330300", "net_mass_kg": 0.2}
PERSONS = {"anna": "admin", "b.keller": "analyst", "carla": "auditor", "dora": "analyst"}


def last_day(place: Place) -> None:
    """Everything of the last day, in its order."""
    with TestClient(create(place.settings), follow_redirects=False) as client:
        access: Access = client.app.state.access  # type: ignore[attr-defined]
        keys = machines(access, place.at(DAYS, 10))
        carriers(client, keys, place)
        reads(client, keys)
        session = people(access, place.at(DAYS, 11))
        console(client, session)
        came_since(client, access, place)
    journal = open_journal(place.settings)
    sweep(journal, Archive(place.settings.archive))
    journal.store.close()
    with place.desk() as desk:
        reassess(desk, place.at(DAYS, 14))
    erased(place)
    still_waiting(place)
    place.sign(DAYS + 1)


def machines(access: Access, now: datetime) -> dict[str, dict[str, str]]:
    """Keys by role, one of them revoked; as headers."""
    made = {}
    for role in ("clearance", "analyst", "auditor", "right_holder"):
        key = access.make_key(f"{role}-1", role, ["*"], "kept", "anna", now)
        made[role] = {"Authorization": f"Bearer {key}"}
    gone = access.make_key("old-1", "clearance", ["FRLYS1"], "kept", "anna", now, days=30)
    access.revoke_key(gone.split("_")[1], "anna", now)
    return made


def people(access: Access, now: datetime) -> dict[str, str]:
    """Accounts made by invitations, one closed, one that failed to log in; headers of the session of an analyst."""
    for name, role in PERSONS.items():
        access.accept(access.invite(name, role, ["*"], invited_by(name), now), "", PASSWORD, "fr", now)
    access.invite("eve", "analyst", ["FRCDG1"], "anna", now)
    access.close_account("dora", "anna", now)
    try:
        access.log_in("carla", "not the password", "kept", now)
    except Denied:
        pass
    else:
        raise RuntimeError("a wrong password was taken")
    secret = access.log_in("b.keller", PASSWORD, "kept", datetime.now(now.tzinfo))
    person = access.person(secret, datetime.now(now.tzinfo))
    if person is None:
        raise RuntimeError("nobody is logged in")
    return {"Cookie": f"{COOKIE}={secret}", "csrf": person.csrf}


def shops(place: Place, first: int, hours: int, **changes: Any) -> list[dict[str, Any]]:
    """Six consignments of one hidden sender under six names."""
    return [
        declared(
            first + n, lodged_at=place.at(DAYS, hours) + timedelta(seconds=first + n), office="FRLYS1",
            consignor={"name": f"Shop {first + n} Star", "address": f"{n} Road", "city": "Yiwu", "country": "CN",
                       "phone": PHONE, "email": f"star{first}@shops.example"},
            goods=[{"line_no": 1, "quantity": 20 + n, "value": 4.0, "currency": "EUR", **GARMENTS}],
            **changes,
        )
        for n in range(6)
    ]  # fmt: skip


def carriers(client: TestClient, keys: dict[str, dict[str, str]], place: Place) -> None:
    """Calls with their amendment, cancellation and repetition; messages of carriers in their own formats."""

    def post(consignments: Sequence[dict[str, Any]], name: str) -> None:
        told = client.post("/v1/consignments", json=body(*consignments, message_id=name), headers=keys["clearance"])
        answered(told, 200)

    lodged_at = place.at(DAYS, 9)
    for number in (1, 2, 3):
        post([declared(number, lodged_at=lodged_at)], f"L{number}")
    post([declared(1, lodged_at=lodged_at)], "L1")
    post([declared(4, lodged_at=lodged_at), declared(1, lodged_at=lodged_at)], "L1")
    post([declared(1, version=2, purpose="amendment", gross_mass_kg=3.5, lodged_at=lodged_at)], "L1-2")
    post([declared(2, version=2, purpose="cancellation", lodged_at=lodged_at)], "L2-2")
    post([declared(5, lodged_at=lodged_at, **ODD)], "L5")
    post([declared(6, lodged_at=lodged_at, goods=[{"description": "shoes soleil", "hs_code": "640411", "value": 9.0,
                                                   "product_code": "(01)09506000134352(21)K-1"}])], "L6")  # fmt: skip
    post([declared(8, lodged_at=lodged_at), declared(9, lodged_at=lodged_at, consignor={"name": "Erased Ltd"})], "L8")
    post(shops(place, 100, 9), "L100")
    formats(client, keys["clearance"], place)
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("/v1/outcomes", {"outcomes": [outcome(3, known_at=lodged_at + timedelta(hours=1), officer="o-17"),
                                       outcome(9, known_at=lodged_at + timedelta(hours=1), officer="o-18"),
                                       outcome(987654, known_at=lodged_at)]}, "clearance"),
        ("/v1/genuine", {"serials": [{"gtin": "9506000134369", "serial": "R-1"}]}, "right_holder"),
    ]  # fmt: skip
    for route, told, role in calls:
        answered(client.post(route, json=told, headers=keys[role]), 200, 201)


def formats(client: TestClient, key: dict[str, str], place: Place) -> None:
    """ICS2, a waybill text, a dispatch list and the items that it stowed."""
    sent_at = place.at(DAYS, 9).isoformat().replace("+00:00", "Z")
    party = {"consignor_name": "Li Ming", "consignor_address": "Road 1", "consignor_city": "Yiwu",
             "consignor_country": "CN", "consignee_name": "Marie Durand", "consignee_address": "3 rue de la Paix",
             "consignee_city": "Paris", "consignee_country": "FR", "consignee_postcode": "75002",
             "consignor_postcode": "322000"}  # fmt: skip
    goods = [{"line_no": "1", "description": "leather belt", "hs_code": "420330", "quantity": "2", "value": "12.50",
              "currency": "EUR", "net_mass_kg": "0.4"}]  # fmt: skip
    one = {**party, "lodged_at": sent_at, "gross_mass_kg": "0.500", "packages": "1", "goods": goods,
           "dispatch_country": "CN", "destination_country": "FR", "nature": "sale"}  # fmt: skip
    dispatch = {"predes": {"messageId": "P1", "receptacles": [
        {"receptacleId": "CNPVGAFRCDGAAUN12345678901234",
         "items": [{"itemId": "LX123456785CN"}, {"itemId": "RR000000005CN"}]}]}}  # fmt: skip
    bodies = [
        as_ics2([{**one, "consignment_id": "ICS2-1", "stream": "express"}], "E1", sent_at=sent_at),
        as_fhl([{**one, "consignment_id": "FHL1", "stream": "express", "origin_airport": "PVG", "office": "CDG"}]),
        json.dumps(dispatch).encode(),
        as_postal_json([{**one, "consignment_id": "LX123456785CN", "stream": "postal"}], "I1", sent_at),
    ]
    for content in bodies:
        answered(client.post("/v1/messages", content=content, headers=key), 200)


def reads(client: TestClient, keys: dict[str, dict[str, str]]) -> None:
    """Personal data is read, which is logged."""
    decision = client.get("/v1/consignments/HAWB000000100", headers=keys["analyst"]).json()["decisions"][0]
    code = decision["network_id"] or decision["party_id"]
    for route in ("consignments/HAWB000000001", "consignments/HAWB000000003/dossier", f"networks/{code}"):
        answered(client.get(f"/v1/{route}", headers=keys["analyst"]), 200)


def console(client: TestClient, session: dict[str, str]) -> None:
    """An analyst opens a page, puts another lane and enters a result."""
    headers, csrf = {"Cookie": session["Cookie"]}, {"csrf": session["csrf"]}
    place = "/console/consignments/HAWB000000004"
    answered(client.get(place, headers=headers), 200)
    with client.app.state.desk.journal.store.reading() as connection:  # type: ignore[attr-defined]
        own = DECISIONS.select().where(DECISIONS.c.consignment_id == "HAWB000000004")
        decision_id = connection.execute(own).mappings().one()["decision_id"]
    told = {"decision_id": decision_id, "clearance": "red", "reason": "seen in the console"}
    answered(client.post(f"{place}/override", data=told | csrf, headers=headers), 303)
    result = {"result": "compliant", "stage": "clearance"}
    answered(client.post(f"{place}/outcome", data=result | csrf, headers=headers), 303)


def answered(answer: httpx.Response, *status: int) -> None:
    """Raise where a call was answered otherwise than the story goes."""
    if answer.status_code not in status:
        raise RuntimeError(f"{answer.request.url}: {answer.status_code} {answer.text[:500]}")


def erased(place: Place) -> None:
    """A consignment with a decision, a result, an override and a case is erased, by name."""
    number, at = "HAWB000000009", place.at(DAYS, 15)
    journal = open_journal(place.settings)
    tracks = load_policy((place.settings.home / "policy.toml").read_text(encoding="utf-8")).tracks
    decision = decisions(journal.store, DECISIONS.c.consignment_id == number)[0]
    override(journal.store, decision["decision_id"], "red", "b.keller", "to be erased", at, number)
    detain(journal, Detained(number, at, "b.keller", "FR", "Erased Holder"), tracks)
    erase(journal.store, [number], "A. Martin", "asked for by the person", at)
    journal.store.close()
    Archive(place.settings.archive).erase([number])


def still_waiting(place: Place) -> None:
    """What nobody has decided again yet: for a list, for a finding, and for a history that was out."""
    at = place.at(DAYS, 16)
    with place.desk() as desk:
        target(sent(place, "M-many", DAYS, range(800, 824)), desk)
        store = desk.journal.store
        chosen = decisions(store, DECISIONS.c.clearance == "green")[-12:]
        content = a_list(mailboxes(store, [one["consignment_id"] for one in chosen])[:4])
        import_list(store, "watch-2", content, source="unit", by="anna", at=micros(at))
        known = OUTCOMES.select().where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id).exists()
        networks = {one["network"] for one in decisions(store, DECISIONS.c.held)}
        checked = DECISIONS.c.checked.in_(("physical", "scan"))
        opened = decisions(store, DECISIONS.c.network.in_(networks), checked, ~known)
    learned(place, [result_of(one, at, hit=True) for one in opened])
    with away(segments(place)), place.desk() as desk:
        target(sent(place, "M-out", DAYS, range(900, 904)), desk)
    with place.store() as store:
        waiting = decisions(store, DECISIONS.c.waits, DECISIONS.c.clearance == "green")
        drawn = decisions(store, SELECTION == "random", DECISIONS.c.clearance != "red")
        held = [one for one in waiting if one["held"]]
        out = [one for one in waiting if one["body"]["mode"] == "degraded"]
        listed = [one for one in waiting if not one["held"] and one not in out]
        if not (held and out and listed):  # hardly any drawn by chance is let go: what it takes is there
            raise RuntimeError(f"{len(drawn)} drawn, {len(held)} held, {len(out)} degraded, {len(listed)} listed")
        for one in (*drawn[:1], held[0], out[0], listed[0]):
            override(store, one["decision_id"], "red", "b.keller", "no need to wait", at, one["consignment_id"])
