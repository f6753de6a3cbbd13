"""Checkpoints reach a second place, a folder or an HTTP address, and a rewritten or cut record is found against it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from service.app import create
from service.audit.verify import verify_record
from service.record.audit_log import note
from service.record.checkpoint_copies import send_all, send_checkpoints
from service.record.checkpoint_places import FolderPlace, PlaceFault, place_of
from service.record.checkpoints import checkpoint
from service.settings import Settings
from service.store.database import open_store
from service.store.tables import CHAIN
from tests.pipelines.commands.calling import call

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SECRET = "a-token-of-the-place"


class Files(BaseHTTPRequestHandler):
    """Takes files, gives them back and lists them, for who has the token; answers 503 while `closed`."""

    files: dict[str, bytes]
    closed = False

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[1]
        if self._refused():
            return
        content = json.dumps([{"name": one} for one in self.files]).encode() if not name else self.files.get(name)
        self._answer(404 if content is None else 200, content or b"")

    def do_PUT(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        if self._refused():
            return
        self.files[self.path.rsplit("/", 1)[1]] = content
        self._answer(201, b"")

    def _refused(self) -> bool:
        known = self.headers.get("Authorization") == f"Bearer {SECRET}"
        if self.closed or not known:
            self._answer(503 if known else 401, b"")
        return self.closed or not known

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def file_server() -> Iterator[tuple[str, type[Files]]]:
    """A server of files on a free port, and its handler."""
    handler = type("Kept", (Files,), {"files": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/checkpoints/", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def signed(settings: Settings, number: int) -> None:
    """Add an entry to the log and a checkpoint after it."""
    store = open_store(settings)
    note(store, "export", f"subject-{number}", {"number": number}, number)
    checkpoint(store, settings.checkpoints, settings.keys, NOW)
    store.close()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder


def test_copies_are_sent_in_order_and_what_failed_is_sent_later(tmp_path: Path, elsewhere: Path) -> None:
    settings = Settings(home=tmp_path / "home", checkpoint_place=str(elsewhere))
    signed(settings, 1)
    first = send_checkpoints(settings, NOW)
    assert first is not None
    assert (first.waiting, first.fault, first.last) == (0, "", "000000000001.json")
    elsewhere.rename(tmp_path / "away")
    signed(settings, 2)
    for minutes in (1, 2):  # a lag keeps the moment at which it began
        lagging = send_checkpoints(settings, NOW + timedelta(minutes=minutes))
        assert lagging is not None
        assert (lagging.waiting, lagging.failing_since) == (1, "2026-11-28T12:01:00+00:00")
        assert lagging.fault.startswith("the second place cannot be written")
    (tmp_path / "away").rename(elsewhere)
    signed(settings, 3)
    done = send_checkpoints(settings, NOW)
    assert done is not None
    assert (done.waiting, done.fault, done.failing_since) == (0, "", "")
    written = {path.name: path.read_bytes() for path in settings.checkpoints.glob("*.json")}
    assert {path.name: path.read_bytes() for path in elsewhere.iterdir()} == written
    assert len(written) == 3


def test_an_http_place_takes_and_gives_them_with_a_token(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(SECRET + "\n", encoding="utf-8")
    with file_server() as (address, handler):
        settings = Settings(home=tmp_path / "home", checkpoint_place=address, checkpoint_token=token)
        signed(settings, 1)
        handler.closed = True
        closed = send_checkpoints(settings, NOW)
        assert closed is not None
        assert (closed.waiting, closed.fault) == (1, "the second place answers 503")
        handler.closed = False
        sent = send_checkpoints(settings, NOW)
        assert sent is not None
        assert (sent.waiting, sent.fault, list(handler.files)) == (0, "", ["000000000001.json"])
        store = open_store(settings)
        place = place_of(address, token)
        found = verify_record(store, settings.checkpoints, settings.keys, place)
        assert (found.faults, found.checkpoints) == ([], 2)
        store.close()
        with pytest.raises(PlaceFault, match="answers 401"):
            place_of(address).names()
    with pytest.raises(PlaceFault, match="does not answer: ConnectError"):
        place_of(address, token).names()


def rewritten(settings: Settings, entries: int) -> None:
    """The record made anew by somebody who has the home and its key: the log, and all checkpoints with it."""
    settings.home.joinpath("store.db").unlink()
    for path in settings.checkpoints.glob("*.json"):
        path.unlink()
    for number in range(entries):
        signed(settings, 100 + number)


@pytest.mark.parametrize("entries", [3, 1], ids=["rewritten", "cut"])
def test_a_record_made_anew_with_the_key_is_found_against_the_second_place_alone(
    tmp_path: Path, elsewhere: Path, entries: int
) -> None:
    settings = Settings(home=tmp_path / "home")
    for number in range(3):
        signed(settings, number)
    assert send_all(settings, FolderPlace(elsewhere)) == 3
    rewritten(settings, entries)
    store = open_store(settings)
    assert verify_record(store, settings.checkpoints, settings.keys).faults == []
    faults = verify_record(store, settings.checkpoints, settings.keys, FolderPlace(elsewhere)).faults
    store.close()
    assert [fault for fault in faults if "the second place has another checkpoint 1" in fault]
    assert bool([fault for fault in faults if "the chain ends before it" in fault]) == (entries == 1)
    with pytest.raises(PlaceFault, match="another checkpoint"):
        send_all(settings, FolderPlace(elsewhere))


def test_rows_that_a_checkpoint_counted_are_missed_even_with_their_digest(tmp_path: Path) -> None:
    from service.store.bulk_rows import delete_rows, insert_row
    from service.store.tables import TABLES

    settings, reads = Settings(home=tmp_path / "home"), TABLES.tables["reads"]
    store = open_store(settings)
    read = {"at": 1, "who": "a", "role": "auditor", "purpose": "audit", "route": "dossier", "subject": "x"}
    for _ in range(3):
        store.write(lambda connection: insert_row(connection, reads, read))
    signed(settings, 1)
    store.write(lambda connection: delete_rows(connection, reads, reads.c.read_id > 1))  # with all that it takes
    found = verify_record(store, settings.checkpoints, settings.keys)
    store.close()
    assert found.faults == ["checkpoint 1: table reads had 3 rows then; rows were removed"]


def test_a_forged_copy_and_a_place_that_is_not_there_are_said(tmp_path: Path, elsewhere: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    signed(settings, 1)
    (elsewhere / "000000000001.json").write_text("{", encoding="utf-8")
    store = open_store(settings)
    found = verify_record(store, settings.checkpoints, settings.keys, FolderPlace(elsewhere))
    assert found.faults == [
        "000000000001.json of the second place: a checkpoint that the installation's key did not sign"
    ]
    with pytest.raises(PlaceFault, match="is not there"):
        verify_record(store, settings.checkpoints, settings.keys, FolderPlace(tmp_path / "nowhere"))
    store.close()


def test_the_service_sends_them_and_its_figures_say_what_waits(home: Settings, elsewhere: Path) -> None:
    store = open_store(home)
    note(store, "export", "before", {}, 1)
    store.close()
    settings = home.model_copy(update={"access": "open", "checkpoint_place": str(elsewhere)})
    with TestClient(create(settings)) as client:
        assert "tamis_checkpoints_waiting 0.0" in client.get("/metrics").text
    assert [path.name for path in elsewhere.iterdir()] == ["000000000001.json"]


def test_commands_send_them_and_say_what_waits(
    tmp_path: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    assert "checkpoints lie in the home alone" in call(capsys, "status").out
    signed(Settings(), 1)
    assert "1 checkpoint in the second place" in call(capsys, "checkpoint", "--to", str(elsewhere)).out
    monkeypatch.setenv("TAMIS_CHECKPOINT_PLACE", str(elsewhere))
    store = open_store(Settings())
    note(store, "export", "more", {}, 2)
    store.close()
    assert "every checkpoint is in the second place" in call(capsys, "checkpoint").out
    assert len(list(elsewhere.iterdir())) == 2
    assert "the record is as it was written" in call(capsys, "verify", "--against", str(elsewhere)).out
    elsewhere.rename(tmp_path / "away")
    signed(Settings(), 3)
    assert call(capsys, "checkpoint").code == 1
    assert "1 checkpoint waits; the second place cannot be written" in call(capsys, "status").out
    store = open_store(Settings())
    with store.engine.begin() as connection:
        connection.execute(sa.delete(CHAIN).where(CHAIN.c.number == 2))
    store.close()
    ended = call(capsys, "verify", "--against", str(tmp_path / "away"))
    assert (ended.code, "the record is not as it was written" in ended.err) == (1, True)
