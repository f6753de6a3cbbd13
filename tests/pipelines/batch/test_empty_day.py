"""A day of which nothing is accepted ends with a report that says why; a list can be worked without its manifest."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.batch.archive import Archive
from pipelines.batch.publish import PUBLISHED, publish
from pipelines.batch.run_account import Scored
from pipelines.batch.score import score
from service.targeting import Desk
from tests.features.conftest import csv_of, row
from tests.features.messages.file_kinds import NO_MANIFEST, SECRET
from tests.worlds import SmallWorld


@pytest.fixture(scope="module")
def desk(small_world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    return small_world.desk(tmp_path_factory.mktemp("empty-day") / "home")


def scored(files: list[Path], desk: Desk, now: datetime, tmp_path: Path) -> Scored:
    return score(files, desk, Archive(tmp_path / "archive"), now, expectations=False)


def test_a_day_of_which_nothing_is_accepted_is_reported(small_world: SmallWorld, desk: Desk, tmp_path: Path) -> None:
    files = []
    for number, (content, _) in enumerate(NO_MANIFEST.values()):
        files.append(tmp_path / f"file-{number}")
        files[-1].write_bytes(content)
    files.append(tmp_path / "century.csv")
    files[-1].write_bytes(csv_of(row(lodged_at="2062-03-01T08:00:00Z"), row(stream="pigeon", consignment_id="C2")))
    result = scored(files, desk, small_world.end + timedelta(days=1), tmp_path)
    assert (result.accepted, result.orientations.height) == (0, 0)
    assert result.received == result.refused.height == len(NO_MANIFEST) + 2
    out = tmp_path / "out"
    summary = publish(result, desk, out, small_world.end, "an empty day")
    assert sorted(path.name for path in out.iterdir()) == sorted([*PUBLISHED, "_SUCCESS"])
    assert summary["refusals"] == result.refusals
    assert json.loads((out / "summary.json").read_text())["consignments"] == 0
    page = (out / "report.html").read_text()
    assert "Nothing was decided: no row was accepted." in page
    assert "these are inspection results" in page
    assert "more than 7 days after its arrival" in page
    assert SECRET not in " ".join(result.refusals)
    cells = pl.read_csv(out / "quarantine.csv", infer_schema=False)
    assert cells.height == pl.read_parquet(out / "quarantine.parquet").height == result.refused.height


def test_the_list_can_be_worked_without_the_manifest(small_world: SmallWorld, desk: Desk, tmp_path: Path) -> None:
    day = pl.read_parquet(small_world.last_day).head(30).with_columns(
        consignor_name=pl.when(pl.col("line_no") == 1).then(pl.lit("=Sun & Co")).otherwise("consignor_name"),
        office=pl.lit("Roissy"),
    )  # fmt: skip
    (tmp_path / "before.csv").write_text(day.with_columns(message_id=pl.lit("B"), office=pl.lit("FRCDG1")).write_csv())
    (tmp_path / "day.csv").write_text(day.with_columns(message_id=pl.lit("D"), version=2).write_csv())
    now = small_world.end + timedelta(days=1)
    assert scored([tmp_path / "before.csv"], desk, now, tmp_path).unknown_offices == {}  # nobody knows any yet
    result = scored([tmp_path / "day.csv"], desk, now, tmp_path)
    assert result.unknown_offices == {"Roissy": result.orientations.height}
    odd = result.orientations.select(pl.col("data_problems").explode().struct.field("field")).to_series()
    assert odd.eq("office").sum() == result.orientations.height
    publish(result, desk, tmp_path / "out", now, "a day")
    cells = pl.read_csv(tmp_path / "out" / "orientations.csv", infer_schema=False)
    assert cells.height == result.orientations.height
    assert cells["consignor_name"].str.starts_with("'=Sun").all()
    for name in ("description", "dispatch_country", "value_eur", "gross_mass_kg"):
        assert cells[name].null_count() < cells.height
