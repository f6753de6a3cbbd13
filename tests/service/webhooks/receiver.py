"""A receiver of webhooks: a real server on this machine that verifies what comes, and fails when it is told to."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """What came to a receiver and was signed as agreed; what it answers with."""

    def __init__(self, port: int = 0) -> None:
        self.secret = ""
        self.taken: list[dict[str, Any]] = []  # `data` of messages, in the order in which they came
        self.identifiers: list[str] = []
        self.asked = self.unsigned = 0
        self.answers: list[tuple[int, dict[str, str]]] = []  # for the next messages; then 204
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.asked += 1
                status, headers = receiver.answers.pop(0) if receiver.answers else (204, {})
                if not receiver.verifies(dict(self.headers.items()), body):
                    receiver.unsigned += 1
                    status = 401
                if 200 <= status < 300:
                    receiver.identifiers.append(self.headers["webhook-id"])
                    receiver.taken.append(json.loads(body)["data"])
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/tamis"

    def verifies(self, headers: dict[str, str], body: bytes) -> bool:
        """Verify a message as the specification tells a receiver to."""
        known = {name.lower(): value for name, value in headers.items()}
        signed = f"{known['webhook-id']}.{known['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(self.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        return f"v1,{expected}" in known["webhook-signature"].split(" ")

    @property
    def changes(self) -> list[dict[str, Any]]:
        """All changes that were taken, in order."""
        return [change for message in self.taken for change in message["decisions"]]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A receiver that listens until the block ends."""
    receiver = Receiver(port)
    thread = threading.Thread(target=receiver.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.server.shutdown()
        receiver.server.server_close()
        thread.join()
