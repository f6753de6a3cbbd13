"""Lanes and the focus are seen by everybody: contrast of at least 3 : 1, in light and in dark, and no colour alone."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

CSS = files("service.console").joinpath("static/console.css").read_text(encoding="utf-8")
LEAST, OF_TEXT = 3.0, 4.5
LANES = ("red", "yellow", "blue", "green")


def colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})\b", block))


LIGHT = colours(CSS[: CSS.index("@media")])
DARK = LIGHT | colours(CSS[CSS.index("@media (prefers-color-scheme: dark)") : CSS.index("* { box-sizing")])
PRINTED = LIGHT | colours(CSS[CSS.index("@media print") :])
MODES = {"light": LIGHT, "dark": DARK, "print": PRINTED}


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("ground", ["paper", "ground"])
def test_lanes_and_focus_stand_out(mode: str, ground: str) -> None:
    seen = MODES[mode]
    edge = {lane: "yellow-edge" if lane == "yellow" else lane for lane in LANES}
    found = {lane: contrast(seen[edge[lane]], seen[ground]) for lane in LANES} | {
        "focus": contrast(seen["focus"], seen[ground])
    }
    assert {name: round(ratio, 2) for name, ratio in found.items() if ratio < LEAST} == {}


@pytest.mark.parametrize("mode", MODES)
def test_words_on_lanes_are_legible(mode: str) -> None:
    seen = MODES[mode]
    assert all(contrast(seen[f"on-{lane}"], seen[lane]) >= OF_TEXT for lane in ("red", "yellow", "blue"))
    assert contrast(seen["ink"], seen["ground"]) >= OF_TEXT
    assert contrast(seen["faint"], seen["ground"]) >= OF_TEXT


def test_each_lane_has_a_sign_of_its_own() -> None:
    signs = dict(re.findall(r"\.lane\.(\w+)::before \{ content: \"(.)\"", CSS))
    assert set(signs) == set(LANES)
    assert len(set(signs.values())) == len(LANES)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_yellow_is_yellow(mode: str) -> None:
    digits = MODES[mode]["yellow"].lstrip("#")
    red, green, blue = (int(digits[place : place + 2], 16) for place in (0, 2, 4))
    assert red > 200
    assert green > 140
    assert blue < 100
