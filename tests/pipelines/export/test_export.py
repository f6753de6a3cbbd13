"""An export: what is on record in plain tables that every tool reads, no more than the role and offices see."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from fastapi.testclient import TestClient

from features.catalogue import INPUTS
from pipelines.export import export as exporting
from pipelines.export import table_file
from pipelines.export.export import BY_NAME, Export
from pipelines.export.export_tables import DECLARATIONS
from service.access.principal import Principal
from service.access.redaction import NAMING
from service.app import create
from service.calls import decision_changes
from service.officers.overrides import override_lane
from service.settings import Settings
from service.store.access_tables import READS
from service.store.database import Store, open_store
from tests.pipelines.commands.calling import call, line_of
from tests.service.building import app_state, body, declared, outcome
from tests.service.quick import quick_home
from tests.worlds import archived_world

PARIS, LYON = "FRCDG1", "FRLYS1"
BY = ("--by", "A. Martin", "--purpose", "quality_control")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with five consignments, one of Lyon; a result; and an officer's lane on the second."""
    settings = Settings(home=quick_home(tmp_path_factory.mktemp("export") / "home"))
    with TestClient(create(settings)) as client:
        for number, office in ((1, PARIS), (2, PARIS), (3, LYON), (4, PARIS), (5, PARIS)):
            sent = client.post("/v1/consignments", json=body(declared(number, office=office), message_id=f"M{number}"))
            assert sent.status_code == 200, sent.text
            if number == 2:
                decision = sent.json()["decisions"][0]["decision_id"]
        assert client.post("/v1/outcomes", json={"outcomes": [outcome(1, officer="O7")]}).status_code == 200
        store: Store = app_state(client).desk.journal.store
        override_lane(store, decision, "red", "B. Durand", "a tip", datetime.now(UTC), "HAWB000000002")
    return settings


