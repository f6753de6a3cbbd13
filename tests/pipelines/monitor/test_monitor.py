"""Every alarm can ring and can stay silent; the command tells it, writes it, and fails when told to."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from features.fault import Fault
from pipelines.batch.archive import Archive
from pipelines.batch.ingest import keep_quarantine, read_manifest
from pipelines.batch.score import score
from pipelines.cli import app
from pipelines.monitor import Alarm, Evidence, load_thresholds, monitor
from pipelines.monitor.monitor_evidence import refused_rows
from pipelines.monitor.thresholds import KINDS, BadThresholds
from pipelines.monitor.watched_columns import DECLARED_COLUMNS, ELEMENTS, MISSING
from tests.worlds import SmallWorld

RULES = load_thresholds()
START, DAYS, A_DAY = date(2026, 1, 1), 110, 200
LAST = START + timedelta(days=DAYS - 1)
CHANGE = START + timedelta(days=DAYS - 3)  # on the third day from the end
AFTER = pl.col("day") >= CHANGE
SHIPPED = Path(__file__).parents[3] / "pipelines" / "monitor" / "monitor.toml"


def _calm(seed: int = 0) -> Evidence:
    """Traffic on which nothing ever changes."""
    rng = np.random.default_rng(seed)
    size = DAYS * A_DAY
    day = pl.Series(np.repeat(np.arange(DAYS), A_DAY)).cast(pl.Int32) + (START - date(1970, 1, 1)).days
    key = {"consignment_id": pl.int_range(size, eager=True).cast(pl.String), "day": day.cast(pl.Date)}
    sender = pl.Series(rng.integers(0, size, size))
    numbers = {w.name: rng.lognormal(2, 1, size) for w in DECLARED_COLUMNS if w.kind == "number"}
    levels = {
        w.name: rng.choice(["A", "B", "C"], size, p=[0.7, 0.2, 0.1]) for w in DECLARED_COLUMNS if w.kind == "level"
    }
    missing = {f"no_{name}": rng.random(size) < 0.1 for name in ELEMENTS}
    declared = pl.DataFrame({**key, "sender": sender, **numbers, **levels, **missing})
    risk = rng.beta(1, 19, size)
    lane = np.where(risk > 0.2, "red", "green")
    decided = pl.DataFrame({**key, "sender": sender, "risk": risk, "clearance": lane, "degraded": [False] * size})
    decided = decided.with_columns(mode=pl.lit("full"))
    volumes = declared.group_by("day").agg(consignments=pl.len().cast(pl.Int64)).sort("day")
    volumes = volumes.with_columns(rows=pl.col("consignments"), refused=pl.lit(0, pl.Int64))
    scored = declared.select("consignment_id", "day", "sender", score_input=pl.col("value_eur") + 1)
    return Evidence(declared, volumes, decided, scored, _inspected(decided, rng))


def _inspected(decided: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """One in twenty by chance, one in twenty by risk, which finds twice as much; results after a day to ten."""
    draw = rng.random(decided.height)
    seen = decided.select("consignment_id", "day", "risk").with_columns(draw=draw).filter(pl.col("draw") < 0.1)
    chance = pl.col("draw") < 0.05
    u, days = rng.random(seen.height), rng.integers(1, 11, seen.height)
    share = pl.when(chance).then("risk").otherwise(pl.col("risk") * 2)
    absent = pl.when(pl.Series(rng.random(seen.height)) < 0.04).then(pl.lit("not_presented"))
    result = absent.when(pl.Series(u) < share).then(pl.lit("non_compliant")).otherwise(pl.lit("compliant"))
    return seen.with_columns(
        result=result,
        selection=pl.when(chance).then(pl.lit("random")).otherwise(pl.lit("risk")),
        selection_probability=pl.lit(0.1),
        known_at=pl.col("day").cast(pl.Datetime("us", "UTC")) + pl.Series(days).cast(pl.Int64) * pl.duration(days=1),
    )


CALM = _calm()


def _alarms(evidence: Evidence) -> list[Alarm]:
    return list(monitor(evidence, CHANGE - timedelta(days=7), LAST, RULES).alarms)


def _declared(*columns: pl.Expr) -> Evidence:
    return replace(CALM, declared=CALM.declared.with_columns(columns))


def _decided(*columns: pl.Expr) -> Evidence:
    return replace(CALM, decided=CALM.decided.with_columns(columns))


def _volumes(**columns: pl.Expr) -> Evidence:
    return replace(CALM, volumes=CALM.volumes.with_columns(**columns))


def _outcomes(when: pl.Expr, result: str, share: float) -> Evidence:
    """A share of the results of a kind become `result`."""
    turned = when & (pl.int_range(pl.len()) % 100 < share * 100)
    changed = pl.when(turned).then(pl.lit(result)).otherwise("result").alias("result")
    return replace(CALM, outcomes=CALM.outcomes.with_columns(changed))


LATELY = pl.col("day") > LAST - timedelta(days=RULES.estimates.ripe_days + RULES.estimates.recent_days)
BY_CHANCE = pl.col("selection") == "random"
KNOWN_LATELY = pl.col("known_at").dt.date() > LAST - timedelta(days=RULES.not_presented.recent_days)
PLANTED: dict[str, Callable[[], Evidence]] = {
    "inputs": lambda: _declared(pl.when(AFTER).then(pl.col("value_eur") * 2).otherwise("value_eur")),
    "missing": lambda: _declared(pl.when(AFTER & (pl.col("lines") > 7)).then(True).otherwise("no_hs_code")
                                 .alias("no_hs_code")),
    "model_inputs": lambda: replace(CALM, scored=CALM.scored.with_columns(
        pl.when(AFTER).then(None).otherwise("score_input").alias("score_input"))),
    "scores": lambda: _decided(pl.when(AFTER).then(pl.col("risk") * 2).otherwise("risk").alias("risk")),
    "degraded": lambda: _decided((AFTER & (pl.col("sender") % 20 == 0)).alias("degraded")),
    "volume": lambda: _volumes(consignments=pl.when(AFTER).then(A_DAY // 2).otherwise("consignments")),
    "refused": lambda: _volumes(refused=pl.when(AFTER).then(10).otherwise("refused")),
    "prevalence": lambda: _outcomes(LATELY & BY_CHANCE, "non_compliant", 0.12),
    "hit_rate": lambda: _outcomes(~BY_CHANCE, "compliant", 0.9),
    "calibration": lambda: _outcomes(BY_CHANCE, "non_compliant", 0.1),
    "not_presented": lambda: _outcomes(KNOWN_LATELY, "not_presented", 0.2),
}  # fmt: skip


def test_calm_traffic_rings_nothing() -> None:
    seen = monitor(CALM, START, LAST, RULES)
    assert seen.alarms == ()
    assert seen.unsaid == ("overrides: no overrides on record",)  # everything else was judged


@pytest.mark.parametrize("kind", KINDS)
def test_every_alarm_rings_within_three_days_with_its_remedy(kind: str) -> None:
    rung = _alarms(PLANTED[kind]())
    (alarm,) = [alarm for alarm in rung if alarm.kind == kind]
    if kind not in ("prevalence", "hit_rate", "calibration"):  # more hits are all of these
        assert len(rung) == 1
    assert alarm.ringing
    assert alarm.figure > alarm.threshold
    assert "→" in alarm.moved or "chance" in alarm.moved
    assert alarm.what
    assert alarm.remedy == RULES.remedies[kind]
    if kind not in ("prevalence", "hit_rate", "calibration", "not_presented"):  # those name the span of the results
        assert alarm.since == CHANGE
        assert alarm.rang_on < CHANGE + timedelta(days=3)


def test_a_day_without_any_traffic_rings() -> None:
    gone = replace(CALM, volumes=CALM.volumes.filter(pl.col("day") != CHANGE))
    (alarm,) = _alarms(gone)
    assert (alarm.kind, alarm.since, alarm.until, alarm.ringing) == ("volume", CHANGE, CHANGE, False)
    assert alarm.moved == "200 usual → 0"


def test_one_odd_day_is_no_drift() -> None:
    odd = pl.col("day") == CHANGE
    assert _alarms(_declared(pl.when(odd).then(pl.col("value_eur") * 3).otherwise("value_eur"))) == []


def test_what_flickers_is_one_alarm() -> None:
    on = pl.col("day").is_in([CHANGE + timedelta(days=n) for n in (-6, -5, -1, 0)])
    (alarm,) = _alarms(_declared(pl.when(on).then(pl.col("pieces") * 3).otherwise("pieces")))
    assert (alarm.since, alarm.rang_on) == (CHANGE - timedelta(days=6), CHANGE - timedelta(days=5))
    assert (alarm.until, alarm.ringing) == (CHANGE, False)


def test_what_rests_on_too_little_is_named_and_not_judged() -> None:
    declared, volumes = CALM.declared.head(10 * A_DAY), CALM.volumes.head(10)
    few = Evidence(declared, volumes, CALM.decided.head(0), CALM.scored.head(0), CALM.outcomes.head(0))
    seen = monitor(few, START, START + timedelta(days=9), RULES)
    assert seen.alarms == ()
    said = {why.split(": ")[0].replace(" ", "_") for why in seen.unsaid}
    assert said == {*KINDS, "overrides"} - {"refused"}


def test_results_of_the_last_days_do_not_count_yet() -> None:
    """Only clean results are known of the last days: counted, they would hide offences."""
    unripe = pl.col("day") > LAST - timedelta(days=RULES.estimates.ripe_days)
    clean = replace(CALM, outcomes=CALM.outcomes.filter(~unripe | (pl.col("result") == "compliant")))
    found, whole = (monitor(e, START, LAST, RULES).inspected for e in (clean, CALM))
    assert found.prevalence == whole.prevalence
    assert found.last == LAST - timedelta(days=RULES.estimates.ripe_days)


def test_every_threshold_has_its_sentence_and_every_alarm_its_remedy() -> None:
    text = SHIPPED.read_text(encoding="utf-8")
    settings = [line for line in text.split("[remedies]")[0].splitlines() if re.match(r"\w+ = ", line)]
    assert len(settings) > 20
    assert [line for line in settings if not re.search(r"# .{10,}", line)] == []
    assert sorted(RULES.remedies) == sorted(KINDS)
    assert all(len(remedy) > 60 for remedy in RULES.remedies.values())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("psi = 0.1", "ppsi = 0.1", "ppsi"),
        ("psi = 0.1", 'psi = "much"', "psi"),
        ("psi = 0.1", "psi = -1", "psi"),
        ("least_days = 14", "least_days = 1.5", "least_days"),
        ("[volume]", "[loudness]", "volume"),
        ("volume = ", "loudness = ", "remedies"),
        ("[drift]", "[drift", "no TOML"),
    ],
)
def test_thresholds_that_make_no_sense_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "thresholds.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadThresholds, match=said):
        load_thresholds(path)


@pytest.fixture(scope="module")
def home(small_world: SmallWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with nineteen days in the archive and one day decided; its first 300 lines of day nineteen refused."""
    folder = tmp_path_factory.mktemp("monitor") / "home"
    desk = small_world.desk(folder)
    score([small_world.last_day], desk, _archive(folder), small_world.end + timedelta(days=1), expectations=False)
    spoiled = folder.parent / "spoiled.parquet"
    lines = pl.read_parquet(small_world.manifests[-2]).head(300)
    lines.with_columns(pl.lit("pigeon").alias("stream")).write_parquet(spoiled)
    keep_quarantine(read_manifest(spoiled)[1].refused, folder / "quarantine", spoiled.name)
    return folder


