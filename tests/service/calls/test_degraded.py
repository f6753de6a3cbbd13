"""History that cannot be read: every call is answered and says so, and afterwards nothing of it is missing."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.parties import Unlinked
from pipelines.training.standard_policy import standard_policy
from service.app import create
from service.audit.replay import Bundles, replay
from service.desk import open_desk
from service.history import posting
from service.history.compaction import settle
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.orientation import load_policy
from service.scoring import Model
from service.settings import Settings
from service.store.database import READ_SECONDS, Store
from service.store.segment_files import SegmentFiles
from service.store.tables import DECLARATIONS
from service.targeting import Desk, target
from tests.service.building import NOON, app_state, body, declared, message, outcome
from tests.service.calls.learning import before, learned


@pytest.fixture(scope="module")
def bundles(quick_home: Path) -> Bundles:
    """Proving a bundle takes a process of its own: once is enough."""
    settings = Settings(home=quick_home)
    return Bundles(settings.bundles, settings.keys)


def desk_on(model: Model, address: str, folder: Path) -> Desk:
    store = Store(address, folder=folder)
    return Desk(Unlinked(), StoredHistory(store), model, load_policy(standard_policy()), Journal(store))


def gone(folder: Path) -> Callable[[], object]:
    """The folder of settled history is not there, as when a network drive is lost; what is given brings it back."""
    away = folder.with_name("away")
    folder.rename(away)
    return lambda: shutil.move(away, folder)


def cut(folder: Path) -> Callable[[], object]:
    """Its files are cut short."""
    kept = {path: path.read_bytes() for path in folder.glob("*.arrow")}
    for path, content in kept.items():
        path.unlink()
        path.write_bytes(content[: len(content) // 2])

    def back() -> None:
        for path, content in kept.items():
            path.unlink()
            path.write_bytes(content)

    return back


def empty(folder: Path) -> Callable[[], object]:
    """Its files hold nothing."""
    kept = {path: path.read_bytes() for path in folder.glob("*.arrow")}
    for path in kept:
        path.unlink()
        path.write_bytes(b"")
    return lambda: [path.write_bytes(content) for path, content in kept.items()]


def a_folder(folder: Path) -> Callable[[], object]:
    """Something else stands in their place."""
    kept = {path: path.read_bytes() for path in folder.glob("*.arrow")}
    for path in kept:
        path.unlink()
        path.mkdir()

    def back() -> None:
        for path, content in kept.items():
            path.rmdir()
            path.write_bytes(content)

    return back


def during(desk: Desk) -> list[dict[str, Any]]:
    """What comes timeline: new consignments, an amendment of one before and of one timeline, results of both."""
    sent = [
        message(declared(20), declared(21), message_id="D1"),
        message(declared(1, version=2, gross_mass_kg=3.0, lodged_at=NOON + timedelta(minutes=1)), message_id="D2"),
        message(declared(20, version=2, packages=9, lodged_at=NOON + timedelta(minutes=2)), message_id="D3"),
        message(
            declared(21, version=2, purpose="cancellation", lodged_at=NOON + timedelta(minutes=3)), message_id="D4"
        ),
    ]
    given = [row for one in sent for row in target(one, desk).rows]
    learned(desk, outcome(20), outcome(1, result="compliant", findings=None), outcome(99))
    return given


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database for each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'store.db'}"
    told: str = request.getfixturevalue("postgresql")
    return told


def folder_of(address: str, tmp_path: Path) -> Path:
    return Path(f"{tmp_path}/store.db.history") if address.startswith("sqlite") else tmp_path / "history"


@pytest.mark.parametrize("outage", [gone, cut, empty, a_folder])
@pytest.mark.slow
def test_an_outage_of_history_loses_nothing(
    outage: Callable[[Path], Callable[[], object]], address: str, model: Model, bundles: Bundles, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(posting, "MANY", 1)
    folder = folder_of(address, tmp_path)
    calm = desk_on(model, f"sqlite:///{tmp_path / 'calm.db'}", tmp_path / "calm")
    for desk in (calm, desk_on(model, address, folder)):
        before(desk)
    during(calm)
    monkeypatch.setattr(posting, "MANY", 20_000)  # nothing can be written there meanwhile either
    back = outage(folder)
    hit = desk_on(model, address, folder)  # a process that has none of the files open
    given = during(hit)
    assert {row["mode"] for row in given} == {"degraded"}
    assert {tuple(row["degraded_reasons"]) for row in given} == {("history",)}
    assert not hit.journal.history.readable()
    assert hit.journal.catch_up() == 0
    back()
    assert hit.journal.history.readable()
    (row,) = target(message(declared(30, lodged_at=NOON + timedelta(hours=1)), message_id="A1"), hit).rows
    assert (row["mode"], row["degraded_reasons"]) == ("full", [])
    assert hit.journal.catch_up() == 5
    target(message(declared(30, lodged_at=NOON + timedelta(hours=1)), message_id="A1"), calm)
    assert hit.journal.history.running().equals(calm.journal.history.running())
    for decision in given:
        told = replay(hit.journal.store, bundles, str(decision["decision_id"]))
        assert told.identical, told.differences
    hit.journal.store.close()


def test_what_is_sent_again_after_an_outage_keeps_its_degraded_decision(
    model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "MANY", 1)
    address, folder = f"sqlite:///{tmp_path / 'store.db'}", tmp_path / "store.db.history"
    before(desk_on(model, address, folder))
    monkeypatch.setattr(posting, "MANY", 20_000)
    back = gone(folder)
    desk = desk_on(model, address, folder)
    (first,) = target(message(declared(20)), desk).as_json()
    back()
    assert target(message(declared(20)), desk).as_json() == [first]
    assert first["mode"] == "degraded"


@pytest.fixture
def started(home: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[TestClient, Callable[[], object]]]:
    """A service whose settled history was not there when it started, and what brings it back."""
    monkeypatch.setattr(posting, "MANY", 1)
    with TestClient(create(home)) as filling:
        assert filling.post("/v1/consignments", json=body(declared(1))).json()["decisions"][0]["mode"] == "full"
        assert filling.get("/readyz").json()["mode"] == "full"
    monkeypatch.setattr(posting, "MANY", 20_000)
    back = gone(home.home / "store.db.history")
    with TestClient(create(home)) as opened:
        yield opened, back


def test_the_service_says_in_which_mode_it_is(started: tuple[TestClient, Callable[[], object]]) -> None:
    client, back = started
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["mode"], ready.json()["degraded_reasons"]) == (200, "degraded", ["history"])
    answer = client.post("/v1/consignments", json=body(declared(2), message_id="M2"))
    assert answer.json()["decisions"][0]["mode"] == "degraded"
    assert 'mode="degraded"' in client.get("/metrics").text
    back()
    assert client.get("/readyz").json()["mode"] == "full"
    again = client.post("/v1/consignments", json=body(declared(3), message_id="M3"))
    assert again.json()["decisions"][0]["mode"] == "full"
    desk: Desk = app_state(client).desk
    assert desk.journal.catch_up() == 1
    with desk.journal.store.reading() as connection:
        assert connection.execute(sa.select(DECLARATIONS.c.posted)).scalars().all() == [True, True, True]


@pytest.mark.parametrize(("answers_calls", "mode"), [(False, "full"), (True, "degraded")])
def test_a_command_waits_for_a_history_that_a_call_goes_without(
    home: Settings, monkeypatch: pytest.MonkeyPatch, answers_calls: bool, mode: str
) -> None:
    desk = open_desk(home, answers_calls=answers_calls)
    target(message(declared(1)), desk)
    settle(desk.journal.store, everything=True)
    told = SegmentFiles.tables

    def slow(self: SegmentFiles, *asked: Any) -> Any:
        time.sleep(2 * READ_SECONDS)
        return told(self, *asked)

    monkeypatch.setattr(SegmentFiles, "tables", slow)
    assert target(message(declared(2), message_id="M2"), desk).rows[0]["mode"] == mode
    desk.journal.store.close()


def test_a_desk_without_history_scores_as_one_that_has_none(desk: Desk) -> None:
    """What is degraded is not made up: the row is that of a consignment with an unknown past."""
    from features.assemble import assemble
    from features.messages import read

    consignments, _ = read(message(declared(1)))
    consignments = desk.parties.link(consignments)
    rows, lost = replace(desk, history=_Broken()).rows(consignments)  # type: ignore[arg-type]  # a history that only fails
    assert lost == ("history",)
    assert rows.frame.equals(assemble(consignments, None, desk.model.fits, desk.model.inputs).frame)


class _Broken:
    def totals_before(self, _: object) -> None:
        from features.history.totals import HistoryUnavailable

        raise HistoryUnavailable("gone")

    def unposted(self, _: object) -> None:
        self.totals_before(_)
