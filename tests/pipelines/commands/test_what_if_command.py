"""What-if: what other numbers of checks would have changed, counted where it is known and foretold where it is not."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.fault import Fault
from features.messages import Message
from features.messages.flat import read_flat
from pipelines.cli import app
from pipelines.training.standard_policy import standard_policy
from service.officers.what_if import ALL, RECORD, record_of, what_if
from service.scoring.bundle import seal, write_bundle
from service.settings import Settings
from service.targeting import target
from tests.worlds import SmallWorld

DAY = date(2026, 3, 2)


def recorded(days: int = 28, per_day: int = 200, checks: int = 20, seed: int = 3, skew: float = 1.0) -> pl.DataFrame:
    """An office that opens the riskiest of each day; findings come as their risks say, times `skew`."""
    rng = np.random.default_rng(seed)
    parts = []
    for nth in range(days):
        risk = np.sort(rng.beta(0.3, 4, per_day))[::-1]
        hit = rng.random(per_day) < np.minimum(skew * risk, 1)
        opened = np.arange(per_day) < checks
        told = {
            "consignment_id": [f"{nth}-{i}" for i in range(per_day)], "day": [DAY + timedelta(days=nth)] * per_day,
            "risk": risk, "checked": opened, "selection": np.where(opened, "risk", "none"),
            "hit": [bool(h) if o else None for h, o in zip(hit, opened, strict=True)],
            "findings": ["counterfeit" if h and o else None for h, o in zip(hit, opened, strict=True)],
        }  # fmt: skip
        parts.append(pl.DataFrame(told, schema=RECORD))
    return pl.concat(parts)


def test_as_many_checks_change_nothing() -> None:
    told = what_if(recorded(), 20)
    assert (told.moved, told.checks) == (0, 20.0)
    assert all((one.mean, one.low, one.high) == (0.0, 0.0, 0.0) for one in told.change.values())


def test_fewer_checks_miss_just_what_the_last_opened_ones_held() -> None:
    record = recorded()
    told = what_if(record, 12)
    last = record.filter(pl.col("checked")).filter(pl.col("risk").rank("ordinal").over("day") <= 8)
    assert told.moved == 28 * 8
    assert told.change[ALL].mean == pytest.approx(-last["hit"].sum(), rel=0.03)
    assert told.change["counterfeit"].mean == told.change[ALL].mean
    assert told.change["dangerous"].mean == 0
    change = told.change[ALL]
    assert change.least < change.low < change.mean < change.high <= 0 < change.most - change.high


@pytest.mark.parametrize("skew", [0.5, 1.0, 1.5])
def test_more_checks_are_foretold_by_risks_as_they_have_held(skew: float) -> None:
    inside, wide = 0, 12
    for seed in range(wide):
        now, more = (recorded(checks=checks, seed=seed, skew=skew) for checks in (20, 30))
        change = what_if(now, 30).change[ALL]
        came = int(more["hit"].sum()) - int(now["hit"].sum())
        inside += change.low <= came <= change.high
    assert inside >= 0.9 * wide - 1


def test_what_rules_and_chance_ask_for_stays() -> None:
    record = recorded(days=5).with_columns(
        pl.when(pl.col("checked")).then(pl.lit("random")).otherwise("selection").alias("selection")
    )
    assert what_if(record, 5).moved == 0


def test_what_is_not_worth_a_check_is_not_opened_however_many_there_are() -> None:
    record = recorded(days=3)
    assert what_if(record, 10_000, least_risk=0.999).moved == 0
    assert what_if(record, 10_000).moved == record.filter(~pl.col("checked")).height


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 40), st.integers(0, 40))
def test_more_checks_never_find_less(one: int, other: int) -> None:
    record = recorded(days=6, per_day=60)
    fewer, more = (what_if(record, checks).change[ALL].mean for checks in sorted((one, other)))
    assert fewer <= more + 1e-9


def test_results_that_are_still_out_are_foretold() -> None:
    record = recorded().with_columns(pl.when(pl.col("day") < DAY + timedelta(days=14)).then("hit").alias("hit"))
    told = what_if(record, 10)
    assert told.change[ALL].mean == pytest.approx(what_if(recorded(), 10).change[ALL].mean, rel=0.35)


@pytest.mark.parametrize("known_days", [0, 1, 3, 14, 28])
@pytest.mark.parametrize("other", [0, 1, 10, 19, 40])
@pytest.mark.parametrize("days", [3, 28])
def test_nothing_is_ever_missed_that_was_not_found(known_days: int, other: int, days: int) -> None:
    until = DAY + timedelta(days=known_days)
    record = recorded(days=days).with_columns(
        pl.when(pl.col("day") < until).then("hit").alias("hit"),
        pl.when(pl.col("day") < until).then("findings").alias("findings"),
    )
    told = what_if(record, other)
    for kind, change in told.change.items():
        bounds = (change.mean, change.low, change.high, change.least, change.most)
        assert min(bounds) + told.found[kind] >= 0
        assert 0 <= told.awaited[kind] <= told.found[kind]
    known = record.filter("checked")["hit"].sum()
    assert told.found[ALL] - told.awaited[ALL] == pytest.approx(known)
    assert (told.awaited[ALL] > 0) == (known_days < days)


def test_an_office_without_a_record_says_so() -> None:
    with pytest.raises(Fault, match="no decisions"):
        what_if(RECORD.to_frame(), 5)


def test_the_record_is_read_from_the_store_and_told(
    small_world: SmallWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    desk = small_world.desk(tmp_path)
    message = Message(
        read_flat(small_world.last_day).rows, "day", small_world.end + timedelta(days=1), competing="message"
    )
    decided = target(message, desk).rows
    office = max({row["office"] for row in decided}, key=lambda o: sum(row["office"] == o for row in decided))
    record = record_of(desk.journal.store, office, small_world.end.date(), small_world.end.date())
    mine = [row for row in decided if row["office"] == office]
    assert record.height == len({row["consignment_id"] for row in mine})
    assert record["checked"].sum() == sum(row["check"] == "physical" for row in mine)
    home = Settings(home=tmp_path)
    texts = {"policy.toml": standard_policy(), "card.md": "small"}
    write_bundle(home.bundles / "small", small_world.trained.model, small_world.trained.golden, texts)
    seal(home.bundles / "small", home.keys, {"model_id": "small"})
    home.champion.write_text("small", encoding="utf-8")
    monkeypatch.setenv("TAMIS_HOME", str(tmp_path))
    day = f"{small_world.end:%Y-%m-%d}"
    app(["what-if", "--office", office, "--physical", "1", "--from", day, "--to", day], standalone_mode=False)
    told = capsys.readouterr().out
    assert f"Office {office} made" in told
    assert "all" in told
