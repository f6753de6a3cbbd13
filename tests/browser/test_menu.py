"""The menu of all pages in one row of the head, worked by keyboard, and a day that a telephone shows whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Console

ONE_ROW = 48  # pixels of the head at most


@pytest.mark.parametrize("language", ["en", "fr", "zh"])
def test_the_head_is_one_row_at_1280_on_every_page(
    person: Callable[..., Page], console: Console, language: str
) -> None:
    page = person(f"lea-{language}", "auditor", language)
    places = [one.get_attribute("href") for one in page.locator("header nav a").all()]
    assert len(places) >= 10
    for place in places:
        page.goto(f"{console.address}{place}")
        assert page.evaluate("document.querySelector('header').offsetHeight") <= ONE_ROW, place
        assert page.locator("nav [aria-current=page]").count() == 1, place


def test_a_group_opens_by_keyboard_and_escape_closes_it(person: Callable[..., Page]) -> None:
    page = person("mia", "analyst")
    groups = page.locator("nav details")
    assert groups.count() == 3
    groups.first.locator("summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("nav a[href$=investigations]").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("nav a[href$=investigations]").is_visible()
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    second = groups.first.locator("a").nth(1).get_attribute("href")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")  # the second entry
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{second}")
    groups.first.locator("summary").click()
    page.locator("h1").click()
    assert page.locator("nav details[open]").count() == 0


def test_a_telephone_shows_the_account_of_a_day_whole(person: Callable[..., Page], console: Console) -> None:
    page = person("noa", "analyst", width=390)
    page.goto(f"{console.address}/console/day")
    for table in page.locator(".day .wide").all():
        hidden = table.evaluate("box => box.scrollWidth - box.clientWidth")
        assert hidden <= 0, f"{hidden} pixels of {table.get_attribute('aria-label')} are cut off"
