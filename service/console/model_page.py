"""The page of the model: what serves, how its risks hold, what chance finds beside it, and what has moved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from fastapi import APIRouter, Request
from fastapi.responses import Response
from markupsafe import Markup

from features.intervals import wilson
from features.moments import micros
from service.api.live_desk import desk_of
from service.console import page_queries as reading
from service.console.charts import Bar, Course, Estimate, bars, courses, histogram, reliability
from service.console.phrases import measure_in
from service.console.reason_words import series_in
from service.console.rendering import language_of, moment, now, page, share, zone_of
from service.console.translations import in_language
from service.officers.proposals import proposals
from service.scoring import Model
from service.scoring.explanation import Language

router = APIRouter(include_in_schema=False)
COURSES = (("random", "first"), ("risk", "second"))  # how they were selected, and the mark in the picture
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d[\d:.]*(\+00:00|Z)?")  # a fact of a model that is a moment
BINS, STRONGEST, MOVED_MOST = 20, 12, 10
COMPARED = ("average_precision", "auc", "precision_at_1%", "precision_at_5%", "recall_at_5%")
Picture = dict[str, Any]  # drawn: SVG, or None where there is nothing to draw; heading and rows: its table


@router.get("/console/model")
def model_page(request: Request) -> Response:
    """The model that serves, with pictures of how it does."""
    return show_model(request)


def show_model(request: Request, fault: str = "") -> Response:
    """The page of the model."""
    desk, settings, language = desk_of(request), request.app.state.settings, language_of(request)
    store, lost, at = desk.journal.store, desk.lost(now()), micros(now())
    monitored, trained = reading.alarms(settings.reports), reading.trainings(settings.reports)
    return page(
        request, "model", 422 if fault else 200, facts=_facts(request), model_id=desk.model.model_id,
        mode=desk.mode(lost), lost=lost, fault=fault, kind="promotion", trained=trained, monitored=monitored,
        explained_by=desk.model.trees.explained_by if desk.model.trees else "",
        series=partial(series_in, language=language),
        proposals=[{**one, "changes": []} for one in proposals(store, "promotion")],
        pictures={
            "hit_rates": hit_rate_picture(reading.hit_rates(store, at), language),
            "calibration": calibration_picture(reading.calibration(store, at), language),
            "scores": score_picture(desk.model, reading.risks_of_newest_day(store), language),
            "importance": importance_picture(desk.model, language),
            "drift": drift_picture((monitored or {}).get("readings", []), language),
        },
        comparisons=[comparison_picture(heading, *figures, language) for heading, figures in trained],
    )  # fmt: skip


def hit_rate_picture(rates: Sequence[Mapping[str, Any]], language: Language) -> Picture:
    """By week, what chance and the risk have found of what they chose, with intervals."""
    say, word = in_language(language, "say"), in_language(language, "word")
    found = {(row["week"], row["selection"]): row for row in rates}
    weeks = sorted({row["week"] for row in rates})
    lines = [
        Course(word(selection), kind, [_estimate(found.get((week, selection))) for week in weeks])
        for selection, kind in COURSES
    ]
    rows = [
        [row["week"], word(row["selection"]), row["inspected"], row["found"], share(row["rate"]),
         _interval(_estimate(row))]
        for row in rates
    ]  # fmt: skip
    drawn = courses(weeks, lines, say("hit_rates")) if any(any(line.estimates) for line in lines) else None
    heading = [say(name) for name in ("week", "chosen_by", "inspected", "found", "rate", "interval")]
    return {"drawn": drawn, "heading": heading, "rows": rows, "legend": [(line.kind, line.name) for line in lines]}


def calibration_picture(bands: Sequence[Mapping[str, Any]], language: Language) -> Picture:
    """By band of risk, what was foretold and what was found, with intervals."""
    say = in_language(language, "say")
    points = [(row["foretold"], _held(row["found"], row["inspected"])) for row in bands]
    rows = [
        [f"{share(row['low'])} – {share(row['high'])}", row["inspected"], share(row["foretold"]), share(row["found"]),
         _interval(one)]
        for row, (_, one) in zip(bands, points, strict=True)
    ]  # fmt: skip
    drawn = reliability(points, say("calibration"), say("foretold"), say("found")) if points else None
    heading = [say(name) for name in ("risk", "inspected", "foretold", "found", "interval")]
    return {"drawn": drawn, "heading": heading, "rows": rows}


def score_picture(model: Model, newest: tuple[Any, list[float]] | None, language: Language) -> Picture:
    """The risks of the newest day beside those of an ordinary day of the days that the model learned from."""
    say = in_language(language, "say")
    heading = [say(name) for name in ("risk", "seen", "usual_day")]
    if newest is None or not newest[1] or not len(model.reference):
        return {"drawn": None, "heading": heading, "rows": []}
    day, risks = newest
    counts, edges = np.histogram(risks, BINS, (0.0, 1.0))
    ordinary, _ = np.histogram(model.calibration.apply(model.reference), BINS, (0.0, 1.0))
    usual = ordinary / ordinary.sum() * len(risks)
    rows = [
        [f"{share(low)} – {share(high)}", int(count), f"{expected:.1f}"]
        for low, high, count, expected in zip(edges[:-1], edges[1:], counts, usual, strict=True)
        if count or expected >= 0.05
    ]
    drawn = histogram([int(n) for n in counts], [float(n) for n in usual], say("scores"), say("risk"))
    return {"drawn": drawn, "heading": heading, "rows": rows, "day": str(day)}


def importance_picture(model: Model, language: Language) -> Picture:
    """The inputs that the trees gain most by, as shares of all they gain."""
    say = in_language(language, "say")
    heading = [say("field"), say("share_of_gain")]
    if model.trees is None:
        return {"drawn": None, "heading": heading, "rows": []}
    gains = model.trees.booster.feature_importance("gain")
    whole = float(gains.sum()) or 1.0
    strongest = sorted(zip(model.inputs, gains, strict=True), key=lambda one: -one[1])[:STRONGEST]
    named = [(item.words[language], float(gain) / whole) for item, gain in strongest if gain > 0]
    rows = [[name, share(part)] for name, part in named]
    lines = [Bar(name, part, share(part)) for name, part in named]
    return {"drawn": bars(lines, say("importance")) if lines else None, "heading": heading, "rows": rows}


def drift_picture(readings: Sequence[Mapping[str, Any]], language: Language) -> Picture:
    """What has moved most by the last monitoring, in parts of its threshold."""
    say = in_language(language, "say")
    heading = [say(name) for name in ("series", "measure", "value", "threshold")]
    judged = [one for one in readings if one["figure"] is not None and one["threshold"]]
    most = sorted(judged, key=lambda one: -one["figure"] / one["threshold"])
    by_series = list({one["series"]: one for one in reversed(most)}.values())
    by_series = sorted(by_series, key=lambda one: -one["figure"] / one["threshold"])[:MOVED_MOST]
    rows = [
        [series_in(one["series"], language), one["measure"], f"{one['figure']:.3f}", f"{one['threshold']:.3f}"]
        for one in by_series
    ]
    parts = [(one, one["figure"] / one["threshold"]) for one in by_series]
    lines = [
        Bar(series_in(one["series"], language), part, f"{part:.2f}", "over" if part > 1 else "") for one, part in parts
    ]
    drawn = bars(lines, say("drift"), 1.0) if lines else None
    return {"drawn": drawn, "heading": heading, "rows": rows, "data": 1}


def comparison_picture(
    heading: str, rankings: Sequence[tuple[str, Sequence[float | None]]], names: Sequence[str], language: Language
) -> Markup | None:
    """Each ranking of a training beside the others: a model, its champion, and the obvious alternatives."""
    lines: list[Bar] = []
    for name in (name for name in COMPARED if name in names):
        for place, (ranking, figures) in enumerate(rankings):
            value = figures[list(names).index(name)]
            if value is not None:
                label = f"{measure_in(name, language)} · {measure_in(ranking, language)}"
                lines.append(Bar(label, value, f"{value:.3f}", "" if place == 0 else "other"))
    return bars(lines, heading) if lines else None


def _facts(request: Request) -> list[tuple[str, str]]:
    """The facts of the model that serves, moments to the minute in the zone of whoever looks."""
    zone = zone_of(request)
    facts = plain_facts(desk_of(request).model.facts)
    return [(name, moment(text, zone) if MOMENT.fullmatch(text) else text) for name, text in facts]


def plain_facts(facts: Any, under: str = "") -> list[tuple[str, str]]:
    """Facts of a model, nested or not, as lines of name and value."""
    cells: list[tuple[str, str]] = []
    for name, value in dict(facts).items():
        if isinstance(value, dict):
            cells += plain_facts(value, f"{under}{name} ")
        else:
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            cells.append((f"{under}{name}", shown))
    return cells


def _estimate(row: Mapping[str, Any] | None) -> Estimate | None:
    return None if row is None else _held(row["rate"], row["inspected"])


def _held(rate: float, tried: int) -> Estimate:
    return Estimate(rate, *wilson(round(rate * tried), tried), tried)


def _interval(one: Estimate | None) -> str:
    return "" if one is None else f"{share(one.low)} – {share(one.high)}"
