"""One result for many parcels: shown first, each on record by itself, taken back within a minute."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.access.guard import COOKIE
from service.access.principal import Principal
from service.app import create
from service.audit.verify import verify_record
from service.console import bulk_pages, officer_acts
from service.officers.assignments import take
from service.parties import stored_parties
from service.parties.linking_switch import LinkingSwitch
from service.record.search_index import catch_up, take_in_archived
from service.settings import Settings
from service.store.tables import OUTCOMES
from tests.service.access.closed import OTHER, OWN, PASSWORD, access, bearing, now
from tests.service.building import NOON, app_state, body, consignments, declared, message

FOUND: dict[str, str | list[str]] = {
    "result": "non_compliant",
    "findings": ["counterfeit", "misdeclared"],
    "items_found": "3",
}
COUNT = 6


@pytest.fixture
def client(quick_home: Path, tmp_path: Path) -> Iterator[TestClient]:
    """Six parcels of one sender at one office, and one at another."""
    shutil.copytree(quick_home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home", access="keys")
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", NOON)
    with TestClient(create(settings), follow_redirects=False) as opened:
        key = bearing(access(opened).make_key("seed", "clearance", ["*"], "tests", "tests", now()))
        many = [
            declared(n, office=OWN if n < COUNT else OTHER, lodged_at=now() - timedelta(minutes=20 - n),
                     consignor=star(n))
            for n in range(COUNT + 1)
        ]  # fmt: skip
        assert opened.post("/v1/consignments", json=body(*many, message_id="M1"), headers=key).status_code == 200
        catch_up(access(opened).store)
        yield opened


def star(n: int) -> dict[str, str]:
    """One of the names of a sender."""
    return {
        "name": f"Shop {n} Star",
        "address": f"{n} Road",
        "city": "Yiwu",
        "country": "CN",
        "phone": "+86 138 1234 5678",
        "email": f"star{n % 2}@shops.example",
    }


class Officer:
    """An analyst of some offices who sends forms."""

    def __init__(self, client: TestClient, name: str, offices: str) -> None:
        known = access(client)
        known.accept(known.invite(name, "analyst", offices.split(","), "tests", now()), "", PASSWORD, "en", now())
        self.client, secret = client, known.log_in(name, PASSWORD, "outcome_entry", now())
        principal = known.person(secret, now())
        assert isinstance(principal, Principal)
        self.csrf, self.headers = principal.csrf, {"Cookie": f"{COOKIE}={secret}"}

    def sends(self, path: str, **fields: str | list[str]) -> httpx.Response:
        answer: httpx.Response = self.client.post(path, data={"csrf": self.csrf, **fields}, headers=self.headers)
        return answer


@pytest.fixture
def officer(client: TestClient) -> Officer:
    return Officer(client, "ana", OWN)


def numbers(*which: int) -> list[str]:
    return [f"HAWB{n:09d}" for n in which or range(COUNT)]


def on_record(client: TestClient) -> dict[str, list[tuple[str, str]]]:
    """Of each parcel its results in order of time, and who entered them."""
    found: dict[str, list[tuple[str, str]]] = {}
    with access(client).store.reading() as connection:
        for row in connection.execute(sa.select(OUTCOMES).order_by(OUTCOMES.c.known_at)):
            found.setdefault(row.consignment_id, []).append((row.body["result"], row.body["officer"]))
    return found


def test_which_parcels_is_shown_first_and_nothing_is_recorded(client: TestClient, officer: Officer) -> None:
    assert officer.sends("/console/bulk/results", number=numbers(0), result="compliant").status_code == 303
    take(access(client).store, numbers(1)[0], "otto", now())
    shown = officer.sends("/console/bulk", number=numbers())
    assert shown.status_code == 200
    marked = re.findall(r'name="number" value="(\w+)"( checked)?', shown.text)
    assert {number for number, _ in marked} == {*numbers()}
    assert {number for number, checked in marked if checked} == {*numbers(2, 3, 4, 5)}  # one is done, one is otto's
    assert set(on_record(client)) == {*numbers(0)}


def test_each_parcel_has_its_own_result_on_the_chain_and_a_minute_takes_all_back(
    client: TestClient, officer: Officer
) -> None:
    done = officer.sends("/console/bulk/results", number=numbers(), **FOUND)
    assert (done.status_code, "of=6" in done.headers["location"]) == (303, True)
    assert on_record(client) == {number: [("non_compliant", "ana")] for number in numbers()}
    again = officer.sends("/console/bulk/undo")
    assert again.status_code == 303, again.text
    assert on_record(client) == {number: [("non_compliant", "ana"), ("inconclusive", "ana")] for number in numbers()}
    settings = app_state(client).settings
    verified = verify_record(access(client).store, settings.checkpoints, settings.keys)
    assert verified.holds
    assert verified.outcomes == 2 * COUNT


def test_a_network_is_previewed_as_far_as_the_officer_sees_it(client: TestClient, officer: Officer) -> None:
    party = app_state(client).desk.journal.decisions_on(numbers(0)[0])[0]["party_id"]
    linked = stored_parties.network(access(client).store, party, ["*"])
    assert linked is not None
    network = linked["network_id"]
    shown = officer.sends("/console/bulk", network=network)
    assert shown.status_code == 200
    assert set(re.findall(r'name="number" value="(\w+)"', shown.text)) == {*numbers()}
    everywhere = Officer(client, "chief", "*").sends("/console/bulk", network=network)
    assert set(re.findall(r'name="number" value="(\w+)"', everywhere.text)) == {*numbers(), *numbers(COUNT)}


def test_what_a_network_has_in_the_archive_alone_is_shown_and_cannot_be_marked(client: TestClient) -> None:
    desk, chief = app_state(client).desk, Officer(client, "chief", "*")
    long_gone = declared(COUNT + 1, office=OWN, lodged_at=now() - timedelta(days=40), consignor=star(1))
    sent, _ = desk.screened(consignments(message(long_gone, received_at=now())))
    assert desk.journal.remember(sent) == 1
    take_in_archived(access(client).store, sent)
    party = desk.journal.decisions_on(numbers(1)[0])[0]["party_id"]
    linked = stored_parties.network(access(client).store, party, ["*"])
    assert linked is not None
    shown = chief.sends("/console/bulk", network=linked["network_id"])
    (archived,) = numbers(COUNT + 1)
    assert f"{archived} · archive only" in shown.text
    marked = re.findall(r'name="number" value="(\w+)"', shown.text)
    assert set(marked) == {*numbers(), *numbers(COUNT)}
    done = chief.sends("/console/bulk/results", number=marked, **FOUND)
    assert (done.status_code, f"of={COUNT + 1}" in done.headers["location"]) == (303, True)


def test_a_parcel_of_another_office_or_a_contradiction_records_nothing(client: TestClient, officer: Officer) -> None:
    assert officer.sends("/console/bulk/results", number=[*numbers(), *numbers(COUNT)], **FOUND).status_code == 404
    refused = officer.sends("/console/bulk/results", number=numbers(), result="compliant", findings=["counterfeit"])
    assert refused.status_code == 422
    assert refused.text.count(" checked>") >= COUNT  # what was marked is marked again
    assert officer.sends("/console/bulk/results", result="compliant").status_code == 422
    many = [f"X{n}" for n in range(bulk_pages.AT_ONCE + 1)]
    assert officer.sends("/console/bulk/results", number=many, result="compliant").status_code == 422
    assert on_record(client) == {}


def test_after_the_minute_or_another_result_nothing_is_taken_back(
    client: TestClient, officer: Officer, monkeypatch: pytest.MonkeyPatch
) -> None:
    officer.sends("/console/bulk/results", number=numbers(0, 1), **FOUND)
    assert Officer(client, "otto", OWN).sends("/console/bulk/undo").status_code == 409  # not his
    with monkeypatch.context() as later:
        at = now() + timedelta(minutes=2)
        later.setattr(bulk_pages, "now", lambda: at)
        later.setattr(officer_acts, "now", lambda: at)
        assert officer.sends("/console/bulk/undo").status_code == 409
    assert all(len(results) == 1 for results in on_record(client).values())
