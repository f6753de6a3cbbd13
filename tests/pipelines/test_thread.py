"""From an archive to published orientations: registered, promoted, loaded as pyfunc, scored, published."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features.fault import Fault
from features.messages.mapping import UNMAPPED
from pipelines.batch.archive import Archive
from pipelines.batch.publish import publish, write_answers
from pipelines.batch.score import score
from pipelines.cli import app
from pipelines.commands.train_command import learn
from pipelines.training.promotion import promote
from pipelines.training.registered_versions import CHALLENGER, CHAMPION
from pipelines.training.registry import NotRegistered, Registry
from service.answers import NoSuchAnswer, load_codes
from service.desk import open_desk
from service.scoring.bundle import FILES, SINCE
from service.settings import Settings
from tests.features.messages.parcels import HOUSE, PREDES
from tests.pipelines.thread import NOW
from tests.worlds import SmallWorld
from tests.writers import as_ics2


@pytest.fixture(scope="module")
def home(small_world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which a model was trained, registered and promoted."""
    folder = tmp_path_factory.mktemp("thread") / "home"
    shutil.copytree(small_world.home, folder)
    settings = Settings(home=folder)
    version = learn(settings, UNMAPPED, "tamis", end=small_world.end)
    assert Registry(settings).version_of(CHALLENGER) == version == 1
    promote(version, "A. Martin", "first model", settings, NOW)
    return folder


def test_the_promoted_version_is_champion_and_signed(home: Path) -> None:
    settings = Settings(home=home)
    assert Registry(settings).version_of(CHAMPION) == 1
    manifest = json.loads((settings.serving / "manifest.json").read_text())
    assert manifest["promoted_by"] == "A. Martin"
    assert manifest["promoted_because"] == "first model"
    assert {path.name for path in settings.serving.iterdir()} == {*FILES, *SINCE, "manifest.json"}


def test_promotion_needs_a_name_a_reason_and_a_version(home: Path) -> None:
    settings = Settings(home=home)
    with pytest.raises(Fault, match="name and a reason"):
        promote(1, " ", "because", settings, NOW)
    with pytest.raises(NotRegistered, match="version 99"):
        promote(99, "A. Martin", "because", settings, NOW)


