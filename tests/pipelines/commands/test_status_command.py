"""`tamis status` and `tamis settings` say what holds, on any home, and write nothing."""

from __future__ import annotations

import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from features import compatible
from features.catalogue import INPUTS
from features.fingerprint import code_fingerprint
from features.inputs import as_json
from pipelines.cli import app
from pipelines.commands.settings_command import without_password
from pipelines.commands.what_if_command import sentence
from pipelines.synthetic import build_world
from pipelines.training.registered_versions import promote_command, waiting_version
from service.officers.what_if import WhatIf
from service.parties.linking_switch import LinkingSwitch
from service.record.audit_log import new_salt
from service.settings import Settings
from service.store.database import open_store
from service.store.tables import CASE_NOTES, LISTS, PROPOSALS
from tests.pipelines.commands.calling import call

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ALIASES = "CREATE TABLE registered_model_aliases (alias TEXT, version INTEGER, name TEXT)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("TAMIS_HOME", str(folder))
    return folder


def _everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _facts(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    ended = call(capsys, "status", "--json")
    assert (ended.code, ended.err) == (0, "")
    return dict(json.loads(ended.out))


def test_on_no_home_nothing_is_made_and_the_beginning_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = call(capsys, "status")
    assert ended.code == 0
    assert "no store yet: run tamis demo or tamis ingest" in ended.out
    assert "linking is off" in ended.out
    assert "no model is promoted" in ended.out
    assert not home.exists()


def test_on_a_home_without_a_model_training_comes_next(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    build_world(2, 60, 1, tmp_path / "world")
    manifests = sorted(map(str, (tmp_path / "world" / "manifests").glob("*.parquet")))
    app(["ingest", *manifests], standalone_mode=False)
    before = _everything(home)
    facts = _facts(capsys)
    assert facts["promoted"] == {"bundle": None, "revised": [], "challenger": None}
    assert facts["fresh"]["newest_manifest_day"] == "2026-01-02"
    assert str(facts["fresh"]["history_as_of"]).startswith("2026-01-0")
    assert facts["next"] == 'tamis promote --rules --by NAME --reason "…", or tamis outcomes FILE'
    app(["outcomes", *_results(tmp_path, manifests[0])], standalone_mode=False)
    facts = _facts(capsys)
    assert facts["fresh"]["newest_outcome"] == "2026-01-05T10:00:00+00:00"
    assert facts["next"] == "tamis train"
    after = _everything(home)
    assert before.keys() <= after.keys()
    assert _facts(capsys) == facts
    assert _everything(home) == after


def _results(folder: Path, manifest: str) -> list[str]:
    import polars as pl

    known = pl.read_parquet(manifest)["consignment_id"][0]
    file = folder / "results.csv"
    file.write_text(f"consignment_id,known_at,result\n{known},2026-01-05T10:00:00Z,compliant\n")
    return [str(file)]


def test_on_a_home_with_a_model_what_waits_is_counted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings()
    store = open_store(settings)
    LinkingSwitch(settings.linking).turn_on("A. Martin", "a decree", NOW)
    _promoted(settings, "tamis-v1")
    _registered(settings, challenger=2, champion=1)
    (settings.reports / "monitor" / "2026-03-01").mkdir(parents=True)
    assert "tamis-v1 since 2026-03-01, by B. Roy; tamis version 2 waits" in call(capsys, "status").out
    assert _facts(capsys)["next"] == 'tamis promote 2 --by NAME --reason "…"'
    with store.writing() as connection:
        connection.execute(sa.insert(PROPOSALS).values(_proposal()))
        connection.execute(sa.insert(LISTS).values(_list()))
        connection.execute(sa.insert(CASE_NOTES).values(_detained()))
    store.close()
    text = call(capsys, "status").out
    assert "linking is on since 2026-03-02, by A. Martin" in text
    assert "last monitored 2026-03-01" in text
    assert "1 list to approve, 1 proposal, 1 open case, the next step due 2026-0" in text
    assert "0 decisions to reassess" in text
    assert _facts(capsys)["next"] == "tamis lists show, then tamis lists approve LIST --by NAME"


def test_a_model_that_learned_before_a_revision_is_to_learn_anew(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=home)
    open_store(settings).close()
    _promoted(settings, "model-1")
    catalogue = {"inputs": as_json(INPUTS), "fingerprint": "f" * 64}
    (settings.serving / "catalogue.json").write_text(json.dumps(catalogue))
    assert _facts(capsys)["next"] == "tamis score FILE --out DIR"
    monkeypatch.setattr(compatible, "REVISED_SINCE", {code_fingerprint(INPUTS): {"f" * 64: ("phone", "mailbox")}})
    assert (
        "by B. Roy; it learned before features of phone, mailbox were read as they are now"
        in call(capsys, "status").out
    )
    assert str(_facts(capsys)["next"]).startswith("tamis train")


def _promoted(settings: Settings, bundle: str) -> None:
    settings.serving.parent.mkdir(parents=True)
    settings.champion.write_text(bundle)
    settings.serving.mkdir()
    told = {"model_id": bundle, "promoted_by": "B. Roy", "promoted_at": "2026-03-01T08:00:00+00:00"}
    (settings.serving / "manifest.json").write_text(json.dumps(told))


def _registered(settings: Settings, challenger: int, champion: int) -> None:
    with sqlite3.connect(settings.tracking) as connection:
        connection.execute(ALIASES)
        rows = [("challenger", challenger, "tamis"), ("champion", champion, "tamis")]
        connection.executemany("INSERT INTO registered_model_aliases VALUES (?, ?, ?)", rows)


def _proposal() -> dict[str, object]:
    texts = dict.fromkeys(("told", "although", "tried"), "")
    return {
        "kind": "policy",
        "content": "x",
        "reason": "y",
        "proposed_by": "z",
        "proposed_at": 1,
        "state": "waiting",
    } | texts


def _list() -> dict[str, object]:
    named = dict.fromkeys(("source", "format", "sha256", "imported_by"), "x")
    return {"list_id": "l", "version": 1, "kind": "list", "status": "waiting", "imported_at": 1, "subjects": {}} | named


def _detained() -> dict[str, object]:
    answers = {"country": "FR", "track": "simplified_destruction", "right_holder": "x", "answers": {}, "findings": []}
    at = int(NOW.timestamp() * 1e6)
    return {"consignment_id": "P1", "step": "detained", "at": at, "officer": "o", "salt": new_salt(), "body": answers}


def test_the_waiting_version_is_the_one_that_mlflow_would_name(tmp_path: Path) -> None:
    from pipelines.training.registered_versions import CHALLENGER, CHAMPION
    from pipelines.training.registry import Registry

    settings = Settings(home=tmp_path)
    client = Registry(settings).client
    assert waiting_version(settings.tracking, None) is None
    client.create_registered_model("tamis")
    for _ in range(2):
        client.create_model_version("tamis", str(tmp_path))
    client.set_registered_model_alias("tamis", CHALLENGER, "2")
    waiting = waiting_version(settings.tracking, None)
    assert waiting == {"name": "tamis", "version": 2, "command": promote_command(2, "tamis")}
    client.set_registered_model_alias("tamis", CHAMPION, "2")
    assert waiting_version(settings.tracking, "tamis-v2") is None


def test_the_promote_command_names_the_model_that_was_trained() -> None:
    assert promote_command(3, "tamis") == 'tamis promote 3 --by NAME --reason "…"'
    assert promote_command(3, "korea") == 'tamis promote 3 --name korea --by NAME --reason "…"'


def test_settings_say_where_they_come_from_and_show_no_secret(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "the-secret-file"
    secret.write_text("hunter2")
    monkeypatch.setenv("TAMIS_OIDC_CLIENT_SECRET", str(secret))
    monkeypatch.setenv("TAMIS_STORE", "postgresql://bob:hunter2@db:5433/tamis?password=hunter2")
    monkeypatch.setenv("TAMIS_LANGAGE", "fr")
    ended = call(capsys, "settings")
    assert ended.code == 0
    lines = {line.split()[0]: line for line in ended.out.splitlines()}
    assert {f"TAMIS_{name.upper()}" for name in Settings.model_fields} <= lines.keys()
    assert "environment" in lines["TAMIS_HOME"]
    assert "default" in lines["TAMIS_LANGUAGE"]
    assert "postgresql://db:5433/tamis " in lines["TAMIS_STORE"]
    assert "! TAMIS_LANGAGE is set and is no setting of Tamis" in ended.out
    assert "hunter2" not in ended.out
    assert secret.name not in ended.out
    told = json.loads(call(capsys, "settings", "--json").out)
    assert [row["variable"] for row in told["settings"]] == [f"TAMIS_{name.upper()}" for name in Settings.model_fields]
    assert "TAMIS_LANGAGE" in told["unknown"]
    assert not home.exists()


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("sqlite:////var/lib/tamis/store.db", "sqlite:////var/lib/tamis/store.db"),
        ("postgresql://bob:pw@db/x?password=pw", "postgresql://db/x"),
    ],
)
def test_of_an_address_only_where_it_points_is_shown(address: str, shown: str) -> None:
    assert without_password(address) == shown


@pytest.mark.parametrize(
    ("days", "other", "moved", "said"),
    [
        (1, 6, 4, "10.0 physical checks a day over 1 day. With 6 a day, 4 consignments that were opened would have"),
        (3, 12, 1, "over 3 days. With 12 a day, 1 consignment more would have been opened."),
        (3, 10, 0, "With 10 a day, the same consignments would have been opened."),
    ],
)
def test_what_if_is_a_sentence(days: int, other: int, moved: int, said: str) -> None:
    assert said in sentence(WhatIf(days, 10.0, other, moved, {}, {}), "CDG")
