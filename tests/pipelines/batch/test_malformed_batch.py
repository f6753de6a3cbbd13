"""A manifest with malformed lines scored by its command: received is scored and quarantined, each line by number."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import polars as pl

from pipelines.training.standard_policy import standard_policy
from service.scoring.bundle import seal, write_bundle
from service.serving.serving_bundle import seal_rules, serve
from service.settings import Settings
from service.store.database import open_store
from tests.features.messages.malformed import written
from tests.worlds import SmallWorld

ROWS = int(os.environ.get("TAMIS_MALFORMED_BATCH", "5000"))
REPOSITORY = Path(__file__).parents[3]


def test_every_line_is_scored_or_quarantined(small_world: SmallWorld, tmp_path: Path) -> None:
    """TAMIS_MALFORMED_BATCH: so many lines, a hundredth of them malformed, in one manifest."""
    shutil.copytree(small_world.home, tmp_path / "home")
    settings = Settings(home=tmp_path / "home")
    trained = small_world.trained
    folder = settings.bundles / "small"
    write_bundle(folder, trained.model, trained.golden, {"policy.toml": standard_policy(), "card.md": "small"})
    seal(folder, settings.keys, {"model_id": "small"})
    seal_rules(settings, standard_policy())
    serve(settings, "small")
    manifest = tmp_path / "large.csv"
    expected = written(manifest, ROWS)
    began = time.monotonic()
    command = [sys.executable, "-m", "pipelines.cli", "score", manifest, "--out", tmp_path / "out", "--no-expectations"]
    done = subprocess.run(
        [str(word) for word in command], cwd=REPOSITORY, env={**os.environ, "TAMIS_HOME": str(settings.home)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    took, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    told = pl.read_parquet(tmp_path / "out" / "quarantine.parquet")
    scored = pl.read_parquet(tmp_path / "out" / "orientations.parquet")
    assert summary["rows_received"] == ROWS == scored.height + told.height
    assert dict(told.select("line", "field").rows()) == expected
    assert told.filter(pl.col("reason").str.len_chars().eq(0) | pl.col("remedy").str.len_chars().eq(0)).is_empty()
    assert scored["consignment_id"].n_unique() == scored.height
    store = open_store(settings)
    with store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar() == scored.height
    store.close()
    print(f"{ROWS:,} lines in {took:.0f} s, {peak:.2f} GB: {scored.height:,} scored, {told.height:,} quarantined")
