"""A backup of a service that answers calls meanwhile: put back elsewhere, it verifies and holds all acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from service.audit.verify import verify_record
from service.journal import Journal
from service.settings import Settings
from service.store.database import open_store
from service.store.home_backup import back_up, restore
from service.store.tables import DECISIONS, OUTCOMES
from tests.databases import DATABASES
from tests.service.building import NOON, body, declared, outcome
from tests.service.processes import serving

CALLERS, BEFORE, AFTER = 3, 25, 10  # callers; answers awaited before the backup begins, and after it is made
Answers = dict[str, str]  # consignment → decision


@contextmanager
def load(client: httpx.Client, answers: Answers) -> Iterator[None]:
    """Callers that send consignments and results without end; what was acknowledged stands in `answers`."""
    over, failed = threading.Event(), list[str]()

    def send(caller: int) -> None:
        number = 0
        while not over.is_set():
            number += 1
            this = 1_000_000 * caller + number
            sent = body(declared(this), message_id=f"M{this}")
            given = client.post("/v1/consignments", json=sent)
            found = client.post("/v1/outcomes", json={"outcomes": [outcome(this)]})
            if given.status_code == found.status_code == 200:
                (decision,) = given.json()["decisions"]
                answers[decision["consignment_id"]] = decision["decision_id"]
            elif 503 not in (given.status_code, found.status_code):
                failed.append(f"{given.status_code}, {found.status_code}: {found.text}")

    threads = [threading.Thread(target=send, args=(caller,), daemon=True) for caller in range(1, CALLERS + 1)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    assert failed == []


def wait_for(answers: Answers, count: int) -> Answers:
    """What was acknowledged once there are so many; the callers go on."""
    waiting = threading.Event()
    for _ in range(6_000):
        if len(answers) >= count:
            return dict(answers)
        waiting.wait(0.01)
    pytest.fail(f"{len(answers)} of {count} calls were answered in a minute")


@pytest.mark.parametrize("database", DATABASES)
def test_what_was_acknowledged_before_a_backup_is_in_it(
    request: pytest.FixtureRequest, home: Settings, tmp_path: Path, database: str
) -> None:
    address = other = ""
    if database == "postgresql":
        address, other = request.getfixturevalue("postgresql"), request.getfixturevalue("other_postgresql")
    settings = home.model_copy(update={"store": address})
    answers: Answers = {}
    with serving(settings, tmp_path / "log", TAMIS_STORE=address) as (_, client), load(client, answers):
        before = wait_for(answers, BEFORE)
        made = back_up(settings, tmp_path / "backup.tar", datetime.now(UTC))
        wait_for(answers, len(before) + AFTER)
    restore(made.path, tmp_path / "elsewhere", other)
    elsewhere = Settings(home=tmp_path / "elsewhere", store=other)
    store = open_store(elsewhere)
    found = verify_record(store, elsewhere.checkpoints, elsewhere.keys)
    assert (found.holds, found.faults) == (True, [])
    with store.reading() as connection:
        columns = (DECISIONS.c.consignment_id, DECISIONS.c.decision_id)
        kept = {row[0]: row[1] for row in connection.execute(sa.select(*columns).where(DECISIONS.c.assessment == 1))}
        results = set(connection.execute(sa.select(OUTCOMES.c.consignment_id)).scalars())
    assert before.items() <= kept.items()
    assert before.keys() <= results
    assert len(kept) < len(answers), "calls went on after it"
    assert Journal(store).decisions_on(next(iter(before)))[0]["lodged_at"].startswith(NOON.date().isoformat())
    store.close()
