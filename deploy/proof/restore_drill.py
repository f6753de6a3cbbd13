"""The restore drill: copy a home under load, destroy it, put the copy back, and see that nothing acknowledged is gone.

With nothing but Python's standard library, so that it runs where only Tamis is installed. It destroys the home that it
is given: it is for a rehearsal, on a machine that nobody relies on.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

WARM, DURING = 20, 20  # calls before the copy begins, and at least so many beside and after it
REPLAYED = 2
ANSWERS_WITHIN = 30  # seconds
Serving = Callable[[], AbstractContextManager[None]]  # for as long as a service answers


class DrillFault(Exception):
    """What the drill found wrong."""


class Load:
    """A clearance system that sends one consignment after the other, and notes each decision that it was given."""

    def __init__(self, address: str, key: str = "") -> None:
        self.address, self.key = address, key
        self.acknowledged: dict[str, str] = {}  # consignment → decision, in the order in which they were answered
        self.refused: list[str] = []
        self._name = f"DRILL{time.time_ns() // 1_000_000:X}"  # of another load than the one before
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(ANSWERS_WITHIN)

    def wait_for(self, answers: int) -> None:
        """Wait until so many calls were answered; raises DrillFault where they are not."""
        until = time.monotonic() + ANSWERS_WITHIN + answers
        while len(self.acknowledged) < answers:
            if time.monotonic() > until or not self._thread.is_alive():
                raise DrillFault(f"{len(self.acknowledged)} of {answers} calls were answered: {self.refused[-1:]}")
            time.sleep(0.05)

    def _send(self) -> None:
        for number in range(1_000_000):
            if self._over.is_set():
                return
            name = f"{self._name}-{number:06d}"
            try:
                answer = call(f"{self.address}/v1/consignments", self.key, declared(name))
            except urllib.error.HTTPError as fault:
                self.refused.append(f"status {fault.code}")
                time.sleep(0.2)
            except OSError as fault:
                self.refused.append(type(fault).__name__)
                return
            else:
                self.acknowledged[name] = answer["decisions"][0]["decision_id"]


def declared(name: str) -> dict[str, Any]:
    """Return a message with one consignment, lodged a minute ago."""
    moment = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    goods = {"line_no": 1, "description": "running shoes", "hs_code": "640411", "quantity": 2, "value": 30.0,
             "currency": "EUR"}  # fmt: skip
    consignor = {"name": f"Bright Trading {name[-2:]}", "city": "Yiwu", "country": "CN"}
    consignment = {"consignment_id": name, "version": 1, "stream": "express", "lodged_at": moment, "office": "FRCDG1",
                   "nature": "sale", "gross_mass_kg": 1.5, "consignor": consignor, "goods": [goods]}  # fmt: skip
    return {"message_id": f"M-{name}", "consignments": [consignment]}


def call(address: str, key: str = "", body: dict[str, Any] | None = None) -> Any:
    """Call a service; raises HTTPError for any answer but a good one."""
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(address, None if body is None else json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=ANSWERS_WITHIN) as answer:
        return json.loads(answer.read())


def run(command: Sequence[str]) -> str:
    """Run a command; raises DrillFault with its words where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DrillFault(f"{' '.join(command[-4:])} failed: {(done.stderr or done.stdout)[-500:]}")
    return done.stdout


def drill(
    tamis: Sequence[str], home: Path, copy: Path, serving: Serving, address: str, key: str = "",
    *, restored: Sequence[str] | None = None, wipe: Callable[[], None] = lambda: None,
) -> dict[str, int]:  # fmt: skip
    """Carry it out; returns the figures, raises DrillFault.

    tamis: the command. copy: where the backup goes. serving: starts the service over the home, and kills it.
    restored: the command after the disaster, where it differs. wipe: what else is destroyed, such as a database.
    """
    with serving():
        with Load(address, key) as load:
            load.wait_for(WARM)
            before = dict(load.acknowledged)
            run([*tamis, "backup", "--to", str(copy)])
            beside = len(load.acknowledged) - len(before)
            load.wait_for(len(load.acknowledged) + DURING)
        after = len(load.acknowledged)
    shutil.rmtree(home)
    wipe()
    began = time.monotonic()
    run([*(restored or tamis), "restore", str(copy), "--home", str(home)])
    took = time.monotonic() - began
    run([*(restored or tamis), "verify"])
    with serving():
        for name, decision in before.items():
            found = call(f"{address}/v1/consignments/{name}", key)
            if decision not in {one["decision_id"] for one in found["decisions"]}:
                raise DrillFault(f"decision {decision} was acknowledged before the backup and is gone")
    for decision in list(before.values())[:: max(1, len(before) // REPLAYED)]:
        run([*(restored or tamis), "replay", decision])
    return {"before": len(before), "beside": beside, "after": after, "seconds": round(took)}