def _archive(folder: Path) -> Archive:
    return Archive(folder / "archive")


def test_refused_rows_are_counted_on_the_day_they_name(home: Path, small_world: SmallWorld) -> None:
    assert refused_rows(home / "quarantine") == {date.fromisoformat(small_world.manifests[-2].stem): 300}


def test_the_command_tells_and_writes(home: Path, tmp_path: Path, small_world: SmallWorld) -> None:
    done = CliRunner().invoke(app, ["monitor", "--out", str(tmp_path)], env={"TAMIS_HOME": str(home)})
    assert done.exit_code == 0, done.output
    assert "ALARM  refused: rows refused by the gate" not in done.output  # it was over on the last day
    for said in ("refused: rows refused by the gate", "prevalence by the random arm", "no overrides on record"):
        assert said in done.output
    written = json.loads((tmp_path / "monitor.json").read_text(encoding="utf-8"))
    assert written["last"] == small_world.last_day.stem
    assert written["decisions"] == pl.read_parquet(small_world.last_day)["consignment_id"].n_unique()
    (alarm,) = [alarm for alarm in written["alarms"] if alarm["kind"] == "refused"]
    assert alarm["figure"] > alarm["threshold"]
    assert alarm["since"] == small_world.manifests[-2].stem


def test_the_exit_code_tells_that_an_alarm_rings(home: Path, tmp_path: Path, small_world: SmallWorld) -> None:
    asked = ["monitor", "--to", small_world.last_day.stem, "--out", str(tmp_path), "--fail-on-alarm"]
    done = CliRunner().invoke(app, asked, env={"TAMIS_HOME": str(home)})
    assert isinstance(done.exception, Fault)
    assert re.match(r"1 alarm rings on .*: refused \(rows refused by the gate\)", str(done.exception))
    assert (tmp_path / "monitor.json").exists()


