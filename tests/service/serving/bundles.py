"""Second bundles, and calls that go on while bundles are swapped."""

from __future__ import annotations

import shutil
import threading
import time
from typing import Any

import httpx

from service.scoring.bundle import seal
from service.settings import Settings
from tests.service.building import MODEL_ID, body, declared

OTHER = "tiny-v2"


def another(settings: Settings, name: str = OTHER, policy: str | None = None) -> None:
    """A second bundle, promoted later, that scores the same."""
    shutil.copytree(settings.bundles / MODEL_ID, settings.bundles / name)
    if policy is not None:
        (settings.bundles / name / "policy.toml").write_text(policy, encoding="utf-8")
    trees = settings.bundles / name / "model.txt"
    text = trees.read_text(encoding="utf-8")
    other = text.replace("[max_bin: 255]", f"[max_bin: 25{name[-1]}]")  # other bytes, same scores
    assert other != text
    trees.write_text(other, encoding="utf-8")
    seal(settings.bundles / name, settings.keys, {"model_id": name, "promoted_at": "2026-03-01T00:00:00+00:00"})


class Load(threading.Thread):
    """Calls one after another, each on a connection of its own, until told to stop; every answer that was no 200.

    A server that stops closes the connections whose calls it has not begun to read; such a call is sent once more, as
    any client of HTTP does, and it is safe: a message that was decided is decided once.
    """

    def __init__(self, address: str, first: int) -> None:
        super().__init__(daemon=True)
        self.address, self.number = address, first
        self.over, self.failed, self.resent = threading.Event(), list[str](), 0
        self.decided: list[dict[str, Any]] = []
        self.slowest = 0.0

    def run(self) -> None:
        while not self.over.is_set():
            self.number += 1
            began = time.monotonic()
            told = body(declared(self.number), message_id=f"L{self.number}")
            try:
                answer = self.sent(told)
            except httpx.HTTPError as fault:
                self.failed.append(type(fault).__name__)
            else:
                self.slowest = max(self.slowest, time.monotonic() - began)
                if answer.status_code == 200:
                    self.decided += answer.json()["decisions"]
                else:
                    self.failed.append(str(answer.status_code))

    def sent(self, told: dict[str, Any]) -> httpx.Response:
        address = f"{self.address}/v1/consignments"
        try:
            return httpx.post(address, json=told, timeout=60)
        except httpx.RemoteProtocolError:
            self.resent += 1
            return httpx.post(address, json=told, timeout=60)

    def stop(self) -> None:
        self.over.set()
        self.join(60)
