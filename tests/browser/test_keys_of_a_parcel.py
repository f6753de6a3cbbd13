"""One parcel without a mouse: found by its telephone, its lane changed and changed back, and printed."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from pypdf import PdfReader

from service.console.translations import LANGUAGES, in_language
from service.record.search_index import catch_up
from service.scoring.explanation import Language
from service.store.database import open_store
from tests.browser.conftest import SPOKEN, Console
from tests.browser.keyboard import Keyboard, work_list

PHONE = "138 1234 5678"  # of the sender of many names, at FRLYS1
TO_FIND, TO_CHANGE, TO_UNDO, TO_PRINT = 3, 7, 1, 1  # keys beyond what is typed into fields


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_parcel_is_found_by_its_telephone(console: Console, person: Callable[..., Page], language: Language) -> None:
    store = open_store(console.settings)
    catch_up(store)
    store.close()
    page = person(f"rings-{language}", "analyst", language)
    keys = Keyboard(page)
    keys.press("/")
    page.keyboard.type(PHONE)
    keys.lead("Enter")
    number = page.locator(".hits .number").first.inner_text()
    keys.lead("o")
    assert number in page.inner_text("h1")
    assert keys.pressed <= TO_FIND


@pytest.mark.parametrize("language", SPOKEN)
def test_a_lane_is_changed_and_changed_back(
    console: Console, person: Callable[..., Page], office: str, language: Language
) -> None:
    word = in_language(language, "word")
    page = person(f"moves-{language}", "analyst", language)
    work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j")
    keys.lead("o")
    opened = keys.pressed
    keys.press("v")
    stands = str(page.input_value("[name=clearance]"))
    keys.press("ArrowDown" if stands == "red" else "ArrowUp")
    chosen = str(page.input_value("[name=clearance]"))
    assert chosen != stands
    keys.press("Tab")
    page.keyboard.type("seen on the scan")
    keys.press("Tab")
    keys.lead("Enter")
    assert keys.pressed - opened <= TO_CHANGE
    assert word(chosen) in page.inner_text(".summary .done")
    before = keys.pressed
    keys.lead("z")
    assert keys.pressed - before <= TO_UNDO
    assert word(stands) in page.locator(".summary .lane").first.inner_text()


@pytest.mark.parametrize("language", SPOKEN)
def test_a_parcel_is_printed_on_one_sheet_with_its_lane_in_words(
    console: Console, person: Callable[..., Page], office: str, language: Language
) -> None:
    word = in_language(language, "word")
    page = person(f"prints-{language}", "analyst", language)
    numbers = work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j")
    keys.lead("o")
    page.evaluate("() => { window.printed = 0; window.print = () => { window.printed += 1; }; }")
    before = keys.pressed
    keys.press("p")
    assert page.evaluate("() => window.printed") == 1
    assert keys.pressed - before <= TO_PRINT
    lane = page.locator(".summary .lane").first
    assert word("yellow") in lane.inner_text()
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    assert len(sheets) == 1
    text = "".join(sheets[0].extract_text().split())
    assert numbers[0] in text
    assert "".join(word("yellow").split()) in text
    page.emulate_media(media="print")
    assert page.locator("header, button:visible, .result-form:visible").first.is_hidden()
    sign = lane.evaluate("lane => getComputedStyle(lane, '::before').content")
    assert "▲" in sign, "the lane is told apart without its colour"


def test_the_list_is_printed_with_its_lanes_and_without_its_menu(
    console: Console, person: Callable[..., Page], office: str
) -> None:
    page = person("sheet", "analyst")
    numbers = work_list(console, page, office)
    sheets = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True))).pages
    text = " ".join(sheet.extract_text() for sheet in sheets)
    assert len(sheets) <= 2
    assert "".join(numbers[0].split()) in "".join(text.split())
    assert in_language("en", "word")("yellow") in text
    assert in_language("en", "title")("log_out") not in text