def test_an_empty_archive_is_a_fault_that_names_the_remedy(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["monitor"], env={"TAMIS_HOME": str(tmp_path / "none")})
    assert isinstance(done.exception, Fault)
    assert "tamis ingest" in str(done.exception)


def test_decisions_on_record_give_the_risk_and_the_reason(home: Path, small_world: SmallWorld, tmp_path: Path) -> None:
    """Outcomes that say nothing of their selection get it from the decision."""
    from pipelines.monitor.monitor_evidence import gather
    from service.journal import Journal
    from service.settings import Settings
    from service.store.database import Store

    folder = tmp_path / "home"
    shutil.copytree(home, folder)
    journal = Journal(Store(Settings(home=folder).store_address))
    day = small_world.end.date()
    drawn = journal.decided(day, day).filter(pl.col("selection") == "random").head(1)
    outcome = {"consignment_id": drawn["consignment_id"][0], "known_at": datetime.combine(day, time(23), UTC)}
    empty = _archive(folder).outcomes().head(0)
    known = pl.DataFrame([outcome | {"result": "compliant"}], schema_overrides=empty.schema)
    _archive(folder).keep_outcomes(pl.concat([empty, known], how="diagonal"))
    evidence = gather(_archive(folder), journal, folder / "quarantine", [day], lambda _: None)
    (found,) = evidence.outcomes.filter(pl.col("consignment_id") == outcome["consignment_id"]).to_dicts()
    assert found["selection"] == "random"
    assert found["day"] == day
    assert found["risk"] == drawn["risk"][0]
    assert found["selection_probability"] == drawn["selection_probability"][0]
    assert {"value_eur", "consignor_hit_rate"} <= set(evidence.scored.columns)
    assert evidence.scored.height == evidence.declared.height  # amendments are decided anew; the last decision counts
    assert evidence.decided.height == evidence.declared["consignment_id"].n_unique()


def test_every_watched_column_is_filled_in_the_small_world(home: Path, small_world: SmallWorld) -> None:
    from pipelines.monitor.watched_columns import declared

    day = small_world.end - timedelta(days=1)
    frame = declared(_archive(home).consignments(day, small_world.end))
    assert [w.name for w in (*DECLARED_COLUMNS, *MISSING) if frame[w.name].null_count() == frame.height] == []
    shares = frame.select(pl.col(f"no_{name}").mean() for name in ("consignor_phone", "consignor_email", "hs_code"))
    assert all(0.03 < share < 0.8 for share in shares.row(0))
