"""A home is copied while others write to it, and put back elsewhere: nothing acknowledged before is missing."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from features.fault import Fault
from features.history.facts import FACT_SCHEMA, FACTS
from service.audit.verify import verify_record
from service.history.posting import post
from service.history.stored_history import StoredHistory
from service.record.checkpoints import checkpoint
from service.scoring.signature import signing_key
from service.settings import Settings
from service.store import home_backup
from service.store.database import Store, open_store
from service.store.home_backup import back_up, restore
from service.store.segment_files import LOW, Part, Segment
from service.store.snapshot import Listed, snapshot
from service.store.tables import CHAIN, RUNNING, SEGMENTS
from service.store.tracking_paths import move_artifacts
from tests.databases import DATABASES

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
# acknowledges what it wrote, as a service does: the number goes out once it is durable
WRITER = """
from service.record.audit_log import note
from service.settings import Settings
from service.store.database import Store, open_store

store = open_store(Settings(), grouped=True)
number = 0
while True:
    number += 1
    note(store, "export", f"written-{number}", {"number": number}, number)
    print(number, flush=True)
"""


@pytest.fixture(params=DATABASES)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with keys, bundles, an archive and a checkpoint, over either database."""
    address = "" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TAMIS_STORE", address)
    settings = Settings()
    open_store(settings).close()
    signing_key(settings.keys)
    for name in ("archive/2026-11-28.parquet", "bundles/m-v1/model.txt", "bundles/champion", "reports/a/report.html",
                 "quarantine/x.parquet", "leases/day.lease", "bundles/.proved/x.json", "linking.json"):  # fmt: skip
        path = settings.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
    return settings


def restored(home: Settings, source: Path, other: str) -> Settings:
    """Where a backup was put back; `other`: an empty database, for PostgreSQL."""
    address = other if home.store else ""
    restore(source, home.home.with_name("elsewhere"), address)
    return Settings(home=home.home.with_name("elsewhere"), store=address)


@pytest.fixture
def other(request: pytest.FixtureRequest, home: Settings) -> str:
    """An empty database, where one is needed."""
    return str(request.getfixturevalue("other_postgresql")) if home.store else ""


