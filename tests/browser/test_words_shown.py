"""No English is left where another language is spoken: all that is no data is in the catalogue, in each language."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page

from service.console.translations import words
from service.journal import Journal
from service.officers.cases import Detained, case_of, detain
from service.orientation.track_conditions import Tracks
from service.parties.watch_lists import import_list, overview
from service.store.database import open_store
from tests.browser.conftest import Console, press

LATIN = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
NUMBERS = re.compile(r"\S*\d\S*")  # of consignments and the like
COMMANDS = re.compile(r"`[^`]*`")  # what is typed is the same in every language
NAMES_OF_THINGS = {"Tamis", "tamis", "monitor", "CSV", "IOSS", "GTIN", "UTC", "Esc", "CET", "CEST", "ISO"}
VISIBLE = """() => {
  const isData = (at) => at.closest("[translate]")?.getAttribute("translate") === "no";
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const at = walker.currentNode.parentElement;
    if (at.closest("kbd, script, style, template, code") || isData(at)) continue;
    found.push(walker.currentNode.textContent);
  }
  for (const one of document.querySelectorAll("[aria-label], [placeholder]"))
    if (!isData(one)) found.push(one.getAttribute("placeholder") ?? one.getAttribute("aria-label"));
  return found;
}"""


@pytest.fixture(scope="module", autouse=True)
def on_record(console: Console) -> None:
    """A case with its clock and a list, so that these pages say something."""
    store = open_store(console.settings)
    if not overview(store):
        import_list(store, "stars", b"id,schema,name\n1,Person,Star\n", source="unit 7", by="ada", at=1_000)
    if case_of(store, "HAWB000000103") is None:
        detain(Journal(store), Detained("HAWB000000103", datetime.now(UTC), "o-7", "FR", None), Tracks())
    store.close()


def foreign(page: Page) -> list[str]:
    """Texts in Latin letters on a page in Chinese that are no data."""
    texts: list[str] = page.evaluate(VISIBLE)
    latin = [(word, text.strip()) for text in texts for word in LATIN.findall(COMMANDS.sub("", NUMBERS.sub("", text)))]
    return [f"{word} in {text}" for word, text in latin if word not in NAMES_OF_THINGS]


def test_no_word_of_the_work_is_left_in_english(console: Console, person: Callable[..., Page]) -> None:
    page = person("zhang", "analyst", "zh")
    for stage in ("clearance", "pre_arrival", "post_clearance"):
        page.goto(f"{console.address}/console/queue?office=FRLYS1&stage={stage}")
        assert foreign(page) == []
    page.goto(f"{console.address}/console/queue?office=FRLYS1")
    press(page, page.locator("#rows a.number").first)
    assert foreign(page) == []
    page.fill("form[action$=override] [name=reason]", "x")
    page.check("[name=result][value=compliant]")
    page.locator("form[action$=outcome] [name=findings][value=counterfeit]").evaluate(
        "box => box.checked = true"
    )  # as a browser without script
    page.locator("form[action$=outcome]").evaluate("form => form.submit()")
    page.wait_for_selector("[role=alert]")
    assert foreign(page) == []
    press(page, page.locator(".summary a[href*=networks]"))
    assert foreign(page) == []
    for place in ("cases", "lists", "search", "capacity?office=FRLYS1&physical=3", "policy", "model"):
        page.goto(f"{console.address}/console/{place}")
        assert foreign(page) == []


def test_french_says_nothing_as_english_does() -> None:
    """A text is no translation that is the same; these words are the same in both languages."""
    alike = {
        f"{section}.{key}"
        for section, texts in words().items()
        for key, text in texts.items()
        if text["en"] == text["fr"] and len(text["en"]) > 3
    }
    assert {one for one in alike if one.partition(".")[2] not in SAME} == set()
    every = [text for texts in words().values() for text in texts.values()]
    assert not [text for text in every if text["zh"] == text["en"] not in ("CSV", "Tamis")]


SAME = {
    *("audit", "menu", "orientation", "parties", "documents", "audits", "page", "message", "source", "list_version"),
    *("exploration", "active", "message_id", "version", "transport_id", "transit_countries", "destination_country"),
    *("nature", "express", "Tamis", "burden_stream_express", "burden_points"),
}
