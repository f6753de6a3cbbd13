"""Every page that a role may open: in the dark, on a telephone and in print, with lanes and focus that are seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from service.scoring.explanation import Language
from tests.browser.accessibility import no_fault
from tests.browser.conftest import SPOKEN, Console
from tests.browser.keyboard import work_list
from tests.service.console.test_colours import LEAST, contrast

PHONE = {"width": 390, "height": 844}
ROLES = ("analyst", "data_scientist", "auditor", "admin")
COLOURS = """element => {
  const ground = (at) => {
    for (; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!/, 0\\)$|^transparent$/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const style = getComputedStyle(element);
  return { edge: style.borderTopColor, ring: style.outlineColor, width: style.outlineWidth,
           around: ground(element.parentElement) };
}"""


def places(page: Page) -> list[str]:
    """The addresses of the menu."""
    return [str(one.get_attribute("href")) for one in page.locator("header nav a").all()]


@pytest.mark.parametrize("role", ROLES)
def test_every_page_is_sound_in_the_dark(console: Console, person: Callable[..., Page], role: str) -> None:
    page = person(f"dark-{role}", role)
    page.emulate_media(color_scheme="dark")
    for place in places(page):
        page.goto(f"{console.address}{place}")
        no_fault(page)


@pytest.mark.parametrize("language", SPOKEN)
@pytest.mark.parametrize("role", ROLES)
def test_every_page_fits_a_telephone(
    console: Console, person: Callable[..., Page], role: str, language: Language
) -> None:
    page = person(f"phone-{role}-{language}", role, language, width=PHONE["width"])
    for place in places(page):
        page.goto(f"{console.address}{place}")
        assert page.evaluate("() => document.documentElement.scrollWidth") <= PHONE["width"], place
    page.goto(f"{console.address}{places(page)[0]}")
    no_fault(page)


@pytest.mark.parametrize("role", ROLES)
def test_every_page_prints_without_menu_and_buttons(console: Console, person: Callable[..., Page], role: str) -> None:
    page = person(f"paper-{role}", role)
    for place in places(page):
        page.goto(f"{console.address}{place}")
        page.emulate_media(media="print")
        assert page.locator("header:visible, main button:visible").count() == 0, place
        assert page.locator("h1").is_visible(), place
        page.emulate_media(media="screen")


def hexadecimal(colour: str) -> str:
    digits = [int(float(part)) for part in colour[colour.index("(") + 1 : colour.index(")")].split(",")[:3]]
    return "#" + "".join(f"{part:02x}" for part in digits)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lanes_and_focus_stand_out_as_they_are_drawn(
    console: Console, person: Callable[..., Page], office: str, scheme: Any
) -> None:
    page = person(f"eyes-{scheme}", "analyst")
    page.emulate_media(color_scheme=scheme)
    work_list(console, page, office)
    page.keyboard.press("j")
    seen = page.locator("#rows a.number").first.evaluate(COLOURS)
    assert float(seen["width"].removesuffix("px")) >= 2
    ratios = {"focus": contrast(hexadecimal(seen["ring"]), hexadecimal(seen["around"]))}
    for lane in ("red", "yellow", "blue", "green"):
        drawn = page.locator("#rows .lane").first
        drawn.evaluate("(element, lane) => { element.className = `lane ${lane}`; }", lane)
        for row in (0, 1):  # the row that has the focus, and another one
            at = page.locator("#rows .lane").nth(row)
            at.evaluate("(element, lane) => { element.className = `lane ${lane}`; }", lane)
            colours = at.evaluate(COLOURS)
            ratios[f"{lane} {row}"] = contrast(hexadecimal(colours["edge"]), hexadecimal(colours["around"]))
    assert {name: round(ratio, 2) for name, ratio in ratios.items() if ratio < LEAST} == {}
