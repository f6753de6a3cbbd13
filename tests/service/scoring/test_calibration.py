"""Calibration: never falling, within 0 and 1, and the same after a journey through JSON."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.scoring.calibration import Calibration

finite = st.floats(-40, 40)


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    method = draw(st.sampled_from(["none", "sigmoid", "isotonic"]))
    if method == "none":
        return Calibration("none")
    if method == "sigmoid":
        return Calibration("sigmoid", draw(st.floats(0.01, 5)), draw(st.floats(-5, 5)))
    steps = draw(st.integers(1, 8))
    margins = sorted(draw(st.lists(finite, min_size=steps, max_size=steps, unique=True)))
    risks = sorted(draw(st.lists(st.floats(0, 1), min_size=steps, max_size=steps)))
    return Calibration("isotonic", margins=tuple(margins), probabilities=tuple(risks))


@given(calibrations(), st.lists(finite, min_size=2, max_size=30))
def test_risk_is_a_probability_and_never_falls_where_the_margin_rises(
    calibration: Calibration, margins: list[float]
) -> None:
    risk = calibration.apply(np.sort(np.array(margins)))
    assert ((risk >= 0) & (risk <= 1)).all()
    assert (np.diff(risk) >= -1e-15).all()


@given(calibrations(), st.lists(finite, min_size=1, max_size=10))
def test_a_journey_through_json_changes_no_bit(calibration: Calibration, margins: list[float]) -> None:
    back = Calibration.from_json(json.loads(json.dumps(calibration.as_json())))
    assert back == calibration
    assert back.apply(np.array(margins)).tobytes() == calibration.apply(np.array(margins)).tobytes()


def test_without_calibration_the_margin_is_log_odds() -> None:
    risk = Calibration("none").apply(np.array([0.0, np.log(3.0), -np.log(3.0)]))
    assert risk == pytest.approx([0.5, 0.75, 0.25])


def test_sigmoid_applies_its_slope_and_intercept() -> None:
    assert Calibration("sigmoid", 2.0, 1.0).apply(np.array([-0.5]))[0] == pytest.approx(0.5)
    assert Calibration("sigmoid", 2.0, 1.0).apply(np.array([0.5]))[0] == pytest.approx(1 / (1 + np.exp(-2)))


def test_isotonic_holds_its_ends_and_joins_its_steps() -> None:
    steps = Calibration("isotonic", margins=(-1.0, 1.0), probabilities=(0.2, 0.6))
    assert steps.apply(np.array([-9.0, -1.0, 0.0, 1.0, 9.0])) == pytest.approx([0.2, 0.2, 0.4, 0.6, 0.6])


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="beta"):
        Calibration.from_json({"method": "beta"})
