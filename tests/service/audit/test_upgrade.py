"""An upgrade that is killed, met by another, or run twice: the store ends whole, and the audit log says it all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from features.fault import Fault
from pipelines.commands import upgrade_commands
from service.audit import upgrade as upgrades
from service.audit.renaming import GRAPH, HISTORY, NOTHING, renaming_due
from service.audit.upgrade import plan_upgrade, upgrading
from service.audit.verify import verify_record
from service.runtime.batch_lease import Taken
from service.settings import Settings
from service.store.database import Store, open_any_schema, open_store
from service.store.migrations.first_tables import FIRST
from service.store.schema import SCHEMA, OtherSchema, schema_of
from service.store.tables import CHAIN, DECLARATIONS
from tests.databases import DATABASES

ROWS = 50
# a process that is killed at a moment of its upgrade: what to do before it goes there, and where that is
KILLED = """
import os, signal, sys
from pipelines.commands import upgrade_commands
from service.audit import upgrade
from service.store import home_backup, migrate

def dies(*told, **named):
    os.kill(os.getpid(), signal.SIGKILL)

moment, number = sys.argv[1], int(sys.argv[2])
if moment == "in its backup":
    upgrade.write_folder = dies
elif moment == "in a step":
    run_step = upgrade.run_step
    def half(connection, step):
        run_step(connection, step)
        if step.number == number:
            dies()
    upgrade.run_step = half
elif moment == "after a step":
    run = upgrade._run
    def after(connection, step, at):
        if step.number == number + 1:
            dies()
        run(connection, step, at)
    upgrade._run = after
upgrade_commands.upgrade()
"""
EACH = range(1, SCHEMA + 1)
# as a rule within each step over SQLite, within the newest and between two over both; all by `make prove`
FEW: Mapping[str, Sequence[int]] = {"sqlite": EACH, "postgresql": (1, SCHEMA - 1, SCHEMA)}
WITHIN, BETWEEN = (dict.fromkeys(DATABASES, EACH), EACH[:-1]) if "TAMIS_PROVE" in os.environ else (FEW, (1, SCHEMA - 1))
MOMENTS = [
    (database, *moment)
    for database in DATABASES
    for moment in (
        ("in its backup", 0),
        *(("in a step", n) for n in WITHIN[database]),
        *(("after a step", n) for n in BETWEEN),
    )
]


@pytest.fixture(params=DATABASES)
def home(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with a store of the first schema, which holds rows whose content is the word null."""
    address = "" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TAMIS_STORE", address)
    settings = Settings()
    store = open_any_schema(settings)
    row = {"message_id": "M", "version": 1, "lodged_at": 1, "content_sha256": "", "stated": {}, "archived": True,
           "posted": True, "body": None}  # fmt: skip
    with store.writing() as connection:
        FIRST.create_all(connection)
        connection.execute(
            sa.insert(FIRST.tables["declarations"]), [row | {"consignment_id": str(n)} for n in range(ROWS)]
        )
    store.close()
    return settings


def state(settings: Settings) -> tuple[int | None, list[str]]:
    """The schema of a store, and what the audit log says was done to it."""
    store = open_any_schema(settings)
    with store.reading() as connection:
        noted = connection.execute(sa.select(CHAIN.c.subject).where(CHAIN.c.kind == "upgrade").order_by(CHAIN.c.number))
        found = schema_of(connection), list(noted.scalars())
    store.close()
    return found


def is_whole(settings: Settings) -> None:
    """The store is of the newest schema, every step is on the audit log once, and nothing is lost."""
    assert state(settings) == (SCHEMA, [*(f"schema-{n}" for n in range(1, SCHEMA + 1)), "identifiers"])
    store = open_store(settings)
    assert renaming_due(store) == NOTHING
    assert verify_record(store, settings.checkpoints, settings.keys).holds
    with store.reading() as connection:
        empty = DECLARATIONS.c.body.is_(sa.null())
        assert connection.execute(sa.select(sa.func.count()).where(empty)).scalar_one() == ROWS
    store.close()


def finished_backups(settings: Settings) -> list[Path]:
    """Backups that are whole."""
    return sorted((settings.home / "backups").glob("schema-*/backup.json"))


@pytest.mark.parametrize(("home", "moment", "number"), MOMENTS, indirect=["home"])
def test_killed_at_any_moment_a_second_one_finishes_it(home: Settings, moment: str, number: int) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, moment, str(number)], capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    reached = {"in its backup": None, "in a step": number - 1, "after a step": number}[moment]
    assert state(home) == (max(reached or 1, 1), [f"schema-{n}" for n in range(1, (reached or 0) + 1)])
    with pytest.raises(OtherSchema, match="run `tamis upgrade`"):
        open_store(home)
    upgrade_commands.upgrade()
    is_whole(home)
    assert not list((home.home / "backups").glob(".*"))
    assert len(finished_backups(home)) == (1 if moment == "in its backup" else 2)