@contextmanager
def writer(acknowledged: list[int], until: int) -> Iterator[None]:
    """A process that writes and acknowledges without end; the block begins once it has acknowledged so many."""
    with subprocess.Popen([sys.executable, "-c", WRITER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            acknowledged.append(int(line))
            if len(acknowledged) == until:
                break
        yield
        process.send_signal(signal.SIGKILL)
        acknowledged.extend(int(line) for line in process.stdout.read().split("\n")[:-1])


@pytest.mark.parametrize("name", ["folder", "packed.tar.gz"])
def test_what_was_acknowledged_before_is_in_it_and_it_verifies(
    home: Settings, other: str, tmp_path: Path, name: str
) -> None:
    acknowledged: list[int] = []
    with writer(acknowledged, 20):
        before = list(acknowledged)
        store = open_store(home)
        checkpoint(store, home.checkpoints, home.keys, NOW)
        store.close()
        made = back_up(home, tmp_path / name, NOW)
        time.sleep(0.3)  # it goes on writing
    assert len(acknowledged) > len(before) + 1
    elsewhere = restored(home, made.path, other)
    copy = open_store(elsewhere)
    with copy.reading() as connection:
        subjects = set(connection.execute(sa.select(CHAIN.c.subject)).scalars())
    assert {f"written-{number}@{number}" for number in before} <= subjects
    verification = verify_record(copy, elsewhere.checkpoints, elsewhere.keys)
    copy.close()
    assert (verification.holds, verification.checkpoints, verification.entries) == (True, 1, len(subjects))


def files_below(folder: Path) -> set[str]:
    """Names of all files."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["folder", "packed.tar", "packed.tgz"])
def test_all_that_belongs_to_a_home_comes_along_and_keys_stay_their_owner_s(
    home: Settings, other: str, tmp_path: Path, name: str
) -> None:
    key = home.keys / "bundle.key"
    assert key.stat().st_mode & 0o777 == 0o600
    made = back_up(home, tmp_path / name, NOW)
    assert made.path.stat().st_mode & 0o077 == 0
    elsewhere = restored(home, made.path, other)
    expected = {"archive/2026-11-28.parquet", "bundles/m-v1/model.txt", "bundles/champion", "reports/a/report.html",
                "quarantine/x.parquet", "linking.json", "keys/bundle.key", "keys/bundle.pub",
                "keys/pseudonyms.key"}  # fmt: skip
    assert files_below(elsewhere.home) == expected | ({"store.db"} if not home.store else set())
    copied = elsewhere.keys / "bundle.key"
    assert (copied.read_bytes(), copied.stat().st_mode & 0o777) == (key.read_bytes(), 0o600)
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith(".")} == set()


def with_history(settings: Settings) -> list[tuple[int, ...]]:
    """Settle some rows of history into two segments, and give all of them."""
    store = open_store(settings)
    for number in (1, 2):
        event = pl.DataFrame(
            {"entity": [number], "known_at": [number], **{fact: [number] for fact in FACTS}}, schema=FACT_SCHEMA
        )
        with store.writing() as connection:
            post(store, connection, event)
        settled = store.segments.write([(LOW, running(store))], 1)
        _list(store, settled, [])
    found = StoredHistory(store).running().sort("entity").rows()
    store.close()
    return found


def running(store: Store) -> pl.DataFrame:
    """The rows of history, taken out of the table."""
    with store.writing() as connection:
        rows = connection.execute(sa.select(RUNNING).order_by(RUNNING.c.entity)).all()
        connection.execute(sa.delete(RUNNING))
    return pl.DataFrame(rows, schema=["entity", "known_at", *FACTS], orient="row")


def _list(store: Store, made: Segment, gone: list[Segment]) -> None:
    with store.writing() as connection:
        connection.execute(sa.delete(SEGMENTS).where(SEGMENTS.c.segment_id.in_([one.segment_id for one in gone])))
        listed = {"segment_id": made.segment_id, "level": made.level, "parts": made.as_json()}
        connection.execute(sa.insert(SEGMENTS).values(listed))


def test_history_that_is_merged_meanwhile_comes_along(
    home: Settings, other: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = with_history(home)
    merges: list[Segment] = []

    def merged_after(store: Store, folder: Path) -> tuple[Path, int | None, Listed]:
        """The list of segments is copied, and then all of them are merged into another, before a file is."""
        copied = snapshot(store, folder)
        if not merges:
            with store.reading() as connection:
                rows = connection.execute(sa.select(SEGMENTS)).all()
            held = [Segment(row.segment_id, row.level, tuple(Part(**part) for part in row.parts)) for row in rows]
            merges.append(store.segments.merge(held, 10))
            _list(store, merges[0], held)
            store.segments.delete(held)
            shutil.rmtree(folder / ("store.db.history" if store.is_sqlite else "history"))  # nor was one kept before
        return copied

    monkeypatch.setattr(home_backup, "snapshot", merged_after)
    elsewhere = restored(home, back_up(home, tmp_path / "folder", NOW).path, other)
    assert len(merges) == 1
    store = open_store(elsewhere)
    assert StoredHistory(store).running().sort("entity").rows() == expected
    store.close()


def test_a_copied_home_reads_its_history(home: Settings, tmp_path: Path) -> None:
    if home.store:
        pytest.skip("a PostgreSQL store does not lie in the home")
    expected = with_history(home)
    shutil.copytree(home.home, tmp_path / "copied")
    shutil.rmtree(home.home)
    store = open_store(Settings(home=tmp_path / "copied", store=""))
    assert StoredHistory(store).running().sort("entity").rows() == expected
    store.close()


def test_damage_and_half_a_backup_are_refused(home: Settings, other: str, tmp_path: Path) -> None:
    folder = back_up(home, tmp_path / "folder", NOW).path
    (folder / "bundles/champion").write_text("another", encoding="utf-8")
    with pytest.raises(Fault, match="bundles/champion is missing or changed"):
        restored(home, folder, other)
    (folder / "backup.json").unlink()
    with pytest.raises(Fault, match="not a backup, or one that was never finished"):
        restored(home, folder, other)
    (tmp_path / "noise.tar").write_bytes(b"noise" * 1000)
    with pytest.raises(Fault, match="not a backup, or damaged"):
        restored(home, tmp_path / "noise.tar", other)
    assert not home.home.with_name("elsewhere").exists()


def test_nothing_is_overwritten(home: Settings, other: str, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "folder", NOW)
    with pytest.raises(Fault, match="is there already"):
        back_up(home, tmp_path / "folder", NOW)
    with pytest.raises(Fault, match="is not empty"):
        restore(made.path, home.home, other)
    with pytest.raises(Fault, match="TAMIS_STORE"):
        restore(made.path, tmp_path / "new", "" if home.store else "postgresql://nobody@/none")
    if home.store:
        with pytest.raises(Fault, match="holds a store already"):
            restore(made.path, tmp_path / "new", home.store)


def test_the_registry_finds_its_artifacts_where_they_are_now(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "after"
    after.mkdir()
    kept = (before / "artifacts" / "1").as_uri()
    with closing(sqlite3.connect(after / "mlflow.db")) as connection, connection:
        connection.execute("CREATE TABLE experiments (artifact_location TEXT)")
        connection.executemany("INSERT INTO experiments VALUES (?)", [(kept,), ("models:/m-1",)])
    move_artifacts(after, before, after)
    with closing(sqlite3.connect(after / "mlflow.db")) as connection:
        found = [row[0] for row in connection.execute("SELECT artifact_location FROM experiments")]
    assert found == [(after / "artifacts" / "1").as_uri(), "models:/m-1"]


def test_a_folder_that_was_made_for_a_home_stays_the_same_folder(home: Settings, other: str, tmp_path: Path) -> None:
    made = back_up(home, tmp_path / "copy.tar", NOW)
    empty = tmp_path / "elsewhere"  # of the service's user, who may write nothing beside it; or a disk of its own
    empty.mkdir()
    before = empty.stat().st_ino
    store = open_store(restored(home, made.path, other))
    assert verify_record(store, empty / "checkpoints", empty / "keys").holds
    store.close()
    assert empty.stat().st_ino == before
    assert not any(path.name.startswith(".") for path in empty.iterdir())
