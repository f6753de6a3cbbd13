"""Calibration as it is learned: planted chances are found, nothing ties, and bounds say how many results there are."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.special import expit

from pipelines.training.calibrating import CANDIDATES, choose_calibration, through_groups
from service.scoring.calibration import FARTHER, Calibration

Floats = npt.NDArray[np.float64]
SPREAD = np.linspace(-9.0, 9.0, 801)


def results(count: int, seed: int, slope: float = 0.8, intercept: float = -2.0) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Margins of rows whose true chance is a line in log-odds, and what was found."""
    rng = np.random.default_rng(seed)
    margin = rng.normal(0.0, 2.0, count)
    return margin, rng.random(count) < expit(slope * margin + intercept)


def stepped(margin: Floats) -> Floats:
    """A chance that no smooth curve has."""
    return np.where(margin > 1.0, 0.7, np.where(margin > -0.5, 0.1, 0.02))


def test_planted_chances_are_found() -> None:
    margin, hit = results(6_000, 1)
    asked = np.linspace(-3.0, 3.0, 61)
    assert np.abs(choose_calibration(margin, hit).apply(asked) - expit(0.8 * asked - 2.0)).mean() < 0.02


def test_a_step_that_no_sigmoid_has_is_found_where_many_results_show_it() -> None:
    rng = np.random.default_rng(2)
    margin = rng.normal(0.0, 2.0, 12_000)
    hit = rng.random(12_000) < stepped(margin)
    asked = np.array([-3.0, 0.3, 3.0])
    assert choose_calibration(margin, hit).apply(asked) == pytest.approx(stepped(asked), abs=0.04)


@example(20, 1136, 3)  # two findings that score above all else
@given(st.integers(20, 400), st.integers(0, 10_000), st.sampled_from(range(len(CANDIDATES))))
@settings(deadline=None, max_examples=60)
def test_no_two_scores_tie_and_bounds_enclose_the_chance(count: int, seed: int, which: int) -> None:
    margin, hit = results(count, seed)
    if len(np.unique(hit)) < 2:
        return
    calibration = CANDIDATES[which](margin, hit)
    chance = calibration.apply(SPREAD)
    near = np.abs(SPREAD - np.clip(SPREAD, margin.min(), margin.max())) < 2.0
    assert (np.diff(chance[near]) > 0).all()
    assert (np.diff(chance) >= 0).all()
    assert (chance > 0).all()
    assert (chance < 1).all()
    low, high = calibration.bounds(SPREAD)
    assert (low <= chance).all()
    assert (chance <= high).all()
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) >= 0).all()


def test_a_handful_of_results_never_says_a_hundred_per_cent() -> None:
    margin = np.concatenate([np.linspace(-6, -1, 300), np.linspace(4, 6, 9)])
    hit = margin > 3
    chance = choose_calibration(margin, hit).apply(np.array([4.0, 6.0, 60.0]))
    assert chance[0] < chance[1] < chance[2] < 0.999
    steps = through_groups(margin, hit, (1.0, 0.0), 8.0)
    assert steps.knots is not None
    assert steps.apply(np.array([60.0])) == pytest.approx(expit(steps.knots.logits[-1] + FARTHER))


def test_bounds_draw_together_as_results_come() -> None:
    widths = []
    for count in (200, 2_000, 20_000):
        low, high = choose_calibration(*results(count, 3)).bounds(np.array([1.0]))
        widths.append(float((high - low)[0]))
    assert widths[0] > 1.4 * widths[1] > 2.0 * widths[2]


def test_bounds_hold_the_truth_nine_times_in_ten() -> None:
    asked = np.array([-2.0, 0.0, 2.0, 3.5])
    held = []
    for seed in range(60):
        low, high = choose_calibration(*results(900, 100 + seed)).bounds(asked)
        truth = expit(0.8 * asked - 2.0)
        held.append((low <= truth) & (truth <= high))
    assert np.mean(held) >= 0.88


def test_with_findings_alone_or_none_the_model_s_own_chance_is_kept_and_no_bounds_are_known() -> None:
    calibration = choose_calibration(np.linspace(-3, 3, 40), np.zeros(40, np.bool_))
    assert calibration == Calibration("none")
    assert np.isnan(calibration.bounds(np.zeros(3))).all()


def test_a_score_that_says_nothing_still_rises() -> None:
    rng = np.random.default_rng(5)
    margin, hit = rng.normal(size=500), rng.random(500) < 0.2
    assert (np.diff(choose_calibration(-np.abs(margin), hit).apply(SPREAD[300:500])) > 0).all()


def test_a_journey_through_json_changes_no_bit() -> None:
    calibration = choose_calibration(*results(700, 6))
    back = Calibration.from_json(json.loads(json.dumps(calibration.as_json())))
    assert back == calibration
    for mine, kept in zip((calibration.apply(SPREAD), *calibration.bounds(SPREAD)),
                          (back.apply(SPREAD), *back.bounds(SPREAD)), strict=True):  # fmt: skip
        assert mine.tobytes() == kept.tobytes()


def test_one_row_has_the_bits_that_it_has_among_many() -> None:
    calibration = choose_calibration(*results(700, 7))
    many = np.stack([calibration.apply(SPREAD), *calibration.bounds(SPREAD)])
    for place in range(0, len(SPREAD), 37):
        one = SPREAD[place : place + 1]
        assert np.stack([calibration.apply(one), *calibration.bounds(one)]).tobytes() == many[:, [place]].tobytes()
