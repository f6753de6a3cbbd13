"""The ladder in a small world: who judges what, and that full information beats everything else."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.catalogue import INPUTS
from features.fault import Fault
from features.parties.graph import Graph
from features.parties.linking import link_with
from pipelines.benchmark import COLUMNS, OF_LINKING, closed, over_seeds, table, worlds_of, worst
from pipelines.benchmark.baselines import CEILING, DECLARED_INPUTS, OWN, PAST, RUNGS, by_chance, by_sender, rank
from pipelines.benchmark.network_quality import pairwise
from pipelines.benchmark.truth_scores import judge
from pipelines.benchmark.world_evidence import Evidence, Size, as_customs_knew, gather, with_full_information
from pipelines.synthetic import load_world, world_of

SIZE = Size(days=45, per_day=400, test_day=33)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> tuple[Evidence, Evidence]:
    """What customs knew, and everything."""
    consignments, outcomes, truth = gather(tmp_path_factory.mktemp("ladder"), 3, SIZE)
    knew = as_customs_knew(consignments, outcomes, truth, (*INPUTS, *DECLARED_INPUTS), SIZE)
    return knew, with_full_information(consignments, truth, INPUTS, SIZE)


def test_all_rungs_judge_the_same_days(seen: tuple[Evidence, Evidence]) -> None:
    knew, full = (one.frame.filter(pl.col("judged")) for one in seen)
    assert knew.select("lodged_at", "illicit", "scheme").equals(full.select("lodged_at", "illicit", "scheme"))
    assert knew["day"].unique().sort().to_list() == list(range(SIZE.days - SIZE.test_day))


def test_customs_knows_few_results_and_the_ceiling_all_findings(seen: tuple[Evidence, Evidence]) -> None:
    knew, full = (one.frame for one in seen)
    assert knew["hit"].is_not_null().to_numpy().mean() < 0.1
    assert full.filter("illicit")["hit"].to_list() == [True] * int(full["illicit"].sum())
    assert (full["known_at"] - full["lodged_at"]).drop_nulls().unique().to_list() == [timedelta(days=1)]


def test_full_information_stands_above_everything(seen: tuple[Evidence, Evidence]) -> None:
    knew, full = seen
    at_the_top = "precision at 1 %"
    others = [judge(knew, by_chance(knew)), judge(knew, by_sender(knew)), *(judge(knew, *rank(r, knew)) for r in RUNGS)]
    highest = judge(full, *rank(CEILING, full))
    assert highest[at_the_top] > 0.4 + max(figures[at_the_top] for figures in others[:2])
    assert all(highest[at_the_top] > figures[at_the_top] for figures in others)
    named = dict(zip((rung.name for rung in RUNGS), others[2:], strict=True))
    figures = [{"by chance": others[0], **named, CEILING.name: highest}]
    assert closed(figures).mean == (named[OWN][at_the_top] - others[2][at_the_top]) / (
        highest[at_the_top] - others[2][at_the_top]
    )


def test_results_of_a_day_teach_nobody_before_they_are_known(seen: tuple[Evidence, Evidence]) -> None:
    """A ranking learned from results turned round after the last refit is the same."""
    knew = seen[0]
    late = pl.col("known_at") >= knew.start + timedelta(days=10)
    turned = Evidence(
        knew.frame.with_columns(pl.when(late).then(~pl.col("hit")).otherwise("hit").alias("hit")),
        knew.rows, knew.blind, knew.unlinked, knew.lot, knew.start, knew.world,
    )  # fmt: skip
    early = (knew.frame.filter("judged")["day"] < 10).to_numpy()
    assert knew.frame.filter(late).height > 0
    assert np.array_equal(rank(RUNGS[1], knew)[0][early], rank(RUNGS[1], turned)[0][early])


def test_without_history_the_past_is_unknown(seen: tuple[Evidence, Evidence]) -> None:
    assert len(PAST) > 20
    assert seen[0].blind.select(PAST).null_count().sum_horizontal().item() == len(PAST) * seen[0].blind.height


def world(*margins: float, illicit: Sequence[bool]) -> tuple[Evidence, np.ndarray]:
    """A day of consignments with these margins."""
    size = len(margins)
    frame = pl.DataFrame(
        {
            "judged": [True] * size, "day": [0] * size, "illicit": list(illicit), "new_sender": [False] * size,
            "scheme": ["late_wave" if one else "honest" for one in illicit],
            "actor_id": [f"X{place}" if one else f"H{place}" for place, one in enumerate(illicit)],
        }
    )  # fmt: skip
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = pl.DataFrame()
    return Evidence(frame, rows, rows, rows, pl.Series(), start, load_world()), np.array(margins)


def test_figures_by_hand() -> None:
    illicit = [True] * 2 + [False] * 98
    figures = judge(*world(*[5.0, 1.0], *np.linspace(4.9, 1.1, 98), illicit=illicit))
    assert (figures["precision at 1 %"], figures["recall at 1 %"], figures["recall at 5 %"]) == (1.0, 0.5, 0.5)
    assert figures["held-back scheme: recall at 5 %"] == figures["recall at 1 %: late_wave"] == 0.5
    assert figures["precision at 5 %"] == 0.2
    assert figures["average precision"] == pytest.approx((1 + 2 / 100) / 2)
    assert math.isnan(figures["senders never seen: recall at 5 %"])
    assert figures["actors found per 1,000 checks at 1 %"] == 1000.0  # one check, one actor


def test_calibration_is_measured_against_the_truth_and_against_what_inspections_find() -> None:
    """A perfect guess of findings is one against findings only: inspections miss some and accuse others."""
    planted = load_world().vary(inspection={"missed_share": 0.1, "false_alarm_share": 0.05})
    evidence, margin = world(*np.linspace(2, 1, 200), illicit=[True] * 20 + [False] * 180)
    evidence = replace(evidence, world=planted)
    wrong = 0.05 / 0.95 * 0.9 * 20 / 180
    figures = judge(evidence, margin, np.array([0.9] * 20 + [wrong] * 180))
    assert figures["calibration error against findings"] == pytest.approx(0.0, abs=1e-12)
    assert figures["calibration error"] == pytest.approx(0.1 * 0.1 + 0.9 * wrong)


def test_intervals_and_the_worst_over_worlds() -> None:
    figures = [{"Tamis": {"x": value, "calibration error": value}} for value in (0.1, 0.2, 0.3)]
    told = over_seeds(figures, "Tamis", "x")
    assert told.mean == pytest.approx(0.2)
    assert told.half == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-5)
    assert (worst(figures, "Tamis", "x"), worst(figures, "Tamis", "calibration error")) == (0.1, 0.3)
    assert table(figures, ["x"]).splitlines()[-1] == "| Tamis | 0.200 ± 0.248 (0.100) |"
    assert table([{"a": {"y": 1.0}, "b": {"x": 1.0}}], ["x"]).splitlines()[2:] == ["| b | 1.000 |"]


def test_what_is_reported_was_not_tuned_on() -> None:
    reporting, tuning = worlds_of("family", "10"), worlds_of("family", "3", tuning=True)
    assert (len(reporting.seeds), reporting.seeds[0], tuning.seeds) == (10, 101, (1, 2, 3))
    assert reporting.name.endswith("seeds 101 to 110, for reporting")
    assert worlds_of("family", "5, 7-8").name.endswith("seeds 5, 7, 8, for tuning")
    assert worlds_of("family", "5,105").name.endswith("not for reporting")
    assert reporting.world_of(101) == world_of(101) != world_of(102)
    assert worlds_of("classic", "2").world_of(1).schemes == load_world().schemes
    assert worlds_of("family", "140").seeds == (140,)
    for wrong in ("", "0", "x", "9-3", "1,,2", "-4"):
        with pytest.raises(Fault, match="101-105"):
            worlds_of("family", wrong)


def test_networks_against_the_truth(tmp_path: Path) -> None:
    consignments, _, truth = gather(tmp_path, 3, Size(days=5, per_day=200, test_day=3))
    graph = Graph()
    link_with(consignments, graph)
    found = pairwise(consignments, graph.network_of, truth)
    one = pairwise(consignments, dict.fromkeys(graph.network_of, 0), truth)
    assert (one["recall"], one["largest network"]) == (1.0, 1.0)
    assert found["precision"] > one["precision"]
    assert 0 < found["largest network"] < 0.1


@pytest.mark.parametrize("world", ["family", "classic"])
def test_the_command_writes_every_figure(world: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli import app

    seeds = ["--seeds", "101,103" if world == "family" else "1"]
    small = ["--world", world, "--days", "30", "--per-day", "400", "--judged-from", "22"]
    app(["ladder", *seeds, *small, "--out", str(tmp_path / "f.json")], standalone_mode=False)
    text = capsys.readouterr().out.replace("\n", " ")
    assert "of the distance between raw LightGBM and full information" in text
    assert ("seeds 101, 103, for reporting" in text) == (world == "family")
    written = json.loads((tmp_path / "f.json").read_text("utf-8"))
    assert len(written) == (2 if world == "family" else 1)
    for figures in written:
        assert set(figures) >= {"by chance", "sender rule", "Tamis", "full information", "linking"}
        assert figures["linking"].keys() >= set(OF_LINKING)
        assert figures["Tamis"]["average precision"] < figures["full information"]["average precision"]
        assert figures["Tamis"].keys() >= set(COLUMNS)


def test_seeds_that_are_none_are_refused() -> None:
    from pipelines.cli import app

    with pytest.raises(Fault, match="101-105"):
        app(["benchmark", "--seeds", "many"], standalone_mode=False)
