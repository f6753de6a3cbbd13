"""Killed at any moment, again and again: nothing acknowledged is lost, nothing is there twice, the chain holds."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from service.audit.verify import verify_record
from service.settings import Settings
from service.store.database import open_store
from service.store.tables import DECISIONS
from tests.service.building import as_it_stands, body, declared
from tests.service.processes import serving

KILLS = int(os.environ.get("TAMIS_KILLS", "10"))


class Sender(threading.Thread):
    """A client that sends message after message until the server dies; it keeps what was acknowledged."""

    def __init__(self, client: httpx.Client, first: int) -> None:
        super().__init__()
        self.client, self.number = client, first
        self.acknowledged: dict[int, Any] = {}

    def message(self, number: int) -> dict[str, Any]:
        return body(*(declared(number * 3 + n) for n in range(1 + number % 3)), message_id=f"K{number}")

    def run(self) -> None:
        while True:
            try:
                answer = self.client.post("/v1/consignments", json=self.message(self.number))
            except httpx.HTTPError:
                return
            if answer.status_code == 200:
                self.acknowledged[self.number] = answer.json()
            self.number += 1


def test_kill_9_at_random_points(home: Settings, tmp_path: Path) -> None:
    """TAMIS_KILLS: so many; a tenth of the hundred of `make prove` as a rule."""
    draw, number, sent = random.Random(11), 0, 0
    acknowledged: dict[int, Any] = {}
    unsure: list[int] = []
    for kill in range(KILLS + 1):
        with serving(home, tmp_path / "serve.log") as (process, client):
            for before in unsure:  # committed or not, sent again it is decided once
                acknowledged[before] = client.post("/v1/consignments", json=Sender(client, 0).message(before)).json()
            some = draw.sample(sorted(acknowledged), min(8, len(acknowledged)))
            for known in {*some, *unsure}:
                told = acknowledged[known]["decisions"]
                for decision in told:
                    found = client.get(f"/v1/consignments/{decision['consignment_id']}").json()["decisions"]
                    assert found == [as_it_stands(decision)]
            if kill == KILLS:
                break
            sender = Sender(client, number)
            sender.start()
            time.sleep(draw.uniform(0.05, 1.2))
            process.send_signal(signal.SIGKILL)
            process.wait(10)
            sender.join(30)
        acknowledged |= sender.acknowledged
        sent += len(sender.acknowledged)
        unsure, number = [sender.number], sender.number + 1
    assert sent > KILLS
    store = open_store(home)
    told = verify_record(store, home.checkpoints, home.keys)
    assert (told.faults, told.holds) == ([], True)
    with store.reading() as connection:
        kept = {row.decision_id: row.body for row in connection.execute(sa.select(DECISIONS))}
    store.close()
    expected = {d["decision_id"]: d for told in acknowledged.values() for d in told["decisions"]}
    assert kept == expected
    print(f"{KILLS} kills, {sent} messages acknowledged, {len(expected)} decisions")
