"""Planted truth is recovered: drift within three days, silence without it, a prevalence inside its interval.

The long forms, ten quiet worlds among them, run with TAMIS_PROVE=1 (`make prove`).
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path

import polars as pl
import pytest

from pipelines.monitor import Alarm, Evidence, load_thresholds, monitor
from pipelines.monitor.result_alarms import judge_inspected
from pipelines.monitor.watched_columns import declared
from pipelines.synthetic import build_world
from pipelines.synthetic.simulation import Simulation
from pipelines.synthetic.world_settings import World, load_world
from tests.worlds import consignments_of

PROVE = os.environ.get("TAMIS_PROVE") == "1"
RULES = load_thresholds()
START = date(2026, 1, 1)
NOTHING = {"day": -1, "value_factor": 1.0, "origin_shift": 0.0, "prevalence_factor": 1.0}
NO_DECISIONS = pl.DataFrame(
    schema={
        "consignment_id": pl.String,
        "day": pl.Date,
        "sender": pl.Int64,
        "risk": pl.Float64,
        "clearance": pl.String,
        "degraded": pl.Boolean,
        "mode": pl.String,
    }
)

NO_ROWS = pl.DataFrame(schema={"consignment_id": pl.String, "day": pl.Date, "sender": pl.Int64})


def _world(day: int = -1, **planted: float) -> World:
    return load_world().vary(drift={**NOTHING, "day": day, **planted})


def _alarms(folder: Path, world: World, days: int, per_day: int, seed: int) -> list[Alarm]:
    """All alarms of a world, whose every day is judged; results that became known after its end are not seen."""
    build_world(days, per_day, seed, folder, world=world)
    frame = declared(consignments_of(sorted((folder / "manifests").glob("*.parquet"))))
    volumes = frame.group_by("day").agg(consignments=pl.len().cast(pl.Int64)).sort("day")
    volumes = volumes.with_columns(rows=pl.col("consignments"), refused=pl.lit(0, pl.Int64))
    lodged = frame.select("consignment_id", "day").unique("consignment_id", keep="first")
    results = pl.concat(pl.read_parquet(file) for file in (folder / "outcomes").glob("*.parquet"))
    outcomes = results.join(lodged, on="consignment_id", how="left").with_columns(risk=pl.lit(None, pl.Float64))
    last = START + timedelta(days=days - 1)
    return list(monitor(Evidence(frame, volumes, NO_DECISIONS, NO_ROWS, outcomes), START, last, RULES).alarms)


KINDS = {
    "value": ({"value_factor": 1.8}, "declared value in euro"),
    "origin": ({"origin_shift": 0.25}, "country of dispatch"),
}
SHORT = [("value", 1), ("origin", 2)]
LONG = [(kind, seed) for kind in KINDS for seed in range(1, 6)]


@pytest.mark.parametrize(("kind", "seed"), LONG if PROVE else SHORT)
def test_a_planted_drift_rings_within_three_days_and_nothing_rings_before(kind: str, seed: int, tmp_path: Path) -> None:
    planted, what = KINDS[kind]
    days, per_day, day = (60, 1000, 45) if PROVE else (40, 500, 34)
    rung = _alarms(tmp_path, _world(day, **planted), days, per_day, seed)
    drifted = START + timedelta(days=day)
    assert [alarm.what for alarm in rung if alarm.rang_on < drifted] == []
    (alarm,) = [alarm for alarm in rung if alarm.what == what]
    assert alarm.since == drifted
    assert alarm.rang_on <= drifted + timedelta(days=2)
    assert alarm.ringing


@pytest.mark.skipif(not PROVE, reason="ten worlds take a minute: TAMIS_PROVE=1")
def test_ten_quiet_worlds_ring_no_alarm(tmp_path: Path) -> None:
    rung = {seed: _alarms(tmp_path / str(seed), _world(), 60, 1000, seed) for seed in range(1, 11)}
    assert {seed: alarms for seed, alarms in rung.items() if alarms} == {}


@lru_cache
def _covered(days: int, per_day: int, seed: int) -> tuple[bool, bool]:
    """Whether the intervals of the plain and of the weighted estimate hold the true share of offences, all ripe."""
    simulation = Simulation(_world(), days, per_day, seed, START)
    lodged = [simulation.lodge() for _ in range(days)]
    results = pl.concat(day.outcomes.with_columns(day=pl.lit(day.day), risk=pl.lit(None, pl.Float64)) for day in lodged)
    end = START + timedelta(days=days - 1 + RULES.estimates.ripe_days)
    found = judge_inspected(results, end, RULES)
    assert (found.first, found.last) <= (START, START + timedelta(days=days - 1))
    truth = float(pl.concat(day.truth for day in lodged)["illicit"].to_numpy().mean())
    plain, weighted = found.prevalence, found.weighted_prevalence
    return plain.low <= truth <= plain.high, weighted.low <= truth <= weighted.high


@pytest.mark.parametrize("estimate", [0, 1], ids=["random-arm", "weighted"])
def test_the_interval_of_the_prevalence_holds_the_truth(estimate: int) -> None:
    """Results are wrong at times, absent at times and late; the share of true offences is inside all the same."""
    days, per_day, seeds, least = (60, 1000, 40, 36) if PROVE else (40, 400, 5, 4)
    assert sum(_covered(days, per_day, seed)[estimate] for seed in range(1, seeds + 1)) >= least
