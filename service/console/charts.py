"""Charts as inline SVG, made here: coloured by the style sheet, and what they show stands in a table under each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

WIDTH, HEIGHT = 520, 240
LEFT, RIGHT, TOP, BOTTOM = 54, 12, 14, 34
SIDE = 320  # of a square chart
ROW, LABELS, NUMBERS = 22, 236, 60  # of a chart of bars: height of a row, room for names and for figures
LONGEST_NAME = 33  # characters that fit into the room for names
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval; tried: on how many it rests."""

    value: float
    low: float
    high: float
    tried: int


@dataclass(frozen=True, slots=True)
class Course:
    """A series over time: its name, the class of its marks, and an estimate for each step, or none."""

    name: str
    kind: str
    estimates: Sequence[Estimate | None]


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a chart of bars: its name, its length in its own unit, what it says, and whether it stands out."""

    name: str
    length: float
    text: str
    kind: str = ""


def courses(steps: Sequence[str], several: Sequence[Course], title: str) -> Markup:
    """Shares over time, each with its interval as a whisker; marks of several series stand side by side."""
    known = [one for course in several for one in course.estimates if one is not None]
    top = _round_up(max([one.value for one in known] + [min(one.high, 3 * one.value) for one in known] + [0.01]))
    room = WIDTH - LEFT - RIGHT
    parts = _scale(top, WIDTH, HEIGHT)
    every = max(1, math.ceil(len(steps) / 7))
    for place, step in enumerate(steps):
        if place % every == 0:
            parts.append(_text(_across(place, len(steps), room), HEIGHT - BOTTOM + 18, "middle", step))
    for number, course in enumerate(several):
        shift = (number - (len(several) - 1) / 2) * 9
        parts += _course(course, shift, len(steps), room, top)
    return _chart(WIDTH, HEIGHT, title, parts)


def _course(course: Course, shift: float, steps: int, room: float, top: float) -> list[Markup]:
    parts: list[Markup] = []
    before: tuple[float, float] | None = None
    for place, one in enumerate(course.estimates):
        if one is None:
            before = None
            continue
        x, y = _across(place, steps, room) + shift, _up(one.value, top, HEIGHT)
        parts.append(
            _line(x, _up(min(one.high, top), top, HEIGHT), x, _up(one.low, top, HEIGHT), f"whisker {course.kind}")
        )
        if before is not None:
            parts.append(_line(*before, x, y, f"run {course.kind}"))
        parts.append(_mark(x, y, course.kind))
        before = (x, y)
    return parts


def reliability(points: Sequence[tuple[float, Estimate]], title: str, across: str, up: str) -> Markup:
    """What was foretold against what was found, with intervals; on the diagonal both are the same."""
    top = _round_up(max([point[0] for point in points] + [min(1.0, one.high) for _, one in points] + [0.01]))
    parts = _scale(top, SIDE, SIDE)
    field = SIDE - LEFT - RIGHT
    parts.append(_line(LEFT, SIDE - BOTTOM, LEFT + field, TOP, "diagonal"))
    for share in (0.0, 0.5, 1.0):
        anchor = "end" if share == 1.0 else "middle"
        parts.append(_text(LEFT + share * field, SIDE - BOTTOM + 16, anchor, _percent(share * top)))
    for foretold, one in points:
        x = LEFT + foretold / top * field
        parts.append(_line(x, _up(one.high, top, SIDE), x, _up(one.low, top, SIDE), "whisker first"))
        parts.append(_mark(x, _up(one.value, top, SIDE), "first"))
    parts.append(_text(LEFT + field / 2, SIDE - 3, "middle", across))
    parts.append(_text(LEFT + 4, TOP + 4, "start", up))
    return _chart(SIDE, SIDE, title, parts, "square")


def bars(rows: Sequence[Bar], title: str, mark: float | None = None) -> Markup:
    """Lengths side by side; mark: where a line stands across all of them, such as a threshold."""
    most = max([row.length for row in rows] + [mark or 0.0, 1e-12])
    height, room = len(rows) * ROW + 6, WIDTH - LABELS - NUMBERS
    parts: list[Markup] = []
    for place, row in enumerate(rows):
        y, width = place * ROW + 4, max(1.0, row.length / most * room)
        parts.append(
            _text(
                LABELS - 8,
                y + 13,
                "end",
                row.name if len(row.name) <= LONGEST_NAME else f"{row.name[: LONGEST_NAME - 1]}…",
            )
        )
        parts.append(Markup('<rect class="length {}" x="{}" y="{}" width="{:.1f}" height="16"/>').format(
            row.kind, LABELS, y, width))  # fmt: skip
        parts.append(_text(LABELS + width + 6, y + 13, "start", row.text, "value"))
    if mark is not None:
        x = LABELS + mark / most * room
        parts.append(_line(x, 0, x, height, "threshold"))
    return _chart(WIDTH, height, title, parts)


def histogram(counts: Sequence[int], usual: Sequence[float], title: str, across: str) -> Markup:
    """Counts in equal bins from 0 to 1 on a logarithmic scale, and as lines what is usual."""
    most = max([*map(float, counts), *usual, 10.0])
    room = (WIDTH - LEFT - RIGHT) / len(counts)
    parts: list[Markup] = []
    for decade in range(math.floor(math.log10(most)) + 1):
        y = _risen(10**decade, most)
        parts.append(_line(LEFT, y, WIDTH - RIGHT, y, "grid"))
        parts.append(_text(LEFT - 6, y + 4, "end", f"{10**decade:,}"))
    for place, (count, expected) in enumerate(zip(counts, usual, strict=True)):
        x, y = LEFT + place * room + 1, _risen(count, most)
        parts.append(Markup('<rect class="length" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            x, y, room - 2, HEIGHT - BOTTOM - y))  # fmt: skip
        level = _risen(expected, most)
        parts.append(_line(x, level, x + room - 2, level, "usual"))
    for share in (0, 20, 40, 60, 80, 100):
        anchor = "end" if share == 100 else "middle"
        parts.append(_text(LEFT + share / 100 * room * len(counts), HEIGHT - BOTTOM + 16, anchor, f"{share} %"))
    parts.append(_text(WIDTH / 2, HEIGHT - 3, "middle", across))
    return _chart(WIDTH, HEIGHT, title, parts)


def _risen(count: float, most: float) -> float:
    """The height of a count on a logarithmic scale; a single one still shows."""
    field = HEIGHT - TOP - BOTTOM
    floor = 0.3
    share = 0.0 if count < 0.5 else (math.log10(count) + floor) / (math.log10(most) + floor)
    return HEIGHT - BOTTOM - max(0.0, share) * field


def _scale(top: float, width: float, height: float) -> list[Markup]:
    """Lines across at quarters of the scale, with their shares."""
    parts = []
    for quarter in range(5):
        y = _up(top * quarter / 4, top, height)
        parts.append(_line(LEFT, y, width - RIGHT, y, "grid"))
        parts.append(_text(LEFT - 6, y + 4, "end", _percent(top * quarter / 4)))
    return parts


def _round_up(value: float) -> float:
    """The next round number, so that the scale of a chart ends on one; at most 1."""
    power = 10.0 ** math.floor(math.log10(value))
    return min(1.0, next(step * power for step in STEPS if step * power >= value - 1e-12))


def _across(place: int, steps: int, room: float) -> float:
    return LEFT + (place + 0.5) / max(1, steps) * room


def _up(value: float, top: float, height: float) -> float:
    return height - BOTTOM - min(1.0, value / top) * (height - TOP - BOTTOM)


def _percent(share: float) -> str:
    return f"{share * 100:.3g} %"


def _mark(x: float, y: float, kind: str) -> Markup:
    """A dot for the first series, a square for the second: told apart without colour."""
    if kind == "second":
        return Markup('<rect class="mark second" x="{:.1f}" y="{:.1f}" width="8" height="8"/>').format(x - 4, y - 4)
    return Markup('<circle class="mark {}" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(kind, x, y)


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x1, y1, x2, y2)


def _text(x: float, y: float, anchor: str, words: str, kind: str = "label") -> Markup:
    return Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, words)


def _chart(width: float, height: float, title: str, parts: Sequence[Markup], kind: str = "") -> Markup:
    return Markup('<svg class="chart {}" viewBox="0 0 {:.0f} {:.0f}" role="img" aria-label="{}">{}</svg>').format(
        kind, width, height, title, Markup().join(parts)
    )
