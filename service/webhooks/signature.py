"""The signature of a webhook's messages, as Standard Webhooks 1.0 has it: receivers verify it with ready libraries."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from features.fault import Fault
from service.store.pseudonyms import Pseudonyms
from service.webhooks.broker import exchange_of, is_broker

LONGEST_URL = 2_000
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def secret_of(pseudonyms: Pseudonyms, webhook_id: str, generation: int) -> str:
    """Return the secret that a webhook and its receiver share; it follows from the installation's key, and is nowhere.

    generation: counts on where a secret is replaced.
    """
    secret = pseudonyms.derived(f"webhook\x1f{webhook_id}\x1f{generation}")
    return f"whsec_{base64.b64encode(secret).decode()}"


def signed_headers(message_id: str, sent_at: int, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """Return the headers of a message: its identifier, when it was sent (seconds since 1970), a signature a secret."""
    signatures = [_signature(message_id, sent_at, body, secret) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": " ".join(signatures),
        "content-type": "application/json",
    }


def _signature(message_id: str, sent_at: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.digest(key, f"{message_id}.{sent_at}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def check_url(url: str) -> str:
    """Return the address of a receiver; raises Fault for one that what is sent would not be safe on its way to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or len(url) > LONGEST_URL or not url.isprintable() or " " in url:
        raise Fault("url: an address such as https://clearance.example/tamis")
    plain_here = parts.scheme in ("http", "amqp") and host in LOOPBACK
    if parts.scheme not in ("https", "amqps") and not plain_here:
        raise Fault("url: begin it with https:// or amqps://; without the s it is for this machine alone (127.0.0.1)")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise Fault("url: without a user, a password and a fragment: messages are signed")
    if is_broker(url):
        exchange_of(url)
    return url
