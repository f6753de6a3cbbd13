"""The store refuses, hangs, is slow or breaks off; files hang; too many call: everybody is answered, and soon."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from features.parties import Unlinked
from pipelines.training.standard_policy import standard_policy
from service.audit.replay import Bundles, replay
from service.audit.verify import verify_record
from service.calls.reassessment import reassess
from service.history import posting
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.orientation.columns import Known
from service.scoring import Model
from service.settings import Settings
from service.store.database import Store
from service.targeting import Desk, target
from tests.service.building import NOON, body, declared, message
from tests.service.calls.learning import before
from tests.service.processes import serving
from tests.service.store.between import Between

OUTAGE = float(os.environ.get("TAMIS_OUTAGE_SECONDS", "4"))
FORMS = ("refuse", "hang", "slow", "reset")


@pytest.mark.parametrize("form", FORMS)
def test_a_store_that_fails_leaves_no_call_without_an_answer(
    between: tuple[Between, str], home: Settings, tmp_path: Path, form: str
) -> None:
    """TAMIS_OUTAGE_SECONDS: how long. Nothing can be recorded timeline, so nobody gets a decision that is not."""
    store, address = between
    with serving(home, tmp_path / "serve.log", TAMIS_STORE=address, TAMIS_ANSWER_SECONDS="1") as (_, client):
        sure = client.post("/v1/consignments", json=body(declared(1))).json()
        store.fail(form)
        until, number, told, slowest = time.monotonic() + OUTAGE, 1, [], 0.0
        while time.monotonic() < until:
            number += 1
            began = time.monotonic()
            answer = client.post("/v1/consignments", json=body(declared(number), message_id=f"O{number}"))
            slowest = max(slowest, time.monotonic() - began)
            told.append(answer.status_code)
            if answer.status_code != 200:
                assert answer.status_code == 503
                assert int(answer.headers["Retry-After"]) > 0
                assert answer.headers["content-type"] == "application/problem+json"
                time.sleep(0.2)  # told to come again, nobody comes at once
            assert client.get("/healthz").status_code == 200
        assert 503 in told
        store.mend()
        began = time.monotonic()
        while (answer := client.post("/v1/consignments", json=body(declared(1)))).status_code != 200:
            assert time.monotonic() < began + 10, "not back within ten seconds"
            time.sleep(0.1)
        back = time.monotonic() - began
        assert answer.json() == sure
        assert client.get("/readyz").json()["mode"] == "full"
        for again in range(2, number + 1):  # what was recorded unheard is decided once
            answer = client.post("/v1/consignments", json=body(declared(again), message_id=f"O{again}"))
            assert answer.status_code == 200
    kept = Store(address, folder=home.history)
    checked = verify_record(kept, home.checkpoints, home.keys)
    assert (checked.faults, checked.decisions) == ([], number)
    kept.close()
    assert slowest < 3, "an answer came too late"
    print(f"{form}: {len(told)} calls, the slowest {slowest:.2f} s, back after {back:.2f} s")


def test_too_many_calls_at_once_are_told_at_once_to_come_again(home: Settings, tmp_path: Path) -> None:
    with serving(home, tmp_path / "serve.log", TAMIS_CALLS_AT_ONCE="2") as (_, client):
        address = str(client.base_url)

        def call(number: int) -> tuple[int, float]:
            began = time.monotonic()
            told = body(*(declared(number * 100 + n) for n in range(20)), message_id=f"B{number}")
            answer = httpx.post(f"{address}/v1/consignments", json=told, timeout=60)
            return answer.status_code, time.monotonic() - began

        with ThreadPoolExecutor(24) as pool:
            told = list(pool.map(call, range(96)))
        refused = [seconds for status, seconds in told if status == 503]
        assert {status for status, _ in told} == {200, 503}
        assert client.post("/v1/consignments", json=body(declared(1))).status_code == 200
        text = client.get("/metrics").text
        assert f'tamis_calls_refused_total{{why="busy"}} {len(refused)}.0' in text
        print(f"{len(refused)} of {len(told)} refused; the slowest refusal {max(refused) * 1000:.0f} ms")


@pytest.fixture
def settled(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Path]:
    """The address of a store with settled history, and the folder of its files."""
    monkeypatch.setattr(posting, "MANY", 1)
    address = f"sqlite:///{tmp_path / 'store.db'}"
    desk = desk_of(model, address)
    before(desk)
    desk.journal.store.close()
    monkeypatch.setattr(posting, "MANY", 20_000)
    return address, tmp_path / "store.db.history"


def desk_of(model: Model, address: str, *, grouped: bool = False, policy: str | None = None) -> Desk:
    store = Store(address, grouped=grouped)
    return Desk(Unlinked(), StoredHistory(store), model, load_policy(policy or standard_policy()), Journal(store))


def hang(folder: Path) -> Callable[[], None]:
    """Pipes that nobody writes to stand in place of the files: opening one waits for ever."""
    kept = {path: path.read_bytes() for path in folder.glob("*.arrow")}
    for path in kept:
        path.unlink()
        os.mkfifo(path)

    def back() -> None:
        for path, content in kept.items():
            with suppress(OSError):  # whoever waits is let go
                os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
            path.unlink()
            path.write_bytes(content)

    return back


def test_files_that_hang_cost_a_call_its_past_and_not_its_answer(model: Model, settled: tuple[str, Path]) -> None:
    address, folder = settled
    back = hang(folder)
    desk = desk_of(model, address, grouped=True)
    took = []
    for number in range(20, 30):
        began = time.monotonic()
        (row,) = target(message(declared(number), message_id=f"H{number}"), desk).rows
        took.append(time.monotonic() - began)
        assert (row["mode"], row["degraded_reasons"]) == ("degraded", ["history"])
    assert not desk.history.readable()
    back()
    deadline = time.monotonic() + 10
    while not desk.history.readable():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    (row,) = target(message(declared(40), message_id="H40"), desk).rows
    assert row["mode"] == "full"
    assert desk.journal.catch_up() == 10
    desk.journal.store.close()
    print(f"the slowest of ten {max(took) * 1000:.0f} ms, the others {sorted(took)[-2] * 1000:.0f} ms")


RULE = """
[[rules]]
code = "hits-before"
when = { identifiers_hits = { above = 1 } }
lane = "red"
author = "tests"
reason = { en = "findings before" }
"""


def ruled_only(policy: str) -> str:
    """The same policy, by which no score asks for a check."""
    return policy.replace("least = 0.05", "least = 1.0")


def test_what_was_decided_without_the_past_is_decided_again_and_only_upwards(
    model: Model, settled: tuple[str, Path], quick_home: Path, tmp_path: Path
) -> None:
    address, folder = settled
    policy = ruled_only(standard_policy()) + RULE
    calm_home = tmp_path / "calm.db"
    calm_home.write_bytes(Path(address.removeprefix("sqlite:///")).read_bytes())
    (tmp_path / "calm.db.history").mkdir()
    for path in folder.glob("*"):
        (tmp_path / "calm.db.history" / path.name).write_bytes(path.read_bytes())
    away = folder.rename(folder.with_name("away"))
    desk = desk_of(model, address, policy=policy)
    sent = [message(*(declared(100 + 10 * m + n) for n in range(6)), message_id=f"R{m}") for m in range(3)]
    first = [row for one in sent for row in target(one, desk).rows]
    assert {row["mode"] for row in first} == {"degraded"}
    assert reassess(desk, NOON) == 0, "history is still out"
    away.rename(folder)
    desk = desk_of(model, address, policy=policy)
    desk.journal.catch_up()
    amended = reassess(desk, NOON)
    assert reassess(desk, NOON) == 0, "once is enough"
    calm = desk_of(model, f"sqlite:///{calm_home}", policy=policy)
    known = {row["consignment_id"]: row for one in sent for row in target(one, calm).rows}
    settings = Settings(home=quick_home)
    bundles = Bundles(settings.bundles, settings.keys)
    stricter = 0
    for one in first:
        found = desk.journal.decisions_on(one["consignment_id"])
        stricter += len(found) == 2
        if len(found) == 2:
            new = max(found, key=lambda decision: decision["assessment"])
            assert (new["assessment"], new["mode"], new["decision_id"] != one["decision_id"]) == (2, "full", True)
            assert new["risk"] == known[one["consignment_id"]]["risk"], "as if its past had been there"
        for decision in found:
            told = replay(desk.journal.store, bundles, decision["decision_id"])
            assert told.identical, told.differences
    assert stricter == amended > 0
    again = [row for one in sent for row in target(one, desk).as_json()]
    lanes = ["green", "blue", "yellow", "red"]
    assert all(lanes.index(b["clearance"]) >= lanes.index(a["clearance"]) for a, b in zip(first, again, strict=True))
    assert verify_record(desk.journal.store, tmp_path / "checkpoints", tmp_path / "keys").faults == []
    spent = desk.journal.spent(desk.policy.capacity.periods(Known(_of(sent[0]).declared)))
    assert sum(row.checks["physical"] for row in spent) <= 12, "what was amended is counted once"


def _of(sent: Any) -> Any:
    from features.messages import read

    return read(sent)[0]


def test_without_the_past_every_sender_counts_as_new_as_far_as_capacity_goes(
    model: Model, settled: tuple[str, Path]
) -> None:
    address, folder = settled
    folder.rename(folder.with_name("away"))
    told = {}
    for lane in ("green", "yellow"):
        policy = ruled_only(standard_policy()).replace('unknown_past = "yellow"', f'unknown_past = "{lane}"')
        policy = policy.replace("documents = 24", "documents = 3").replace("audit = 24", "audit = 0")
        desk = desk_of(model, address, policy=policy)
        sent = message(*(declared(200 + n) for n in range(5)), message_id=f"N{lane}")
        told[lane] = target(sent, desk).rows
        desk.journal.store.close()
    assert {row["clearance"] for row in told["green"]} == {"green"}
    checked = [row for row in told["yellow"] if row["clearance"] != "green"]
    assert len(checked) == 3
    for row in told["yellow"]:
        codes = [reason["code"] for reason in row["reasons"]]
        assert "rule.unknown-past" in codes
        assert ("capacity" in codes) == (row["clearance"] == "green")
    assert all("rule.unknown-past" not in [r["code"] for r in row["reasons"]] for row in told["green"])
    waiting = [row["post_clearance"] for row in (*told["yellow"], *told["green"]) if row["clearance"] != "red"]
    assert set(waiting) == {"reassess"}


def test_a_policy_without_rules_asks_for_unknown_senders_too(model: Model, settled: tuple[str, Path]) -> None:
    address, folder = settled
    folder.rename(folder.with_name("away"))
    policy = standard_policy()
    desk = desk_of(model, address, policy=policy[: policy.index("[[rules]]")])
    (row,) = target(message(declared(300), message_id="N"), desk).rows
    assert row["reasons"][0]["code"] == "rule.unknown-past"
    assert row["clearance"] in ("yellow", "red")