@pytest.fixture(autouse=True)
def home(recorded: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAMIS_HOME", str(recorded.home))


def exported(capsys: pytest.CaptureFixture[str], out: Path, *options: str) -> dict[str, pl.DataFrame]:
    ended = call(capsys, "export", "--out", str(out), *BY, *options)
    assert ended.code == 0, ended.err
    assert not [file for file in out.iterdir() if file.suffix != ".parquet"]
    return {file.stem: pl.read_parquet(file) for file in out.iterdir()}


def test_every_change_stands_in_the_order_of_the_log(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tables = exported(capsys, tmp_path / "out", "--role", "auditor")
    assert set(tables) == {"decisions", "declarations", "results"}
    decisions = tables["decisions"]
    assert decisions["at_entry"].is_sorted()
    assert decisions["change"].to_list() == ["decided"] * 5 + ["overridden"]
    last = decisions.row(-1, named=True)
    assert (last["consignment_id"], last["standing_clearance"]) == ("HAWB000000002", "red")
    assert (last["override_by"], last["override_reason"]) == ("B. Durand", "a tip")
    assert decisions["lodged_at"].dtype == pl.Datetime("us", "UTC")
    assert tables["declarations"].height == 5
    assert tables["declarations"]["consignee_name"].to_list() == ["Marie Durand"] * 5
    assert tables["results"].select("consignment_id", "officer").rows() == [("HAWB000000001", "O7")]


def test_a_data_scientist_meets_no_person(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    tables = exported(capsys, tmp_path / "out")
    text = json.dumps([table.write_json() for table in tables.values()])
    assert "running shoes" in text
    for personal in ("Marie", "Durand", "Yiwu Bright", "Futian", "sales@bright", "75002", "O7", "a tip"):
        assert personal not in text
    assert tables["declarations"]["consignor_name"].n_unique() == 1
    assert tables["declarations"]["consignor_name"].str.contains(r"^[0-9A-F]{16}$").all()
    assert tables["declarations"]["consignor_phone"].null_count() == 5
    reasons = tables["decisions"]["reasons"].explode().drop_nulls().struct.unnest()
    assert reasons.height > 0
    assert reasons["evidence"].null_count() == reasons.height


def test_columns_that_name_somebody_are_columns_that_there_are() -> None:
    names = {c.name for table in (DECLARATIONS, BY_NAME["results"]) for c in table.columns}
    assert set(NAMING) <= names


def test_clearance_gets_decisions_without_weights_and_nothing_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    decisions = exported(capsys, tmp_path / "out", "--role", "clearance", "--what", "decisions")["decisions"]
    assert decisions["reasons"].explode().drop_nulls().struct.field("contribution").null_count() > 0
    assert decisions["reasons"].explode().drop_nulls().struct.field("contribution").drop_nulls().is_empty()
    assert decisions["override_by"].null_count() == decisions.height
    refused = call(capsys, "export", "--out", str(tmp_path / "x"), *BY, "--role", "clearance")
    assert "declarations are not for the role clearance" in line_of(refused)
    assert not (tmp_path / "x").exists()


def test_an_office_sees_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    of_lyon = exported(capsys, tmp_path / "lyon", "--office", LYON)
    assert of_lyon["decisions"]["consignment_id"].to_list() == ["HAWB000000003"]
    assert of_lyon["declarations"]["consignment_id"].to_list() == ["HAWB000000003"]
    assert of_lyon["results"].is_empty()
    of_paris = exported(capsys, tmp_path / "paris", "--office", PARIS)
    assert "HAWB000000003" not in of_paris["declarations"]["consignment_id"]
    assert of_paris["results"].height == 1


def test_days_are_chosen(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    none = exported(capsys, tmp_path / "before", "--to", "2020-01-01")
    assert [table.height for table in none.values()] == [0, 0, 0]
    lodged = exported(capsys, tmp_path / "all", "--what", "declarations")["declarations"]["lodged_at"][0]
    day = f"{lodged:%Y-%m-%d}"
    assert exported(capsys, tmp_path / "on", "--from", day, "--what", "declarations")["declarations"].height == 5


def test_each_export_stands_on_the_log_of_reads(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, recorded: Settings
) -> None:
    exported(capsys, tmp_path / "out", "--what", "results")
    store = open_store(recorded)
    with store.reading() as connection:
        read = connection.execute(sa.select(READS).order_by(READS.c.read_id.desc())).mappings().first()
    store.close()
    assert read is not None
    assert (read["who"], read["purpose"], read["route"]) == ("A. Martin", "quality_control", "export")
    assert read["subject"] == "results as data_scientist"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--what", "parties"), "'--what': it takes one of decisions, declarations, results, training"),
        (("--role", "admin"), "'--role': it takes one of data_scientist, analyst, auditor, clearance"),
        (("--what", "training"), "there is no training frame: too few control results to learn from"),
        (("--by", " "), "needs a name and a purpose"),
    ],
)
def test_what_cannot_be_exported_is_said_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, options: tuple[str, ...], sentence: str
) -> None:
    ended = call(capsys, "export", "--out", str(tmp_path / "out"), *BY, *options)
    assert sentence in line_of(ended)
    assert not list((tmp_path / "out").glob("*"))


def test_no_table_is_written_over(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    exported(capsys, tmp_path, "--what", "results")
    before = (tmp_path / "results.parquet").read_bytes()
    assert "already holds results.parquet" in line_of(call(capsys, "export", "--out", str(tmp_path), *BY))
    assert (tmp_path / "results.parquet").read_bytes() == before


def test_rows_are_written_in_groups_as_pages_are_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = exported(capsys, tmp_path / "whole", "--what", "decisions")["decisions"]
    monkeypatch.setattr(table_file, "ROWS_OF_A_GROUP", 2)
    monkeypatch.setattr(exporting, "changes_since", partial(decision_changes.changes_since, at_most=1))
    paged = exported(capsys, tmp_path / "paged", "--what", "decisions")["decisions"]
    assert paged.equals(whole)
    assert pq.ParquetFile(tmp_path / "paged" / "decisions.parquet").metadata.num_row_groups == 3


def test_every_tool_reads_the_same_and_the_columns_say_what_they_mean(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    tables = exported(capsys, tmp_path, "--role", "analyst")
    for name, rows in tables.items():
        file = tmp_path / f"{name}.parquet"
        assert list(rows.schema.items()) == list(BY_NAME[name].schema.items())  # type: ignore[index]  # a table's name
        assert pd.read_parquet(file)["consignment_id"].to_list() == rows["consignment_id"].to_list()
        by_duckdb = duckdb.read_parquet(str(file)).project("consignment_id").fetchall()
        assert by_duckdb == rows.select("consignment_id").rows()
        schema = pq.read_schema(file)
        assert schema.metadata[b"tamis.role"] == b"analyst"
        assert all(schema.field(column).metadata[b"meaning"] for column in rows.columns)


def test_the_training_frame_is_what_training_learns_from(tmp_path: Path, recorded: Settings) -> None:
    archive = archived_world(tmp_path / "archive", days=20, per_day=300, seed=5)
    store = open_store(recorded)
    principal = Principal("A. Martin", "data_scientist", ("*",), "audit")
    export = Export(store, archive, principal, None, datetime(2027, 1, 1, tzinfo=UTC))
    assert export.principal.sees_all
    rows = export.write(["training"], tmp_path / "out")["training"]
    store.close()
    frame = pd.read_parquet(tmp_path / "out" / "training.parquet")
    assert len(frame) == rows > 50
    assert {"hit", "known_at", *(item.name for item in INPUTS)} <= set(frame.columns)
    assert (frame["known_at"] > frame["lodged_at"]).all()
    assert frame["hit"].any()
    assert "consignor_name" not in frame.columns
