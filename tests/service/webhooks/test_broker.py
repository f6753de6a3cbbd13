"""A broker as a receiver: confirmed, in the order of the log, and none lost when it is killed meanwhile."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from features.fault import Fault
from service.access import Access
from service.webhooks import delivery
from service.webhooks.broker import EXCHANGE as REMEDY
from service.webhooks.broker import NO_LIBRARY, NO_QUEUE, NOT_LET_IN, Broker, exchange_of
from service.webhooks.delivery import LONGEST_WAIT, Sender
from service.webhooks.directory import Webhooks
from service.webhooks.signature import check_url
from tests.service.webhooks.conftest import START, Clock
from tests.service.webhooks.rabbit import EXCHANGE, QUEUE, SERVER, Rabbit, changes_in
from tests.service.webhooks.receiver import Receiver
from tests.service.webhooks.test_webhooks import lodged, of_webhook

HEADERS = {"webhook-id": "hook-1.0-1", "webhook-timestamp": "1774857600"}
running = pytest.mark.skipif(not SERVER.exists(), reason="needs rabbitmq-server, which .ci/run installs")


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rabbit]:
    broker = Rabbit(tmp_path_factory.mktemp("rabbit"))
    try:
        broker.start()
        yield broker
    finally:
        broker.end()


@pytest.fixture
def rabbit(started: Rabbit) -> Rabbit:
    started.set_up()
    return started


def subscribed(access: Access, url: str) -> tuple[str, Receiver]:
    """A webhook that publishes every decision; and what verifies as its receiver does."""
    made = Webhooks(access).make(url, "clearance-1", "anna", START, every=True)
    receiver = Receiver()
    receiver.server.server_close()
    receiver.secret = made.secret
    return made.webhook_id, receiver


@running
def test_every_message_is_confirmed_signed_durable_and_in_order(
    client: TestClient, access: Access, clock: Clock, rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHANGES", 2)
    _, receiver = subscribed(access, rabbit.url)
    given = lodged(client, 1, 2, 3, 4, 5)
    with closing(Sender(access, clock)) as sender:
        assert sender.send_due() == 3
        assert sender.send_due() == 0
    taken = rabbit.taken()
    assert [one["decision_id"] for one in changes_in(taken)] == [one["decision_id"] for one in given]
    for headers, body, properties in taken:
        assert receiver.verifies(headers, body)
        assert (properties.delivery_mode, properties.message_id) == (2, headers["webhook-id"])
        assert (properties.type, properties.content_type) == ("decisions.changed", "application/json")


@running
def test_none_is_lost_when_the_broker_is_killed_meanwhile(
    client: TestClient, access: Access, clock: Clock, rabbit: Rabbit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "CHANGES", 1)
    webhook_id, _ = subscribed(access, rabbit.url)
    expected = [one["decision_id"] for first in range(1, 61, 20) for one in lodged(client, *range(first, first + 20))]
    confirmed = threading.Event()
    publish = Broker.publish

    def counted(self: Broker, url: str, body: bytes, headers: dict[str, str]) -> str:
        fault = publish(self, url, body, headers)
        if not fault:
            confirmed.set()
            time.sleep(0.01)
        return fault

    monkeypatch.setattr(Broker, "publish", counted)

    def kill_amid() -> None:
        confirmed.wait(30)
        rabbit.kill()

    killer = threading.Thread(target=kill_amid)
    killer.start()
    with closing(Sender(access, clock)) as sender:
        before = sender.send_due()
        killer.join()
        assert 0 < before < len(expected)
        failing = of_webhook(client, webhook_id)
        assert failing["fault"].startswith("the broker does not answer: ")
        clock.on(LONGEST_WAIT)
        assert sender.send_due() == 0
        expected += [one["decision_id"] for one in lodged(client, 61)]
        rabbit.start()
        clock.on(LONGEST_WAIT)
        while sender.send_due():
            pass
    changes = changes_in(rabbit.taken())
    first_of_each = {change["at_entry"]: change["decision_id"] for change in reversed(changes)}
    assert [first_of_each[entry] for entry in sorted(first_of_each)] == expected
    places = [change["at_entry"] for change in changes]
    assert places == sorted(places)  # one whose confirmation was lost comes twice, and nothing overtakes
    assert len(places) <= len(expected) + 1
    healed = of_webhook(client, webhook_id)
    assert (healed["failures"], healed["fault"]) == (0, "")


@running
def test_a_message_waits_for_its_exchange_and_its_queue(
    client: TestClient, access: Access, clock: Clock, rabbit: Rabbit
) -> None:
    webhook_id, _ = subscribed(access, rabbit.url)
    elsewhere, _ = subscribed(access, rabbit.url.replace(f"={EXCHANGE}", "=nowhere"))
    with rabbit.connected() as channel:
        channel.queue_unbind(QUEUE, EXCHANGE, "decisions.#")
    given = lodged(client, 1)
    with closing(Sender(access, clock)) as sender:
        assert sender.send_due() == 0
        assert of_webhook(client, webhook_id)["fault"] == NO_QUEUE
        assert "no exchange 'nowhere'" in of_webhook(client, elsewhere)["fault"]
        rabbit.set_up()
        clock.on(LONGEST_WAIT)
        assert sender.send_due() == 1
    assert [one["decision_id"] for one in changes_in(rabbit.taken())] == [given[0]["decision_id"]]
    assert Webhooks(access).undelivered() == []


@running
def test_wrong_credentials_are_a_fault_that_does_not_repeat_them(rabbit: Rabbit, tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text("guest:not-this-one\n", encoding="utf-8")
    with closing(Broker(file)) as broker:
        fault = broker.publish(rabbit.url, b"{}", HEADERS)
    assert fault == NOT_LET_IN
    file.write_text("guest:guest\n", encoding="utf-8")
    with closing(Broker(file)) as broker:
        assert broker.publish(rabbit.url, b"{}", HEADERS) == ""


def test_without_the_library_a_message_waits_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pika", None)
    assert Broker().publish("amqp://127.0.0.1/?exchange=tamis", b"{}", HEADERS) == NO_LIBRARY


def test_addresses_of_brokers() -> None:
    exchange = exchange_of(check_url("amqps://broker.example/customs?exchange=tamis&routing_key=fr.decisions"))
    assert (exchange.port, exchange.virtual_host, exchange.encrypted) == (5671, "customs", True)
    assert (exchange.name, exchange.routing_key) == ("tamis", "fr.decisions")
    here = exchange_of(check_url("amqp://127.0.0.1:5673?exchange=tamis"))
    assert (here.port, here.virtual_host, here.routing_key) == (5673, "/", "decisions.changed")
    for url, remedy in {
        "amqps://broker.example/customs": REMEDY,
        "amqps://broker.example/customs?exchange=tamis&durable=1": REMEDY,
        "amqp://broker.example/customs?exchange=tamis": "for this machine alone",
        "amqps://user:word@broker.example/?exchange=tamis": "without a user",
    }.items():
        with pytest.raises(Fault, match=remedy.replace("?", r"\?")):
            check_url(url)
