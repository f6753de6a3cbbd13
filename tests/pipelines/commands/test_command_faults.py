"""What a user can mend is one line with the remedy: settings, disks, databases, models; values are never said back."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from features.fault import Fault
from pipelines.commands.faults import FULL_DISK, sentence_of
from service.settings import PREFIX, Settings
from service.settings_file import SettingsFault
from tests.pipelines.commands.calling import call, line_of

SECRET = "hunter2"
NONSENSE = [
    ("HOME", "/etc/passwd", "the path of a folder"),
    ("HOME", "/etc/passwd/below", "the path of a folder"),
    ("STORE", f"mysql://bob:{SECRET}@db/tamis", "begins with sqlite:///, postgresql://"),
    ("STORE", f"bob:{SECRET}", "begins with sqlite:///"),
    ("LANGUAGE", "de", "en or fr or zh"),
    ("MAPPING", f"/nowhere/{SECRET}", "the path of a file that exists"),
    ("OFFICES", f"/nowhere/{SECRET}", "the path of a file that exists"),
    ("KINDS", f"/nowhere/{SECRET}", "the path of a file that exists"),
    ("ANSWERS", "/", "the path of a file that exists"),
    ("LISTS_HOURS", "nan", "a number above 0"),
    ("LISTS_HOURS", "1e300", "a number above 0 and at most"),
    ("AMQP_CREDENTIALS", f"/nowhere/{SECRET}", "the path of a file that exists"),
    ("CALLS_AT_ONCE", "-1", "a whole number above 0"),
    ("CALLS_AT_ONCE", "2.5", "a whole number above 0"),
    ("ANSWER_SECONDS", "soon", "a number above 0"),
    ("KEEP_COMPLIANT_DAYS", "-3", "a whole number above 0"),
    ("KEEP_NON_COMPLIANT_DAYS", "9999999", "a whole number above 0 and at most 36525"),
    ("KEEP_NOT_INSPECTED_DAYS", "a year", "a whole number above 0"),
    ("ACCESS", "maybe", "keys or open"),
    ("PUBLIC_URL", f"ftp://{SECRET}", "an address such as https://tamis.example"),
    ("HOSTS", f"https://{SECRET}/", "host names separated by commas"),
    ("CHECKPOINT_PLACE", f"ftp://{SECRET}/there", "the path of a folder, or an address"),
    ("CHECKPOINT_TOKEN", f"/nowhere/{SECRET}", "the path of a file that exists"),
    ("OIDC_ISSUER", f"ldap://{SECRET}", "begins with https:// or http://"),
    ("OIDC_CLIENT_ID", "", "a text of at least one character"),
    ("OIDC_CLIENT_SECRET", SECRET, "the path of a file that exists"),
    ("OIDC_ROLE_CLAIM", "", "a text of at least one character"),
    ("OIDC_OFFICES_CLAIM", "", "a text of at least one character"),
    ("CALLS_A_MINUTE", "-5", "a whole number above 0"),
    ("LOG", "xml", "json or text"),
    ("BODY_LIMIT", "8MB", "a whole number above 0"),
]


@pytest.mark.parametrize(("name", "value", "takes"), NONSENSE)
def test_a_nonsense_setting_is_named_with_what_it_takes_and_without_its_value(
    name: str, value: str, takes: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}{name}", value)
    ended = call(capsys, "status")
    line = line_of(ended)
    assert ended.code == 1
    assert f"{PREFIX}{name} takes " in line
    assert takes in line
    assert SECRET not in line
    assert not value or f" {value}" not in line


def test_every_setting_is_tried_with_nonsense() -> None:
    assert {name.lower() for name, _, _ in NONSENSE} == set(Settings.model_fields)


def test_all_nonsense_is_told_at_once_and_what_no_setting_is_called_is_a_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TAMIS_ACCESS", "maybe")
    with pytest.raises(SettingsFault, match=r"TAMIS_ACCESS takes .*; TAMIS_BODY_LIMIT takes"):
        Settings(body_limit=-1)
    monkeypatch.delenv("TAMIS_ACCESS")
    with pytest.raises(TypeError, match="bodylimit"):
        Settings(bodylimit=1)


def test_a_home_that_may_not_be_read_is_said_so(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    monkeypatch.setattr("service.settings.os.access", lambda *_: False)
    assert "TAMIS_HOME takes the path of a folder that can be read" in line_of(call(capsys, "status"))


def _raised(fault: BaseException, cause: BaseException | None = None) -> BaseException:
    try:
        raise fault from cause
    except BaseException as raised:  # noqa: BLE001 - it is what is looked at
        return raised


FULL = OSError(errno.ENOSPC, "No space left on device", "/home/x/secret.parquet")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (FULL, FULL_DISK),
        (
            OSError("libgomp.so.1: cannot open shared object file: No such file"),
            "the system lacks the library libgomp.so.1",
        ),
        (_raised(RuntimeError("a library"), FULL), FULL_DISK),
        (RuntimeError("writing failed: No space left on device (os error 28)"), FULL_DISK),
        (sqlite3.OperationalError("database or disk is full"), FULL_DISK),
        (sqlite3.OperationalError("database is locked"), "the store is locked by another command or service"),
        (sqlite3.OperationalError("unable to open database file"), "the store cannot be opened"),
        (sqlite3.OperationalError("attempt to write a readonly database"), "as the user who owns TAMIS_HOME"),
        (sqlite3.DatabaseError("file is not a database"), "check where TAMIS_STORE points"),
        (sqlite3.OperationalError("no such column: declarations.x"), "`tamis upgrade`"),
        (Fault("two\nlines"), "two lines"),
        (PermissionError(errno.EACCES, "Permission denied", "/home/x/secret.csv"), "permission denied"),
    ],
)
def test_what_can_be_mended_is_one_line(fault: BaseException, said: str) -> None:
    sentence = sentence_of(fault)
    assert sentence is not None
    assert said in sentence
    assert "secret" not in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("fault", [KeyError("serial"), RuntimeError("?"), sqlite3.IntegrityError("UNIQUE failed")])
def test_what_nobody_can_mend_keeps_its_traceback(fault: BaseException) -> None:
    assert sentence_of(fault) is None


def test_a_full_disk_is_told_by_any_command(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))

    def fails(*_: object, **__: object) -> None:
        raise FULL

    monkeypatch.setattr("pathlib.Path.mkdir", fails)
    ended = call(capsys, "verify")
    assert (ended.code, line_of(ended)) == (1, f"tamis: {FULL_DISK}")


def test_a_locked_store_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from service.store import database

    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    brief = {**(database.Store.__init__.__kwdefaults__ or {}), "patience_ms": 1}
    monkeypatch.setattr(database.Store.__init__, "__kwdefaults__", brief)
    database.open_store(Settings()).close()
    monkeypatch.setattr(database.open_store, "__kwdefaults__", {"patience_ms": 1, "grouped": False})
    with sqlite3.connect(tmp_path / "store.db", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        ended = call(capsys, "link", "--off")  # it writes: who only reads is not held up
    assert ended.code == 1
    assert "the store is locked by another command or service" in line_of(ended)


def _not_a_database(home: Path) -> str:
    (home / "store.db").write_bytes(b"no database at all" * 100)
    return "the store is no SQLite database"


def _a_folder(home: Path) -> str:
    (home / "store.db").mkdir()
    return "the store cannot be opened"


@pytest.mark.parametrize("spoil", [_not_a_database, _a_folder])
def test_a_store_that_is_none_is_told(
    spoil: Callable[[Path], str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    said = spoil(tmp_path)
    ended = call(capsys, "verify")
    assert ended.code == 1
    assert said in line_of(ended)


@pytest.mark.parametrize("command", ["verify", "status"])
def test_a_database_server_that_does_not_answer_is_told_without_its_address(
    command: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    monkeypatch.setenv("TAMIS_STORE", f"postgresql://bob:{SECRET}@127.0.0.1:1/tamis")
    ended = call(capsys, command)
    line = line_of(ended)
    assert ended.code == 1
    assert "PostgreSQL cannot be reached" in line
    assert SECRET not in line
    assert "127.0.0.1" not in line


@pytest.mark.parametrize(
    "arguments",
    [
        ("score", __file__, "--out", "out"),
        ("rules",),
        ("serve",),
        ("applications", __file__, "--out", "out.toml"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_without_a_model_the_way_to_one_is_told(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("service.runtime.process_tuning.without_training_libraries", lambda: None)
    monkeypatch.setattr("pipelines.commands.installation_commands.without_training_libraries", lambda: None)
    ended = call(capsys, *arguments)
    assert ended.code == 1
    assert line_of(ended) == (
        "tamis: nothing is promoted yet: `tamis promote --rules --by NAME --reason TEXT` begins without a model; with "
        "control results run `tamis train`, then `tamis promote VERSION --by NAME --reason TEXT`"
    )
