"""The ladder in a small world: who judges what, and that full information beats everything else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from features.catalogue import INPUTS
from pipelines.benchmark import closed, over_seeds, table
from pipelines.benchmark.baselines import CEILING, DECLARED_INPUTS, OWN, PAST, RUNGS, by_chance, by_sender, rank
from pipelines.benchmark.truth_scores import judge
from pipelines.benchmark.world_evidence import Evidence, Size, as_customs_knew, gather, with_full_information

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
        knew.rows, knew.blind, knew.unlinked, knew.lot, knew.start,
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
    return Evidence(frame, rows, rows, rows, pl.Series(), start), np.array(margins)


def test_figures_by_hand() -> None:
    illicit = [True] * 2 + [False] * 98
    figures = judge(*world(*[5.0, 1.0], *np.linspace(4.9, 1.1, 98), illicit=illicit))
    assert (figures["precision at 1 %"], figures["recall at 1 %"], figures["recall at 5 %"]) == (1.0, 0.5, 0.5)
    assert figures["late scheme: recall at 5 %"] == figures["recall at 1 %: late_wave"] == 0.5
    assert math.isnan(figures["senders never seen: recall at 5 %"])
    assert figures["actors found per 1,000 checks at 1 %"] == 1000.0  # one check, one actor


def test_intervals_over_worlds() -> None:
    figures = [{"Tamis": {"x": value}} for value in (0.1, 0.2, 0.3)]
    told = over_seeds(figures, "Tamis", "x")
    assert told.mean == pytest.approx(0.2)
    assert told.half == pytest.approx(4.302653 * 0.1 / math.sqrt(3), rel=1e-5)
    assert table(figures, ["x"]).splitlines()[-1] == "| Tamis | 0.200 ± 0.248 |"


def test_the_command_writes_every_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from pipelines.cli import app

    small = ["--seeds", "1", "--days", "30", "--per-day", "400", "--judged-from", "24"]
    app(["ladder", *small, "--out", str(tmp_path / "f.json")], standalone_mode=False)
    assert "of the distance between raw LightGBM and full information" in capsys.readouterr().out.replace("\n", " ")
    assert set(pl.read_json(tmp_path / "f.json").columns) >= {"by chance", "sender rule", "Tamis", "full information"}
