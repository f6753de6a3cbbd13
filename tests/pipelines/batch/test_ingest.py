"""Ingesting: any format, any length; in parts or at once the same record, and every line accounted for."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from features.messages.mapping_file import load_mapping
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import ingest_manifest
from service.history.recent_rows import rows_of
from service.journal import Journal
from service.store.database import Store
from service.store.tables import DECLARATIONS
from tests.features.conftest import csv_of, row
from tests.features.messages.parcels import HOUSE, ITEM, PREDES
from tests.writers import as_cargo_xml, as_fhl, as_ics2, as_postal_xml

NOW = datetime(2026, 3, 2, tzinfo=UTC)
AT = "2026-03-01T08:15:00Z"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def manifest(path: Path, number: int = 400, **changes: object) -> Path:
    """Consignments of one to three lines, in order."""
    told = {"description": "shoes, red\nnew", **changes}
    rows = [
        row(consignment_id=f"C{n:05d}", line_no=str(line), consignor_name=f"Sender {n % 7}", **told)
        for n in range(number)
        for line in range(1, n % 3 + 2)
    ]
    path.write_bytes(csv_of(*rows))
    return path


def test_parts_and_the_whole_come_to_the_same_record(tmp_path: Path) -> None:
    kept = {}
    path = manifest(tmp_path / "day.csv")
    for name, part in (("whole", 1 << 30), ("parts", 3_000)):
        archive, journal = Archive(tmp_path / name), Journal(Store(f"sqlite:///{tmp_path / name}.db"))
        done = ingest_manifest(path, archive, journal, now=NOW, part=part)
        assert (done.received, done.accepted, done.consignments, done.new) == (799, 799, 400, 400)
        with journal.store.reading() as connection:
            kept[name] = (archive.consignments().flat(), rows_of(connection))
    assert kept["parts"][0].equals(kept["whole"][0])
    assert kept["parts"][1].equals(kept["whole"][1])


def test_a_consignment_whose_lines_stand_apart_is_told_not_halved(
    tmp_path: Path, archive: Archive, journal: Journal
) -> None:
    rows = [row(consignment_id=f"C{n:05d}") for n in range(400)]
    path = tmp_path / "day.csv"
    path.write_bytes(csv_of(*rows, row(consignment_id="C00003", line_no="2")))
    done = ingest_manifest(path, archive, journal, now=NOW, part=3_000)
    assert (done.received, done.accepted, done.consignments) == (401, 400, 400)
    assert done.refused.select("line", "field", "reason").rows() == [
        (402, "consignment_id", "its other lines stand far before it"),
    ]  # fmt: skip


def test_a_mapping_holds_for_every_part(tmp_path: Path, archive: Archive, journal: Journal) -> None:
    path = tmp_path / "m.toml"
    path.write_text('[file]\nseparator = ";"\n[manifest.rename]\nconsignment_id = "No"\n[manifest.default]\n'
                    'stream = "express"\nlodged_at = "2026-03-01T00:00:00Z"\ndescription = "belt"\n')  # fmt: skip
    (tmp_path / "f.csv").write_text("No;Colour\n" + "".join(f"C{n};red\n" for n in range(2_000)))
    done = ingest_manifest(tmp_path / "f.csv", archive, journal, load_mapping(path), now=NOW, part=3_000)
    assert (done.accepted, done.consignments) == (2_000, 2_000)
    assert archive.consignments().frame["extra_colour"].unique().to_list() == ["red"]


FILES = {
    "ics2": as_ics2([HOUSE], "M1"),
    "cargo-xml": as_cargo_xml(HOUSE, "M1"),
    "cargo-imp": as_fhl([HOUSE]),
    "postal": as_postal_xml([ITEM], "M1", AT),
}


@pytest.mark.parametrize("format", FILES)
def test_a_message_in_a_file_counts_once(tmp_path: Path, archive: Archive, journal: Journal, format: str) -> None:
    (tmp_path / "message").write_bytes(FILES[format])
    first, again = (ingest_manifest(tmp_path / "message", archive, journal, now=NOW) for _ in range(2))
    assert (first.received, first.accepted, first.new, again.new) == (1, 1, 1, 0)
    frame = archive.consignments().frame
    assert frame.select("consignor_name", "version").rows() == [("Yiwu Bright", 1)]


def test_a_dispatch_list_is_remembered_for_the_items_that_follow(
    tmp_path: Path, archive: Archive, journal: Journal
) -> None:
    (tmp_path / "predes.json").write_text(json.dumps(PREDES))
    (tmp_path / "items.xml").write_bytes(
        as_postal_xml([{k: v for k, v in ITEM.items() if k != "transport_id"}], "M", AT)
    )
    listed = ingest_manifest(tmp_path / "predes.json", archive, journal, now=NOW)
    assert (listed.received, listed.consignments) == (0, 0)
    ingest_manifest(tmp_path / "items.xml", archive, journal, now=NOW)
    assert archive.consignments().frame["transport_id"].to_list() == ["CNPVGAFRCDGAAUN12345678901234"]


@pytest.mark.parametrize("order", ["iri", "rii", "iriri", "irii"])
def test_items_and_dispatch_lists_may_come_in_any_order_and_again(
    tmp_path: Path, archive: Archive, journal: Journal, order: str
) -> None:
    (tmp_path / "r").write_text(json.dumps(PREDES))
    (tmp_path / "i").write_bytes(as_postal_xml([{k: v for k, v in ITEM.items() if k != "transport_id"}], "M", AT))
    new = [ingest_manifest(tmp_path / name, archive, journal, now=NOW).new for name in order]
    assert sum(new) == 1
    with journal.store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(DECLARATIONS)).scalar_one() == 1


def test_a_cancellation_takes_back_what_was_said(tmp_path: Path, archive: Archive, journal: Journal) -> None:
    for number, purpose in enumerate(("Creation", "Deletion"), start=1):
        told = {**HOUSE, "lodged_at": f"2026-03-01T0{number}:00:00Z"}
        (tmp_path / "m.xml").write_bytes(as_cargo_xml(told, f"M{number}", purpose))
        ingest_manifest(tmp_path / "m.xml", archive, journal, now=NOW)
    with journal.store.reading() as connection:
        last = rows_of(connection).sort("known_at").group_by("entity").last()
    assert last.select(pl.col("consignments").unique(), pl.col("value").unique(), pl.col("lodged").max()).rows() == [
        (0, 0, 2)
    ]
    assert archive.consignments().frame["purpose"].to_list() == ["original", "cancellation"]