def test_the_registered_model_gives_the_bundle_s_scores_as_pyfunc(home: Path) -> None:
    import mlflow

    settings = Settings(home=home)
    Registry(settings)
    desk = open_desk(settings)
    golden = pl.read_parquet(settings.serving / "golden.parquet")
    loaded = mlflow.pyfunc.load_model("models:/tamis@champion")
    answered = loaded.predict(golden.drop("row", "golden_margin").to_pandas())
    assert np.array_equal(answered["margin"].to_numpy(), golden["golden_margin"].to_numpy())
    risk = desk.model.calibration.apply(golden["golden_margin"].to_numpy())
    assert np.array_equal(answered["risk"].to_numpy(), risk)
    assert loaded.metadata.signature is not None
    assert loaded.metadata.saved_input_example_info is not None
    pickled = [path for path in (home / "artifacts").rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib")]
    assert pickled == []


@pytest.fixture(scope="module")
def day_with_faults(small_world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """The last day as CSV, three of its records spoiled, one cut short."""
    lines = pl.read_parquet(small_world.last_day).with_columns(
        pl.col("lodged_at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"), pl.col("description").str.replace("^", "=")
    )
    spoiled = lines.with_row_index("n").with_columns(
        pl.when(pl.col("n") == 3).then(pl.lit("boat")).otherwise("stream").alias("stream"),
        pl.when(pl.col("n") == 7).then(pl.lit("-1")).otherwise(pl.col("value").cast(pl.String)).alias("value"),
        pl.when(pl.col("n") == 9)
        .then(pl.lit("heavy"))
        .otherwise(pl.col("gross_mass_kg").cast(pl.String))
        .alias("gross_mass_kg"),
    )
    path = tmp_path_factory.mktemp("day") / "day.csv"
    text = spoiled.drop("n").write_csv() + "only,two\n"
    path.write_text(text, encoding="utf-8")
    return path, lines.height + 1


def test_a_day_is_scored_accounted_for_and_published(
    home: Path, day_with_faults: tuple[Path, int], tmp_path: Path
) -> None:
    path, records = day_with_faults
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    settings = Settings(home=copy)
    desk = open_desk(settings)
    scored = score([path], desk, Archive(settings.archive), NOW, expectations=False)
    out = tmp_path / "out"
    summary = publish(scored, desk, out, NOW, "a day")
    assert summary["rows_received"] == records == summary["rows_accepted"] + summary["rows_quarantined"]
    quarantine = pl.read_parquet(out / "quarantine.parquet")
    assert quarantine.select("line", "field").rows() == [
        (5, "stream"), (9, "value"), (11, "gross_mass_kg"), (records + 1, "record"),
    ]  # fmt: skip
    orientations = pl.read_parquet(out / "orientations.parquet")
    assert orientations.height == summary["consignments"] == sum(summary["lanes"].values())
    assert orientations["decision_id"].is_unique().all()
    looked_at = orientations.filter(pl.col("clearance") != "green")
    assert looked_at.height > 0
    assert looked_at.filter(pl.col("reasons").list.len() == 0).is_empty()
    for name in ("orientations.csv", "summary.json", "report.html", "_SUCCESS"):
        assert (out / name).exists()
    cells = pl.read_csv(out / "orientations.csv", infer_schema=False)
    assert not cells.select(pl.any_horizontal(pl.all().str.contains(r"^[=+@]"))).to_series().fill_null(False).any()

    again = score([path], desk, Archive(settings.archive), NOW, expectations=False)
    assert again.orientations.equals(scored.orientations)  # what was decided stays decided


def test_messages_are_scored_and_answered_in_their_own_words(home: Path, tmp_path: Path) -> None:
    shutil.copytree(home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home")
    files = [tmp_path / name for name in ("request.xml", "predes.json", "late.xml")]
    files[0].write_bytes(as_ics2([HOUSE, {**HOUSE, "consignment_id": "H2", "consignor_address": None}], "R1"))
    files[1].write_text(json.dumps(PREDES))
    files[2].write_bytes(as_ics2([{**HOUSE, "consignment_id": "H3"}], "R2"))
    desk = open_desk(settings)
    scored = score(files, desk, Archive(settings.archive), NOW, expectations=False)
    assert (scored.received, scored.orientations.height, scored.refused.height) == (3, 3, 0)
    publish(scored, desk, tmp_path / "out", NOW, "messages")
    told = write_answers(scored, "csv", load_codes(), tmp_path / "out")
    assert [path.name for path in told] == ["request.xml.csv", "late.xml.csv"]
    with pytest.raises(NoSuchAnswer, match="answers an ICS2 message"):
        write_answers(scored, "IE4S02", load_codes(), tmp_path / "out")
    requests = score([files[0], files[2]], desk, Archive(settings.archive), NOW, expectations=False)
    told = write_answers(requests, "IE4S02", load_codes(), tmp_path / "out")
    assert [path.name for path in told] == ["request.xml.IE4S02.xml", "late.xml.IE4S02.xml"]
    assert b"'H3'" in told[1].read_bytes()


def test_a_policy_that_asks_for_what_the_model_lacks_is_not_promoted(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path / "home")
    shutil.copytree(home, settings.home)
    shutil.copytree(home / "artifacts", settings.artifacts, dirs_exist_ok=True)
    policy = tmp_path / "policy.toml"
    text = (settings.serving / "policy.toml").read_text(encoding="utf-8")
    policy.write_text(text.replace("identifiers_hits =", "office_hits_ever ="), encoding="utf-8")
    with pytest.raises(Fault, match="office_hits_ever"):
        promote(1, "A. Martin", "again", settings, NOW, policy=policy)
    assert (settings.serving / "policy.toml").read_text(encoding="utf-8") == text
    policy.write_text(text.replace("rate = 0.002", "rate = 0.004"), encoding="utf-8")
    bundle = promote(1, "A. Martin", "more chance", settings, NOW, policy=policy)
    assert bundle == settings.serving
    assert open_desk(settings).policy.random_rate == 0.004
    assert (bundle.with_name("tamis-v1.former") / "policy.toml").read_text(encoding="utf-8") == text
    monkeypatch.setenv("TAMIS_HOME", str(settings.home))
    done = CliRunner().invoke(app, ["bundles", "roll-back", "--by", "A. Martin", "--reason", "less chance"])
    assert done.exit_code == 0, done.output
    assert open_desk(settings).policy.random_rate == 0.002
    assert Registry(settings).version_of("champion") == 1
