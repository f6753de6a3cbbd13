"""Webhooks: what came to count reaches its receiver signed and in order, whatever fails on the way."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.fault import Fault
from features.moments import micros
from service.access import Access
from service.app import create
from service.audit.erasure import erase
from service.audit.verify import verify_record
from service.officers.overrides import override_lane
from service.settings import Settings
from service.store.database import Store
from service.store.webhook_tables import WEBHOOKS
from service.webhooks import delivery
from service.webhooks.delivery import CLAIMED, FIRST_WAIT, LONGEST_WAIT, REFUSED_TRIES, Sender
from service.webhooks.directory import AT_MOST, OVERLAP, Webhooks
from service.webhooks.signature import check_url, signed_headers
from tests.service.building import NOON, app_state, body, declared
from tests.service.webhooks.conftest import HERE, START, Clock
from tests.service.webhooks.receiver import Receiver, receiving

ELSEWHERE = "FRLYS1"


@pytest.fixture
def sender(access: Access, clock: Clock) -> Iterator[Sender]:
    with closing(Sender(access, clock)) as opened:
        yield opened


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


def subscribed(access: Access, receiver: Receiver, **how: Any) -> str:
    made = Webhooks(access).make(receiver.url, "clearance-1", "anna", START, **how)
    receiver.secret = made.secret
    return made.webhook_id


def lodged(client: TestClient, *numbers: int, office: str = HERE, **changes: Any) -> list[dict[str, Any]]:
    parcels = [declared(number, office=office, **changes) for number in numbers]
    answer = client.post("/v1/consignments", json=body(*parcels, message_id=f"M-{office}-{numbers}-{changes}"))
    assert answer.status_code == 200, answer.text
    given: list[dict[str, Any]] = answer.json()["decisions"]
    return given


def overridden(client: TestClient, decision: dict[str, Any], lane: str) -> None:
    store = store_of(client)
    override_lane(store, decision["decision_id"], lane, "officer-1", "seen", NOON, decision["consignment_id"])


def store_of(client: TestClient) -> Store:
    store: Store = app_state(client).desk.journal.store
    return store


def of_webhook(client: TestClient, webhook_id: str) -> dict[str, Any]:
    with store_of(client).reading() as connection:
        return dict(connection.execute(sa.select(WEBHOOKS).where(WEBHOOKS.c.webhook_id == webhook_id)).mappings().one())


def test_signatures_are_those_of_the_specification() -> None:
    # the example that libraries of Standard Webhooks test themselves with
    secret, body_of_it = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", b'{"test": 2432232314}'
    headers = signed_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body_of_it, [secret])
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_what_changes_after_the_first_decision_is_sent(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver
) -> None:
    subscribed(access, receiver)
    first, second = lodged(client, 1, 2)
    assert sender.send_due() == 0  # the call itself has answered with these
    overridden(client, first, "red")
    lodged(client, 2, version=2, purpose="amendment", gross_mass_kg=7.5)
    assert sender.send_due() == 1
    assert [(one["consignment_id"], one["change"], one["version"]) for one in receiver.changes] == [
        (first["consignment_id"], "overridden", 1),
        (second["consignment_id"], "decided", 2),
    ]
    assert receiver.changes[0]["standing_clearance"] == "red"
    assert (sender.send_due(), receiver.unsigned) == (0, 0)


def test_first_decisions_come_too_where_they_are_asked_for(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHANGES", 3)
    earlier = lodged(client, 1)
    subscribed(access, receiver, every=True)
    given = lodged(client, *range(2, 12))
    assert sender.send_due() == 4
    assert [one["decision_id"] for one in receiver.changes] == [one["decision_id"] for one in given]
    subscribed(access, receiver, every=True, since=0)
    assert sender.send_due() == 4
    assert receiver.taken[4]["since"] == "0"
    assert receiver.changes[len(given)]["decision_id"] == earlier[0]["decision_id"]


def test_a_receiver_sees_what_its_key_sees(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver
) -> None:
    subscribed(access, receiver, every=True)
    lodged(client, 1, office=ELSEWHERE)
    (here,) = lodged(client, 2)
    sender.send_due()
    (change,) = receiver.changes
    assert change["consignment_id"] == here["consignment_id"]
    assert all(set(reason) == {"code", "text"} for reason in change["reasons"])  # a clearance system sees no weights


def test_a_receiver_that_was_down_for_ten_minutes_gets_all_in_order(
    client: TestClient, access: Access, clock: Clock
) -> None:
    with receiving() as gone:
        port = gone.port
        webhook_id = subscribed(access, gone, every=True)
    expected, waits = [], []
    with closing(Sender(access, clock)) as sender:
        for number in range(1, 61):  # ten minutes, a consignment every ten seconds
            expected += lodged(client, number)
            before = of_webhook(client, webhook_id)["failures"]
            assert sender.send_due() == 0
            if of_webhook(client, webhook_id)["failures"] > before:
                waits.append(number)
            clock.on(10.0)
        failing = of_webhook(client, webhook_id)
        assert failing["failing_since"] == micros(START)
        assert failing["fault"] == "it does not answer: ConnectError"
        assert 5 <= len(waits) <= 8  # further and further apart
        with receiving(port) as back:
            back.secret = gone.secret
            clock.on(LONGEST_WAIT)
            expected += lodged(client, 61)
            while sender.send_due():
                pass
    assert [one["decision_id"] for one in back.changes] == [one["decision_id"] for one in expected]
    places = [one["at_entry"] for one in back.changes]
    assert places == sorted(set(places))
    assert back.unsigned == 0
    healed = of_webhook(client, webhook_id)
    assert (healed["failures"], healed["failing_since"], healed["fault"]) == (0, None, "")


def test_a_message_is_tried_again_as_it_was(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    subscribed(access, receiver, every=True)
    first = lodged(client, 1)
    receiver.answers = [(503, {})]
    assert sender.send_due() == 0
    second = lodged(client, 2)
    clock.on(FIRST_WAIT)
    assert sender.send_due() == 2
    assert [[one["decision_id"] for one in message["decisions"]] for message in receiver.taken] == [
        [first[0]["decision_id"]], [second[0]["decision_id"]],
    ]  # fmt: skip


@pytest.mark.parametrize(("asked", "waited"), [("30", 30.0), ("1", FIRST_WAIT), ("999999", LONGEST_WAIT)])
def test_a_receiver_may_say_when_to_come_again(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock, asked: str, waited: float
) -> None:
    subscribed(access, receiver, every=True)
    lodged(client, 1)
    receiver.answers = [(429, {"Retry-After": asked})]
    sender.send_due()
    clock.on(waited - 0.5)
    assert (sender.send_due(), receiver.asked) == (0, 1)
    clock.on(0.5)
    assert (sender.send_due(), receiver.asked) == (1, 2)


def test_what_is_refused_for_good_is_undelivered_and_the_next_goes(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    webhook_id = subscribed(access, receiver, every=True)
    refused = lodged(client, 1)
    receiver.answers = [(422, {})] * REFUSED_TRIES
    for _ in range(REFUSED_TRIES):
        assert sender.send_due() == 0
        clock.on(LONGEST_WAIT)
    (undelivered,) = Webhooks(access).undelivered(webhook_id)
    assert undelivered["fault"] == "it answers 422"
    later = lodged(client, 2)
    assert sender.send_due() == 1
    assert receiver.changes[0]["decision_id"] == later[0]["decision_id"]
    receiver.answers = [(422, {})]
    assert sender.send_again(undelivered).fault == "it answers 422"
    assert Webhooks(access).undelivered() == [undelivered]
    assert sender.send_again(undelivered).taken
    assert receiver.changes[1]["decision_id"] == refused[0]["decision_id"]
    assert Webhooks(access).undelivered() == []


def test_two_processes_send_each_message_once(
    client: TestClient, access: Access, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHANGES", 2)
    subscribed(access, receiver, every=True)
    given = lodged(client, *range(1, 31))
    senders = [Sender(access) for _ in range(4)]

    def send(sender: Sender) -> None:
        for _ in range(12):
            sender.send_due()

    threads = [threading.Thread(target=send, args=(sender,)) for sender in senders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for sender in senders:
        sender.close()
    assert [one["decision_id"] for one in receiver.changes] == [one["decision_id"] for one in given]


def test_a_process_that_died_while_it_sent_is_waited_for(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    webhook_id = subscribed(access, receiver, every=True)
    lodged(client, 1)
    assert sender._claimed(of_webhook(client, webhook_id))  # and nothing came of it
    assert sender.send_due() == 0
    clock.on(CLAIMED.total_seconds())
    assert sender.send_due() == 1


def test_a_secret_is_replaced_without_a_message_refused(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    webhook_id = subscribed(access, receiver, every=True)
    former, directory = receiver.secret, Webhooks(access)
    present = directory.replace_secret(webhook_id, "anna", clock())
    assert present != former
    for secret in (former, present):
        receiver.secret = secret
        lodged(client, len(receiver.taken) + 1)
        assert sender.send_due() == 1
    clock.on(OVERLAP.total_seconds())
    receiver.secret = former
    lodged(client, 9)
    assert (sender.send_due(), receiver.unsigned) == (0, 1)


def test_a_machine_without_a_key_is_told_nothing(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver, clock: Clock
) -> None:
    webhook_id = subscribed(access, receiver, every=True)
    (key,) = access.keys(START)
    access.revoke_key(key["key_id"], "anna", START)
    given = lodged(client, 1)
    assert (sender.send_due(), receiver.asked) == (0, 0)
    assert of_webhook(client, webhook_id)["fault"] == "no active key has the name of its machine"
    access.make_key("clearance-1", "clearance", [HERE], "clearance of parcels", "anna", START)
    clock.on(LONGEST_WAIT)
    assert sender.send_due() == 1
    assert receiver.changes[0]["decision_id"] == given[0]["decision_id"]


def test_what_was_erased_meanwhile_is_not_sent(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver
) -> None:
    subscribed(access, receiver, every=True)
    gone, kept = lodged(client, 1, 2)
    erase(store_of(client), [gone["consignment_id"]], "anna", "asked for", NOON)
    sender.send_due()
    assert [one["consignment_id"] for one in receiver.changes] == [kept["consignment_id"]]


def test_an_ended_webhook_is_told_nothing(
    client: TestClient, access: Access, sender: Sender, receiver: Receiver
) -> None:
    directory = Webhooks(access)
    webhook_id = subscribed(access, receiver, every=True)
    directory.end(webhook_id, "anna", START)
    lodged(client, 1)
    assert (sender.send_due(), receiver.asked, directory.active()) == (0, 0, [])
    for change in (directory.end, directory.replace_secret, directory.try_now):
        with pytest.raises(Fault, match="no such webhook"):
            change(webhook_id, "anna", START)


def test_the_service_sends_by_itself(quick_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.app.SENT_EVERY", 0.05)
    shutil.copytree(quick_home, tmp_path / "home")
    settings, came = Settings(home=tmp_path / "home"), threading.Event()
    with receiving() as receiver, TestClient(create(settings), raise_server_exceptions=False) as client:
        access: Access = app_state(client).access
        access.make_key("clearance-1", "clearance", [HERE], "clearance of parcels", "anna", datetime.now(UTC))
        made = Webhooks(access).make(receiver.url, "clearance-1", "anna", datetime.now(UTC), every=True)
        receiver.secret = made.secret
        given = lodged(client, 1, 2)
        for _ in range(200):
            if len(receiver.changes) == len(given):
                break
            came.wait(0.05)
        store = store_of(client)
        assert verify_record(store, settings.checkpoints, settings.keys).holds
    assert [one["decision_id"] for one in receiver.changes] == [one["decision_id"] for one in given]


@pytest.mark.parametrize(
    "url",
    [
        "http://clearance.example/tamis", "ftp://clearance.example", "https://", "https://u:p@clearance.example/",
        "https://clearance.example/#x", "https://clearance.example/ x", "https://[::1", "https://h:99999/", "tamis",
        "https://h/" + "x" * 2_000,
    ],
)  # fmt: skip
def test_an_address_that_is_not_safe_is_refused(url: str, access: Access) -> None:
    with pytest.raises(Fault, match=r"^url: ") as refused:
        Webhooks(access).make(url, "clearance-1", "anna", START)
    assert "99999" not in str(refused.value)
    assert "u:p" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://clearance.example/tamis?x=1", "http://127.0.0.1:8080/", "http://[::1]/"])
def test_safe_addresses_are_taken(url: str) -> None:
    assert check_url(url) == url


def test_faults_name_the_remedy(access: Access) -> None:
    directory = Webhooks(access)
    with pytest.raises(Fault, match="no active key has this name"):
        directory.make("https://clearance.example", "nobody", "anna", START)
    with pytest.raises(Fault, match="since: a place on the audit log, 0 to"):
        directory.make("https://clearance.example", "clearance-1", "anna", START, since=10**9)
    for _ in range(AT_MOST):
        directory.make("https://clearance.example", "clearance-1", "anna", START)
    with pytest.raises(Fault, match="end one first"):
        directory.make("https://clearance.example", "clearance-1", "anna", START)
