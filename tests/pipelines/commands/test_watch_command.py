"""`tamis watch`: what arrives is scored once, moved on with its answers, and survives a kill; failures are told."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import sqlalchemy as sa

from pipelines.batch.watched_folder import MOST_TRIES, TRIES, Job, WatchedFolder
from service.audit.verify import verify_record
from service.settings import Settings
from service.store.database import open_store
from service.store.tables import DECISIONS
from tests.pipelines.commands.calling import call, line_of

BAD = "Nummer;Ware\n1;Schuhe\n"


class Chat:
    """An address that is told; the statuses that it answers with first, and what it took."""

    def __init__(self) -> None:
        self.statuses: list[int] = []
        self.texts: list[str] = []
        chat = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["content-length"])))["text"]
                status = chat.statuses.pop(0) if chat.statuses else 200
                if status == 200:
                    chat.texts.append(text)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"


@pytest.fixture
def chat() -> Iterator[Chat]:
    opened = Chat()
    thread = threading.Thread(target=opened.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield opened
    opened.server.shutdown()
    opened.server.server_close()
    thread.join()


@pytest.fixture
def home(sealed_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(sealed_home, tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "arriving"
    made.mkdir()
    return made


def manifests(sealed_home: Path, count: int) -> list[Path]:
    return sorted((sealed_home.parent / "world" / "manifests").glob("*.parquet"))[:count]


def watching(home: Path, folder: Path, *options: str) -> subprocess.Popen[str]:
    """`tamis watch` as a process that looks ten times a second."""
    command = [sys.executable, "-m", "pipelines.cli", "watch", str(folder), "--settle", "0.3", "--every", "0.1"]
    return subprocess.Popen(
        [*command, *options], env={**os.environ, "TAMIS_HOME": str(home)}, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip


def all_taken(home: Path, folder: Path, *options: str) -> str:
    ended = watching(home, folder, "--once", *options)
    printed, _ = ended.communicate(timeout=180)
    assert ended.returncode == 0, printed
    return printed


def decided(home: Path) -> list[tuple[str, int]]:
    """The versions with a decision that stands, on a record that holds."""
    store = open_store(Settings(home=home))
    with store.reading() as connection:
        columns = sa.select(DECISIONS.c.consignment_id, DECISIONS.c.version).where(DECISIONS.c.stands)
        found = [(row[0], row[1]) for row in connection.execute(columns)]
    assert verify_record(store, home / "checkpoints", home / "keys").holds
    store.close()
    return sorted(found)


def versions_in(file: Path) -> list[tuple[str, int]]:
    rows = pl.read_parquet(file, columns=["consignment_id", "version"])
    return sorted((number, version or 1) for number, version in rows.unique().iter_rows())


def test_each_file_is_taken_once_and_moved_on_with_what_came_of_it(
    home: Path, folder: Path, sealed_home: Path, chat: Chat
) -> None:
    (manifest,) = manifests(sealed_home, 1)
    shutil.copy(manifest, folder / "monday.parquet")
    shutil.copy(manifest, folder / "zz-monday-again.parquet")
    (folder / "bad.csv").write_text(BAD, encoding="utf-8")
    (folder / "half.csv.part").write_text(BAD, encoding="utf-8")
    chat.statuses = [503]
    all_taken(home, folder, "--tell", chat.url)
    (done,) = (folder / "done").iterdir()
    assert (done / "monday.parquet").read_bytes() == manifest.read_bytes()
    assert {"orientations.csv", "report.html", "_SUCCESS"} <= {path.name for path in (done / "_answers").iterdir()}
    (refused,) = (folder / "refused").iterdir()
    assert (refused / "bad.csv").read_text(encoding="utf-8") == BAD
    assert "column" in (refused / "_why.txt").read_text(encoding="utf-8")
    (again,) = (folder / "again").iterdir()
    assert done.name in (again / "_why.txt").read_text(encoding="utf-8")
    assert not any((folder / "working").iterdir())
    assert [path.name for path in folder.iterdir() if path.is_file() and path.name[0] != "."] == ["half.csv.part"]
    assert chat.texts == []  # the address was out of order; the next start tells it
    all_taken(home, folder, "--tell", chat.url)
    assert len(chat.texts) == 1
    assert refused.name in chat.texts[0]
    assert "Nummer" not in chat.texts[0]
    assert str(folder) in (home / "published.jsonl").read_text(encoding="utf-8")
    assert decided(home) == versions_in(manifest)


def test_a_watch_that_is_killed_goes_on_and_takes_nothing_twice(home: Path, folder: Path, sealed_home: Path) -> None:
    files = manifests(sealed_home, 2)
    for file in files:
        shutil.copy(file, folder / file.name)
    for seconds in (0.0, 1.5, 3.0):
        run = watching(home, folder)
        until = time.monotonic() + 60
        while not any((folder / "working").glob("*/*.parquet")) and time.monotonic() < until:
            time.sleep(0.02)
        time.sleep(seconds)
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    all_taken(home, folder)
    assert sorted(path.name for path in (folder / "done").glob("*/*.parquet")) == sorted(file.name for file in files)
    assert not any((folder / "refused").iterdir())
    assert not any((folder / "working").iterdir())
    assert decided(home) == sorted(one for file in files for one in versions_in(file))


def test_a_file_waits_while_the_installation_cannot_score(folder: Path, tmp_path: Path, chat: Chat) -> None:
    (folder / "monday.csv").write_text(BAD, encoding="utf-8")
    ended = watching(tmp_path / "empty-home", folder, "--once", "--tell", chat.url)
    printed, _ = ended.communicate(timeout=60)
    assert ended.returncode == 1
    assert "tamis train" in printed
    (working,) = (folder / "working").iterdir()
    assert (working / "monday.csv").exists()
    assert not (working / TRIES).exists()
    assert len(chat.texts) == 1
    assert "tamis train" in chat.texts[0]


def test_what_still_grows_is_not_complete(folder: Path) -> None:
    watched = WatchedFolder(folder)
    file = folder / "a.csv"
    file.write_text("x", encoding="utf-8")
    assert watched.complete(100.0, 10.0) == []
    file.write_text("xx", encoding="utf-8")
    assert watched.complete(111.0, 10.0) == []
    assert watched.complete(120.0, 10.0) == []
    assert watched.complete(121.0, 10.0) == [file]
    (folder / ".hidden").touch()
    (folder / "b.csv.PART").touch()
    (folder / "link.csv").symlink_to(file)
    assert watched.complete(200.0, 0.0) == [file]


def test_a_file_that_ends_the_command_again_and_again_is_given_up(folder: Path) -> None:
    watched = WatchedFolder(folder)
    watched.make()
    (folder / "a.csv").write_text("x", encoding="utf-8")
    assert watched.take(folder / "a.csv") is not None
    for before in range(MOST_TRIES + 1):
        (job,) = watched.begun()
        assert job.begin() == before
    job.wait()
    assert Job(job.folder, job.file).begin() == 0
    refused = watched.refuse(job, "it was given up", tell=True)
    assert (watched.begun(), watched.untold()) == ([], [refused])


@pytest.mark.parametrize(
    ("options", "remedy"),
    [(["/nowhere/at/all"], "make it first"), ([".", "--tell", "ftp://a.example"], "https://"),
     ([".", "--tell", "amqps://a.example/?exchange=x"], "https://")],
)  # fmt: skip
def test_wrong_usage_is_one_line(capsys: pytest.CaptureFixture[str], options: list[str], remedy: str) -> None:
    ended = call(capsys, "watch", *options)
    assert ended.code == 2
    assert remedy in line_of(ended)


def test_two_watches_of_one_folder_are_refused(home: Path, folder: Path) -> None:
    first = watching(home, folder)
    try:
        until = time.monotonic() + 60
        while not (folder / ".watch.lease").exists() and time.monotonic() < until:
            time.sleep(0.05)
        second = watching(home, folder, "--once")
        printed: Any = second.communicate(timeout=60)[0]
        assert second.returncode == 1
        assert "another run holds" in printed
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
