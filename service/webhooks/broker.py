"""A broker as a receiver: messages go to an exchange (AMQP 0-9-1), each one confirmed before the next is sent."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from features.fault import Fault

if TYPE_CHECKING:
    from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

PORTS = {"amqp": 5672, "amqps": 5671}
ROUTING_KEY = "decisions.changed"
SECONDS = 10  # for a broker to answer, and between two signs of life
NO_LIBRARY = "the library for brokers is not installed: pip install 'tamis[amqp]'"
NOT_LET_IN = "the broker lets nobody in by this user and password (TAMIS_AMQP_CREDENTIALS), or not to this vhost"
NO_QUEUE = "no queue is bound to the exchange for its routing key"
EXCHANGE = "url: name the exchange, such as amqps://broker.example/vhost?exchange=tamis"


@dataclass(frozen=True, slots=True)
class Exchange:
    """Where messages are published to, as an address names it: `amqps://host:port/vhost?exchange=…&routing_key=…`."""

    host: str
    port: int
    encrypted: bool
    virtual_host: str
    name: str
    routing_key: str


def is_broker(url: str) -> bool:
    """Whether an address is a broker's."""
    return url.partition("://")[0] in PORTS


def exchange_of(url: str) -> Exchange:
    """Read the address of an exchange; raises Fault where it names none."""
    parts = urlsplit(url)
    asked = parse_qs(parts.query)
    (name,) = asked.pop("exchange", [""])[:1]
    (routing_key,) = asked.pop("routing_key", [ROUTING_KEY])[:1]
    if not name or asked:
        raise Fault(EXCHANGE)
    path = unquote(parts.path.removeprefix("/"))
    encrypted = parts.scheme == "amqps"
    return Exchange(parts.hostname or "", parts.port or PORTS[parts.scheme], encrypted, path or "/", name, routing_key)


class Broker:
    """Publishes messages; its connections live from one message to the next and end with `close`.

    credentials: file with `user:password`; without one, those of a fresh broker, which takes them from its own machine.
    """

    def __init__(self, credentials: Path | None = None) -> None:
        self._credentials = credentials
        self._open: dict[str, tuple[BlockingConnection, BlockingChannel]] = {}

    def publish(self, url: str, body: bytes, headers: Mapping[str, str]) -> str:
        """Publish one message and wait until the broker has it safe; return why it has not, nothing where it has.

        headers: `webhook-id` identifies it, and all are sent along.
        """
        try:
            import pika
            from pika import exceptions as faults
        except ImportError:
            return NO_LIBRARY
        exchange = exchange_of(url)
        message = pika.BasicProperties(
            content_type="application/json", delivery_mode=2, type=ROUTING_KEY, message_id=headers["webhook-id"],
            timestamp=int(headers["webhook-timestamp"]), headers=dict(headers),
        )  # fmt: skip
        try:
            channel = self._channel(url, exchange)
            channel.basic_publish(exchange.name, exchange.routing_key, body, message, mandatory=True)
        except faults.UnroutableError:
            return NO_QUEUE
        except faults.NackError:
            return "the broker does not take it"
        except (faults.ProbableAuthenticationError, faults.ProbableAccessDeniedError):
            return NOT_LET_IN
        except faults.ChannelClosedByBroker as fault:
            self._leave(url)
            return f"the broker refuses it: {fault.reply_text}"
        except (faults.AMQPError, OSError) as fault:
            self._leave(url)
            return f"the broker does not answer: {type(fault).__name__}"
        return ""

    def close(self) -> None:
        """End all connections: one that nobody tends would be ended by the broker."""
        for url in list(self._open):
            self._leave(url)

    def _channel(self, url: str, exchange: Exchange) -> BlockingChannel:
        if url not in self._open:
            import pika

            logging.getLogger("pika").setLevel(logging.CRITICAL)  # what fails is logged by who sends, in one line
            secured = pika.SSLOptions(ssl.create_default_context(), exchange.host) if exchange.encrypted else None
            connection = pika.BlockingConnection(
                pika.ConnectionParameters(
                    exchange.host, exchange.port, exchange.virtual_host, self._as_credentials(pika),
                    ssl_options=secured, heartbeat=SECONDS, blocked_connection_timeout=SECONDS,
                    socket_timeout=SECONDS, stack_timeout=SECONDS, connection_attempts=1,
                )
            )  # fmt: skip
            channel = connection.channel()
            channel.confirm_delivery()
            self._open[url] = connection, channel
        return self._open[url][1]

    def _as_credentials(self, pika: Any) -> Any:
        if self._credentials is None:
            return pika.ConnectionParameters.DEFAULT_CREDENTIALS
        user, _, password = self._credentials.read_text(encoding="utf-8").strip().partition(":")
        return pika.PlainCredentials(user, password)

    def _leave(self, url: str) -> None:
        from pika.exceptions import AMQPError

        opened = self._open.pop(url, None)
        try:
            if opened is not None and opened[0].is_open:
                opened[0].close()
        except (AMQPError, OSError):
            return  # it is gone already