def test_a_dry_run_says_every_step_and_changes_nothing(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    upgrade_commands.upgrade(dry_run=True)
    said = capsys.readouterr().out
    assert said.startswith(f"the store has schema 1; what leads to {SCHEMA}:")
    for step in plan_of(home):
        assert step in said
    assert state(home) == (1, [])
    assert not (home.home / "backups").exists()


def plan_of(settings: Settings) -> list[str]:
    """What the steps that a store needs say of themselves."""
    with upgrading(settings) as store:
        return [step.meaning for step in plan_upgrade(store).steps]


def test_a_second_upgrade_has_nothing_to_do(home: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    upgrade_commands.upgrade()
    assert "the record is as it was written" in capsys.readouterr().out
    upgrade_commands.upgrade()
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"the store has schema {SCHEMA}, as this version needs: nothing to upgrade"
    is_whole(home)
    assert len(finished_backups(home)) == 1


def test_while_one_upgrades_another_is_told_in_one_line(home: Settings) -> None:
    with upgrading(home), pytest.raises(Taken) as taken, upgrading(home):
        pass
    assert "\n" not in str(taken.value)


def test_another_machine_that_shares_the_database_is_told_too(home: Settings, tmp_path: Path) -> None:
    if not home.store:
        pytest.skip("a SQLite store is of one machine")
    elsewhere = Settings(home=tmp_path / "elsewhere", store=home.store)
    with upgrading(home), pytest.raises(Taken, match="another machine upgrades"), upgrading(elsewhere):
        pass
    with upgrading(elsewhere):
        pass


@pytest.mark.parametrize("words", ["verify", "replay x", "serve --port 0", "keys list"])
def test_every_command_refuses_it_in_one_line(home: Settings, words: str) -> None:
    home.bundles.mkdir()
    command = [sys.executable, "-m", "pipelines.cli", *words.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = f"tamis: the store has schema 1, this version needs {SCHEMA}: run `tamis upgrade`\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_the_backup_is_the_store_as_it_was(home: Settings) -> None:
    upgrade_commands.upgrade()
    (listing,) = finished_backups(home)
    told = json.loads(listing.read_text(encoding="utf-8"))
    assert told["schema"] == 1
    assert set(told["files"]) == {"store.db" if not home.store else "store.sql"}
    assert listing.parent.stat().st_mode & 0o077 == 0
    if not home.store:
        copy = Store(f"sqlite:///{listing.parent / 'store.db'}", any_schema=True)
        with copy.reading() as connection:
            assert schema_of(connection) == 1
            held = sa.select(sa.func.count()).select_from(FIRST.tables["declarations"])
            assert connection.execute(held).scalar_one() == ROWS
        copy.close()


def test_without_pg_dump_a_backup_is_asked_for(home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrades, "program", lambda _: None)
    if home.store:
        with pytest.raises(Fault, match="--backup-done"):
            upgrade_commands.upgrade()
        assert state(home) == (1, [])
    upgrade_commands.upgrade(backup_done=True)
    is_whole(home)
    assert not finished_backups(home)


def test_a_record_that_does_not_hold_is_said_after_the_upgrade(home: Settings) -> None:
    store = open_any_schema(home)
    with store.writing() as connection:
        entry = {"number": 1, "kind": "export", "subject": "x", "content": "y", "at": 1, "hash": "0" * 64}
        connection.execute(sa.insert(CHAIN).values(entry))
    store.close()
    with pytest.raises(Fault, match="the record is not as it was written"):
        upgrade_commands.upgrade()
    assert state(home) == (SCHEMA, [*(f"schema-{n}" for n in range(1, SCHEMA + 1)), "identifiers"])


@pytest.mark.parametrize(("part", "due"), [("rename_history", HISTORY), ("settle", GRAPH), ("rename_decided", GRAPH)])
def test_what_follows_the_last_step_is_finished_by_the_next_upgrade(
    home: Settings, part: str, due: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError("the machine is gone")

    with monkeypatch.context() as patch:
        patch.setattr(f"pipelines.batch.name_anew.{part}", fails)
        with pytest.raises(OSError, match="gone"):
            upgrade_commands.upgrade()
    store = open_store(home)
    assert renaming_due(store) == due
    store.close()
    upgrade_commands.upgrade()
    is_whole(home)
