"""The pictures of the model's page: what they show is what is on record, and where nothing is, the page says so."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import numpy as np
import pytest

from features.intervals import wilson
from service.console import model_page
from service.console.charts import HEIGHT, SIDE, TOP, Bar, Course, Estimate, bars, courses, histogram, reliability
from service.console.reason_words import series_in
from service.console.translations import LANGUAGES
from service.scoring import Model

RATES = [
    {"week": "2026-W06", "selection": "risk", "inspected": 40, "found": 10, "rate": 0.25},
    {"week": "2026-W06", "selection": "random", "inspected": 50, "found": 1, "rate": 0.02},
    {"week": "2026-W05", "selection": "risk", "inspected": 20, "found": 4, "rate": 0.2},
]
READINGS: list[dict[str, Any]] = [
    {"series": "value_eur", "measure": "psi", "figure": 0.05, "threshold": 0.1},
    {"series": "value_eur", "measure": "ks", "figure": 0.3, "threshold": 0.1},
    {"series": "no_hs_code", "measure": "share", "figure": 0.01, "threshold": 0.1},
    {"series": "risk", "measure": "psi", "figure": None, "threshold": 0.1},
]


def numbers(drawn: str, kind: str, name: str) -> list[float]:
    """An attribute of every mark of a kind."""
    return [float(one) for one in re.findall(rf'class="{kind}"[^>]*? {name}="([-\d.]+)"', drawn)]


def test_hit_rates_by_week_stand_higher_where_more_was_found_and_weeks_without_controls_are_left_out() -> None:
    picture = model_page.hit_rate_picture(RATES, "en")
    chance, targeted = numbers(picture["drawn"], "mark first", "cy"), numbers(picture["drawn"], "mark second", "y")
    assert (len(chance), len(targeted)) == (1, 2)  # chance drew nothing in the first week
    assert targeted[1] < targeted[0] < chance[0]  # a higher rate stands higher, and so nearer to the top
    assert picture["rows"][0][:4] == ["2026-W06", "risk", 40, 10]
    low, high = wilson(10, 40)
    assert picture["rows"][0][5] == f"{low * 100:.1f} % – {high * 100:.1f} %"
    assert picture["legend"] == [("first", "random"), ("second", "risk")]


def test_what_was_foretold_rightly_stands_on_the_diagonal() -> None:
    drawn = str(reliability([(0.1, Estimate(0.1, 0.05, 0.15, 80)), (0.2, Estimate(0.05, 0.0, 0.1, 80))], "t", "x", "y"))
    xs, ys = numbers(drawn, "mark first", "cx"), numbers(drawn, "mark first", "cy")
    ((x1, y1, x2, y2),) = [
        tuple(map(float, ends))
        for ends in re.findall(r'class="diagonal" x1="([\d.]+)" y1="([\d.]+)" x2="([\d.]+)" y2="([\d.]+)"', drawn)
    ]
    on_line = [y1 + (x - x1) / (x2 - x1) * (y2 - y1) for x in xs]
    assert ys[0] == pytest.approx(on_line[0], abs=0.2)
    assert ys[1] > on_line[1] + 5  # below it: less was found than was foretold
    assert all(TOP - 1 <= y <= SIDE for y in ys)


def test_drift_shows_the_worst_measure_of_each_series_and_marks_what_is_over() -> None:
    picture = model_page.drift_picture(READINGS, "en")
    assert [row[:3] for row in picture["rows"]] == [
        ["Declared value", "ks", "0.300"],
        ["Left out: HS code", "share", "0.010"],
    ]
    assert picture["drawn"].count("length over") == 1
    assert numbers(picture["drawn"], "threshold", "x1")[0] < numbers(picture["drawn"], "value", "x")[0]


def test_scores_of_a_day_are_counted_beside_an_ordinary_one(model: Model) -> None:
    risks = [0.01] * 90 + [0.62] * 10
    picture = model_page.score_picture(model, (date(2026, 2, 3), risks), "en")
    assert [row[1] for row in picture["rows"] if row[1]] == [90, 10]
    assert sum(float(row[2]) for row in picture["rows"]) == pytest.approx(100, abs=1.0)
    assert picture["day"] == "2026-02-03"


def test_the_only_input_of_the_written_trees_gains_all(model: Model) -> None:
    picture = model_page.importance_picture(model, "fr")
    assert len(picture["rows"]) == 1
    assert picture["rows"][0][1] == "100.0 %"


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_on_record_nothing_is_drawn(model: Model, language: Any) -> None:
    pictures = [
        model_page.hit_rate_picture([], language), model_page.calibration_picture([], language),
        model_page.score_picture(model, None, language), model_page.drift_picture([], language),
    ]  # fmt: skip
    assert [picture["drawn"] for picture in pictures] == [None] * 4
    assert model_page.comparison_picture("x", [], [], language) is None
    assert series_in("consignor_hit_rate", language) != "consignor_hit_rate"


def test_names_are_escaped_and_extremes_stay_inside() -> None:
    drawn = str(bars([Bar("<script>", 0.0, "0"), Bar("long " * 30, 2.0, "2", "over")], 'a "title"', 1.0))
    assert "<script>" not in drawn
    assert "&lt;script&gt;" in drawn
    assert str(courses(["W1"], [Course("all", "first", [Estimate(1.0, 0.2, 1.0, 1)])], "t")).count("mark first") == 1
    counts = np.zeros(20, dtype=int)
    assert str(histogram([int(n) for n in counts], [0.0] * 20, "t", "x")).count('class="length"') == 20
    tall = str(histogram([10**6, *[0] * 19], [0.0] * 20, "t", "x"))
    assert all(0 <= y <= HEIGHT for y in numbers(tall, "length", "y"))
