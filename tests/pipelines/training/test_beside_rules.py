"""Whether a first model is shown to beat rules: by drawn checks of what it would send, weighted by their chances."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.assemble import Rows
from features.catalogue import Input
from pipelines.training.beside_rules import beside_rules
from pipelines.training.shown_beside_rules import Shown, as_metrics, from_metrics, in_words, shown_better
from pipelines.training.training_frame import TrainingFrame
from tests.features.conftest import consignments_of, no_history, nothing_fitted, row

INPUTS = (Input("tell", "number", {"en": "tell", "fr": "tell", "zh": "tell"}),)
START = datetime(2026, 1, 1, tzinfo=UTC)
CHECKS, DAYS = 600, 30
TELLING = 0.97  # of the tells: from here on a consignment is illicit, where the tell says anything


def frame_of(*, says: bool, drawn: str = "exploration", late: float = 0.0) -> TrainingFrame:
    """Six hundred checks of thirty days, drawn by weight from forty thousand; a tenth of them has a finding.

    says: whether the tell says which. late: the share of the days before which no finding is known.
    """
    rng = np.random.default_rng(7)
    tell = np.where(rng.random(CHECKS) < 0.1, rng.uniform(TELLING, 1.0, CHECKS), rng.uniform(0.0, TELLING, CHECKS))
    hit = (tell >= TELLING) if says else rng.random(CHECKS) < 0.1
    at = [START + timedelta(days=DAYS * n / CHECKS) for n in range(CHECKS)]
    known = [
        max(when + timedelta(days=1), START + timedelta(days=DAYS * late * found))
        for when, found in zip(at, hit, strict=True)
    ]
    chance = np.where(tell >= TELLING, 0.05, 0.01)
    facts = pl.DataFrame(
        {"lodged_at": at, "known_at": known, "hit": hit, "selection": drawn, "selection_probability": chance,
         "grave": pl.Series([None] * CHECKS, dtype=pl.Boolean), "findings": pl.Series([None] * CHECKS, dtype=pl.String)}
    )  # fmt: skip
    ordinary = rng.uniform(0.0, 1.0, 20_000)
    one = consignments_of(row(consignment_id="C1"))
    return TrainingFrame(
        rows_of(tell), facts, one, no_history(), rows_of(ordinary), nothing_fitted(), 40_000, START,
        START + timedelta(days=DAYS + 1),
    )  # fmt: skip


def rows_of(tell: np.ndarray) -> Rows:
    return Rows.of_frame(pl.DataFrame({"row": np.arange(len(tell), dtype=np.uint32), "tell": tell}))


def test_a_model_that_finds_what_rules_draw_now_and_then_is_shown_to_find_more() -> None:
    shown = beside_rules(frame_of(says=True), INPUTS)
    assert shown_better(shown)
    assert all(one.share > 0.9 and one.low > 0.5 > one.found and one.checks >= 10 for one in shown)


def test_a_model_of_noise_is_not() -> None:
    shown = beside_rules(frame_of(says=False), INPUTS)
    assert not shown_better(shown)
    assert all(one.low <= one.found for one in shown)


def test_one_week_is_no_proof() -> None:
    frame = frame_of(says=True, late=0.95)  # nearly all findings became known within the last days
    today, before = beside_rules(frame, INPUTS)
    assert (today.better, before.better) == (True, False)
    assert not shown_better([today, before])


def test_a_check_stands_for_as_many_as_its_chance_says() -> None:
    frame = frame_of(says=True)
    rare = pl.when(pl.col("hit")).then(0.9).otherwise(0.0005).alias("selection_probability")
    of_hits = beside_rules(replace(frame, facts=frame.facts.with_columns(rare)), INPUTS)
    plain = beside_rules(frame, INPUTS)
    assert all(one.share <= other.share for one, other in zip(of_hits, plain, strict=True))


@pytest.mark.parametrize("drawn", ["random", "rule"])
def test_only_what_was_drawn_with_a_known_chance_proves_anything(drawn: str) -> None:
    shown = beside_rules(frame_of(says=True, drawn=drawn), INPUTS)
    assert shown_better(shown) == (drawn == "random")
    assert (shown[0].checks > 0) == (drawn == "random")


def test_what_looks_well_where_rules_look_too_is_no_proof_of_the_rest() -> None:
    frame = frame_of(says=True)
    certain = pl.lit(1.0).alias("selection_probability")  # looked at anyway: each stands for itself alone
    few = beside_rules(replace(frame, facts=frame.facts.with_columns(certain)), INPUTS)
    assert all(one.better for one in few)
    assert few[0].covered < 1 / 3
    assert not shown_better(few)


def test_too_few_results_show_nothing() -> None:
    frame = frame_of(says=True)
    few = replace(frame, facts=frame.facts.head(40), rows=Rows.of_frame(frame.rows.frame.head(40)))
    assert beside_rules(few, INPUTS) == (Shown(), Shown())


def test_what_was_shown_is_kept_with_the_version_and_said() -> None:
    shown = (Shown(30, 0.4, 0.5, 0.33, 0.2), Shown(20, 0.2, 0.4, 0.22, 0.21))
    assert from_metrics(as_metrics(shown)) == shown
    assert shown_better(shown)
    assert not shown_better(())
    assert "20 drawn checks" in in_words(shown)
    assert "a week ago" in in_words(shown)
    assert from_metrics({}) == ()
    assert "no rules decided" in in_words(())
