"""Search at the console, in a real browser and in each language: one box on every page, and on from each hit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page

from features.moments import micros
from service.console.translations import LANGUAGES, in_language
from service.journal import Journal
from service.officers.cases import Detained, case_of, detain
from service.orientation.track_conditions import Tracks
from service.parties.watch_lists import import_list, overview
from service.record.search_index import catch_up
from service.scoring.explanation import Language
from service.store.database import open_store
from tests.browser.accessibility import no_fault
from tests.browser.conftest import HOSTILE, SPOKEN, TODAY, Console, press

KEY_NAMED = {"en": "Key:", "fr": "Clé :", "zh": "关键词："}
PHONE = "138 1234 5678"  # of the sender of many names, at FRLYS1
LISTED = b"id,schema,name,country,phone\n1,Person,Star of Yiwu,CN,+8613812345678\n"


@pytest.fixture(scope="module", autouse=True)
def known(console: Console) -> None:
    """A list that names the sender, a case of one of his parcels, and everything in the index."""
    store = open_store(console.settings)
    if not overview(store):
        import_list(store, "stars", LISTED, source="unit 7", by="ada", at=micros(TODAY))
    number = "HAWB000000103"
    if case_of(store, number) is None:
        detain(Journal(store), Detained(number, TODAY + timedelta(minutes=2), "o-7", "FR", None), Tracks())
    catch_up(store)
    store.close()


def look_for(page: Page, key: str) -> None:
    """Search by the keyboard alone, from wherever one is."""
    page.keyboard.press("/")
    assert page.evaluate("() => document.activeElement.id") == "search"
    page.keyboard.type(key)
    with page.expect_navigation():
        page.keyboard.press("Enter")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_telephone_leads_to_everything_that_has_to_do_with_it(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    say, word, title = (in_language(language, section) for section in ("say", "word", "title"))
    page = person(f"seek-{language}", "analyst", language)
    look_for(page, PHONE)
    assert "138" not in page.url
    assert "138" not in page.title()
    assert page.locator(".hits tbody tr").count() == 12
    assert word("telephone") in page.locator(".hits tbody tr").first.inner_text()
    for heading in (say("parties"), say("networks"), say("list_entries"), title("cases")):
        assert page.locator("h2").filter(has_text=heading).count() == 1, heading
    assert "Star of Yiwu" in page.inner_text("section:has(#entries)")
    no_fault(page)
    found = page.url

    press(page, page.locator("section:has(#cases) a").first)
    assert "HAWB000000103" in page.inner_text("h1")
    page.go_back()
    assert page.url == found
    assert page.locator(".hits tbody tr").count() == 12  # no form has to be sent again
    press(page, page.locator("section:has(#parties) a").first)
    assert title("network") in page.inner_text("h1")
    page.goto(found)
    press(page, page.locator("section:has(#parties) li a").nth(1))
    assert word("party") in page.locator(".hits tbody tr").first.inner_text()
    page.goto(found)
    press(page, page.locator("section:has(#entries) a").first)
    assert page.inner_text("h1") == f"{say('list')} stars"
    assert page.locator("main table.hits tbody tr").count() == 12  # what it has matched
    no_fault(page)
    page.click("nav details:has(a[href$=cases]) summary")
    press(page, page.locator("nav a[href$=cases]"))
    assert "HAWB000000103" in page.inner_text("main table")
    no_fault(page)


@pytest.mark.parametrize("language", SPOKEN)
def test_what_is_declared_can_be_searched_for_with_a_click(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    page = person(f"click-{language}", "analyst", language)
    look_for(page, "hawb 000000101")
    press(page, page.locator(".hits .number").first)
    press(page, page.locator("tr[data-field=consignor_phone] a"))
    assert page.locator(".hits tbody tr").count() == 12


@pytest.mark.parametrize("language", SPOKEN)
def test_a_kind_can_be_chosen_and_what_cannot_be_searched_is_said(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    say = in_language(language, "say")
    page = person(f"kind-{language}", "auditor", language)
    page.goto(f"{console.address}/console/search")
    no_fault(page)
    assert page.evaluate("() => document.activeElement.name") == "key"
    page.select_option("[name=kind]", "consignment")
    page.fill("main [name=key]", "HAWB0000001*")
    press(page, page.locator("main form button"))
    assert page.locator(".hits tbody tr").count() == 12
    assert page.input_value("[name=kind]") == "consignment"
    page.select_option("[name=kind]", "telephone")
    page.fill("main [name=key]", "no number at all")
    press(page, page.locator("main form button"))
    assert page.inner_text("[role=alert]").startswith(KEY_NAMED[language])
    assert page.input_value("main [name=key]") == "no number at all"
    no_fault(page)
    page.select_option("[name=kind]", "")
    page.fill("main [name=key]", "nobody of this name")
    press(page, page.locator("main form button"))
    assert page.inner_text("main [role=status]") == say("nothing_found")


def test_pages_of_many_hits_are_turned_and_the_latest_are_there_within_seconds(
    console: Console, person: Callable[..., Page]
) -> None:
    page = person("pages", "analyst")
    look_for(page, "HAWB*")
    first = page.locator(".hits .number").all_inner_texts()
    press(page, page.locator(".pages a[rel=next]"))
    second = page.locator(".hits .number").all_inner_texts()
    assert len(first) == 25
    assert not set(first) & set(second)
    press(page, page.locator(".pages a[rel=prev]"))
    assert page.locator(".hits .number").all_inner_texts() == first


def test_another_offices_parcels_are_neither_shown_nor_counted(console: Console, person: Callable[..., Page]) -> None:
    page = person("cdg", "analyst", offices="FRCDG1")
    look_for(page, PHONE)
    assert page.locator(".hits").count() == 0
    assert page.locator("section:has(#parties)").count() == 0
    assert "HAWB0000001" not in page.inner_text("main")
    page.goto(f"{console.address}/console/cases")
    assert "HAWB000000103" not in page.inner_text("main")


def test_the_box_is_there_for_those_who_may_search_and_no_others(person: Callable[..., Page]) -> None:
    page = person("dana", "data_scientist")
    assert page.locator("#search").count() == 0
    page.keyboard.press("/")
    analyst = person("slash", "analyst")
    analyst.focus("#search")
    analyst.keyboard.type("a/b")
    assert analyst.input_value("#search") == "a/b"


def test_hostile_keys_and_hits_stay_text(console: Console, person: Callable[..., Page]) -> None:
    page = person("xsearch", "analyst")
    for n, text in enumerate(HOSTILE):
        page.fill("#search", text)
        press(page, page.locator(".search button"))
        assert page.input_value("#search") == " ".join(text.split())
        assert "taken over" not in page.title()
        page.fill("#search", f"H{n}{text[:60]}")
        press(page, page.locator(".search button"))
        assert page.locator("main script, main img, main [onload], main a[href^=javascript]").count() == 0
        assert page.locator(".hits .number").count() >= 1


def test_search_is_usable_on_a_phone(person: Callable[..., Page]) -> None:
    page = person("small", "analyst", width=360)
    page.fill("#search", PHONE)
    press(page, page.locator(".search button"))
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    assert page.locator(".hits tbody tr").count() == 12
