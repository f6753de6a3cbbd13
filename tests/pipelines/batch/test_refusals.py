"""What is said of what was refused: one line a kind, the mapping key that mends it, and nothing that was sent."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from features.messages.mapping import UNMAPPED
from features.messages.mapping_file import load_mapping
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import Ingested, ingest_manifest, keep_quarantine
from pipelines.batch.refusals import refusals_in_words, unknown_offices_in_words
from service.journal import Journal
from service.store.database import Store
from tests.features.conftest import csv_of, row

NOW = datetime(2026, 3, 2, tzinfo=UTC)
MANY = 12


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(Store(f"sqlite:///{tmp_path / 'store.db'}"))


def ingested(path: Path, content: bytes, archive: Archive, journal: Journal, mapping: str = "") -> Ingested:
    path.write_bytes(content)
    if mapping:
        path.with_suffix(".toml").write_text(mapping)
    rules = load_mapping(path.with_suffix(".toml")) if mapping else UNMAPPED
    return ingest_manifest(path, archive, journal, now=NOW, mapping=rules)


def many(separator: str = ",", **changes: object) -> bytes:
    return csv_of(*(row(consignment_id=f"C{n}", **changes) for n in range(MANY)), separator=separator)


SEVEN_MORE = "lines 2, 3, 4, 5, 6 and 7 more: "
CASES = {
    "day first": ({"lodged_at": "30/01/2026 08:00"}, "%d/%m/%Y %H:%M"),
    "month first": ({"lodged_at": "01/30/2026"}, "%m/%d/%Y"),
    "points": ({"lodged_at": "30.01.2026 08:00:00"}, "%d.%m.%Y %H:%M:%S"),
    "no zone": ({"lodged_at": "2026-01-30T08:00:00"}, "%Y-%m-%dT%H:%M:%S"),
    "no zone and a blank": ({"lodged_at": "2026-01-30 08:00"}, "%Y-%m-%d %H:%M"),
}


@pytest.mark.parametrize("case", CASES)
def test_times_of_another_form_are_told_once_with_the_key_that_reads_them(
    tmp_path: Path, archive: Archive, journal: Journal, case: str
) -> None:
    changes, form = CASES[case]
    done = ingested(tmp_path / "day.csv", many(**changes), archive, journal)
    told = refusals_in_words(done.refused, done.separator)
    assert len(told) == 1
    assert told[0].startswith(f"{SEVEN_MORE}lodged_at: ")
    key = f'[manifest.convert.lodged_at] format = "{form}", zone = "Europe/Paris"'
    assert key in told[0]
    assert str(changes["lodged_at"]) not in told[0]
    mended = f'[manifest.convert.lodged_at]\nformat = "{form}"\nzone = "Europe/Paris"\n'
    assert ingested(tmp_path / "again.csv", many(**changes), archive, journal, mended).accepted == MANY


def test_times_of_no_known_form_have_no_key(tmp_path: Path, archive: Archive, journal: Journal) -> None:
    done = ingested(tmp_path / "day.csv", many(lodged_at="yesterday"), archive, journal)
    told = refusals_in_words(done.refused)
    assert len(told) == 1
    assert "--mapping" not in told[0]


def test_what_a_french_spreadsheet_writes_is_told_in_one_line(
    tmp_path: Path, archive: Archive, journal: Journal
) -> None:
    plain = many(";", value="12,50", gross_mass_kg="0,5")
    accents = (
        many(";", value="12,50", gross_mass_kg="0,5", description="café", message_id="M2").decode().encode("cp1252")
    )
    for content, words, keys in (
        (plain, "semicolons between columns and decimal commas", 'separator = ";", decimal = ","'),
        (
            accents,
            "semicolons between columns, an encoding that is not UTF-8 and decimal commas",
            'separator = ";", encoding = "cp1252", decimal = ","',
        ),
    ):
        done = ingested(tmp_path / "day.csv", content, archive, journal)
        assert (done.received, done.accepted, done.refused.height) == (MANY, 0, MANY)
        told = refusals_in_words(done.refused, done.separator)
        assert len(told) == 1
        assert told[0].startswith(f"{SEVEN_MORE}the file has {words} (")
        assert f"[file] {keys})" in told[0]
        assert "12,50" not in told[0]
        mapping = '[file]\nseparator = ";"\ndecimal = ","\n' + ('encoding = "cp1252"\n' if content is accents else "")
        assert ingested(tmp_path / f"again-{len(keys)}.csv", content, archive, journal, mapping).accepted == MANY


def test_kinds_come_by_how_often_they_are(tmp_path: Path, archive: Archive, journal: Journal) -> None:
    rows = [row(consignment_id=f"C{n}", **({"stream": "pigeon"} if n < 3 else {})) for n in range(6)]
    content = csv_of(*rows[:5], {**rows[5], "value": "-1"})
    told = refusals_in_words(ingested(tmp_path / "day.csv", content, archive, journal).refused)
    assert [one.split(" (")[0] for one in told] == ["lines 2, 3, 4: stream: unknown word", "line 7: value: negative"]


def test_a_quarantine_opens_in_a_spreadsheet(tmp_path: Path, archive: Archive, journal: Journal) -> None:
    content = csv_of(row()) + b"=cmd|' /C calc'!A0,2\n"
    done = ingested(tmp_path / "day.csv", content, archive, journal)
    kept = keep_quarantine(done.refused, tmp_path / "quarantine", done.file)
    assert kept == tmp_path / "quarantine" / "day.csv.quarantine.csv"
    cells = pl.read_csv(kept, infer_schema=False)
    assert cells["row_as_received"].to_list() == ["'=cmd|' /C calc'!A0,2"]
    parquet = pl.read_parquet(tmp_path / "quarantine" / "day.csv.quarantine.parquet")
    assert parquet["row_as_received"].to_list() == ["=cmd|' /C calc'!A0,2"]


def test_unknown_offices_are_named_with_what_to_do() -> None:
    told = unknown_offices_in_words({"Roissy": 40, **{f"X{n}": 1 for n in range(6)}})
    assert "Roissy (40), X0 (1)" in told
    assert "and 2 more; the default capacity held" in told
