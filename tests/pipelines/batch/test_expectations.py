"""The manifest as a whole: an honest day passes, a broken one fails where it is broken, a fault is no verdict."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest

from features.contract import gate_manifest
from pipelines.batch.expectations import Judgement, JudgingFault, judge, reference_of

LINES = 400


def manifest(lines: int = LINES) -> pl.DataFrame:
    """Accepted rows of an ordinary day: a quarter express, a tenth gifts, seven in ten from China."""
    i = pl.int_range(lines)
    raw = pl.select(
        consignment_id=pl.format("C{}", i),
        stream=pl.when(i % 4 == 0).then(pl.lit("express")).otherwise(pl.lit("postal")),
        lodged_at=pl.format("2026-03-02T{}:00:00Z", (i % 20).cast(pl.String).str.zfill(2)),
        office=pl.format("FRCDG{}", i % 6),
        dispatch_country=pl.when(i % 10 < 7).then(pl.lit("CN")).otherwise(pl.lit("GB")),
        nature=pl.when(i % 10 == 0).then(pl.lit("gift")).otherwise(pl.lit("sale")),
        gross_mass_kg=0.1 + (i % 9) / 10,
        consignor_name=pl.format("Sender {}", i % 30),
        consignee_name=pl.format("Addressee {}", i),
        description=pl.lit("cotton shirt"),
        hs_code=pl.lit("610910"),
        value=5.0 + i % 11,
        currency=pl.lit("EUR"),
    )
    gated = gate_manifest(raw, "day")
    assert gated.refused.is_empty()
    return gated.accepted


@pytest.fixture(scope="module")
def yesterday() -> Mapping[str, Any]:
    profile: Mapping[str, Any] = json.loads(json.dumps(reference_of(manifest())))
    return profile


def failed(judgement: Judgement) -> list[str]:
    return [e.what for e in judgement.expectations if not e.held]


def test_an_honest_day_holds_alone_and_against_yesterday(yesterday: Mapping[str, Any]) -> None:
    alone, beside = judge(manifest(450)), judge(manifest(450), yesterday)
    assert alone.held
    assert beside.held
    assert failed(beside) == []
    assert len(beside.expectations) > len(alone.expectations)
    seen = {e.what: e.observed for e in beside.expectations}
    assert seen["The manifest has at least one line"] == "450 lines"
    assert seen["Between 50 and 100 % of the lines state an HS code"] == "100.0 %"
    assert seen["Between 0 and 60 % of the lines are declared as gifts"] == "10.0 %"
    assert seen["The median value of a line is between 0.2 and 1,000 €"] == "10 €"
    assert seen["The lines name at least 3 offices; the reference had 6"] == "6 offices"


def test_a_column_that_came_empty_fails_its_own_expectations_only(yesterday: Mapping[str, Any]) -> None:
    told = failed(judge(manifest().with_columns(hs_code=pl.lit(None, pl.String)), yesterday))
    assert told == [
        "Between 50 and 100 % of the lines state an HS code",
        "Between 75 and 100 % of the lines state an HS code; 100.0 % in the reference",
    ]
    without = judge(manifest().drop("value", "office"))
    assert failed(without) == [
        "Between 90 and 100 % of the lines state a value",
        "The median value of a line is between 0.2 and 1,000 €",
        "The lines name at least one office",
    ]
    assert "nothing stated" in {e.observed for e in without.expectations}


def test_half_a_day_fails_the_volume(yesterday: Mapping[str, Any]) -> None:
    assert failed(judge(manifest(LINES // 2), yesterday)) == [
        "The manifest has between 222 and 720 lines; the reference had 400"
    ]


def test_a_shifted_mix_and_a_slipped_unit_fail(yesterday: Mapping[str, Any]) -> None:
    shifted = manifest().with_columns(
        dispatch_country=pl.lit("TR"), stream=pl.lit("express"), gross_mass_kg=pl.col("gross_mass_kg") * 1000
    )
    told = failed(judge(shifted, yesterday))
    assert [what.split(" ", 4)[-1] for what in told[1:3]] == [
        "% of the lines are express; 25.0 % in the reference",
        "% of the lines are dispatched from CN; 70.0 % in the reference",
    ]
    assert told[0] == "The median gross mass is between 0.01 and 50 kg"
    assert len(told) == 4
    assert told[3].startswith("The median gross mass is between 0.1")


def test_clocks_that_were_never_set_fail() -> None:
    first = pl.col("consignment_id") == "C0"
    epoch = pl.lit("1970-01-01T00:00:00Z").str.to_datetime(time_unit="us", time_zone="UTC")
    odd = manifest().with_columns(lodged_at=pl.when(first).then(epoch).otherwise("lodged_at"))
    assert failed(judge(odd)) == [
        "Every line was lodged between 2015 and 2100",
        "The first and the last line were lodged within 31 days",
    ]


def test_an_empty_manifest_fails_and_has_a_profile(yesterday: Mapping[str, Any]) -> None:
    nothing = manifest().clear()
    assert failed(judge(nothing)) == ["The manifest has at least one line"]
    assert len(failed(judge(nothing, yesterday))) == 2
    assert judge(manifest(), json.loads(json.dumps(reference_of(nothing)))).held  # no day to compare with


def test_what_cannot_be_judged_is_a_fault_and_no_verdict() -> None:
    text = manifest().with_columns(pl.col("gross_mass_kg").cast(pl.String))
    with pytest.raises(JudgingFault, match="could not judge 'The median gross mass"):
        judge(text)


def test_the_library_is_loaded_only_by_judging() -> None:
    asked = "import sys, pipelines.batch.expectations; print('great_expectations' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"


def test_a_profile_is_small_and_the_same_again() -> None:
    profile = reference_of(manifest())
    assert profile == reference_of(manifest().sample(fraction=1.0, shuffle=True, seed=3))
    assert profile["largest_dispatch_country"] == "CN"
    assert profile["lines"] == LINES
    assert len(json.dumps(profile)) < 500
