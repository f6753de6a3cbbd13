"""A real RabbitMQ of a test's own: started in a folder, killed hard, started again over what it had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pika
from pika.exceptions import AMQPError

from tests.service.processes import free_port

SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")  # Debian's; the one on the path changes the user
STARTS_WITHIN = 90.0  # seconds
EXCHANGE, QUEUE = "tamis", "clearance"


class Rabbit:
    """A broker on a port of this machine; its exchange and its queue survive it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.url = f"amqp://127.0.0.1:{self.port}/?exchange={EXCHANGE}"
        names = free_port()
        self._environment = {
            **os.environ, "HOME": str(folder), "ERL_EPMD_PORT": str(names), "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"tamis{self.port}@localhost", "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port), "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"), "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        }  # fmt: skip
        self._names = subprocess.Popen(["epmd", "-port", str(names), "-address", "127.0.0.1"])
        self._server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                [str(SERVER)], env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until:
            with suppress(AMQPError, OSError), self.connected():
                return
            assert self._server.poll() is None, (self.folder / "server.log").read_text(encoding="utf-8")
            time.sleep(0.2)
        raise AssertionError("RabbitMQ does not answer in time")

    def kill(self) -> None:
        """Kill it with all that it started, at once."""
        if self._server is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait()
            self._server = None

    def end(self) -> None:
        """Leave no process behind."""
        self.kill()
        self._names.kill()
        self._names.wait()

    @contextmanager
    def connected(self) -> Iterator[Any]:
        """A channel of an administrator."""
        with closing(pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", self.port))) as connection:
            yield connection.channel()

    def set_up(self) -> None:
        """Make the exchange and the queue of a receiver, empty."""
        with self.connected() as channel:
            channel.exchange_declare(EXCHANGE, "topic", durable=True)
            channel.queue_declare(QUEUE, durable=True)
            channel.queue_bind(QUEUE, EXCHANGE, "decisions.#")
            channel.queue_purge(QUEUE)

    def taken(self) -> list[tuple[dict[str, str], bytes, Any]]:
        """All that waits in the queue: header fields, body and properties of each message, in order."""
        found = []
        with self.connected() as channel:
            while (got := channel.basic_get(QUEUE, auto_ack=True))[0] is not None:
                found.append((dict(got[1].headers), got[2], got[1]))
        return found


def changes_in(taken: list[tuple[dict[str, str], bytes, Any]]) -> list[dict[str, Any]]:
    """The changes of messages, in their order."""
    return [change for _, body, _ in taken for change in json.loads(body)["data"]["decisions"]]
