"""A test purchase in the browser: ordered, awaited, come, examined, and protected from others."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Locator, Page

from service.console.translations import LANGUAGES, in_language
from service.record.search_index import catch_up
from service.scoring.explanation import Language
from service.store.database import open_store
from tests.browser.accessibility import no_fault
from tests.browser.conftest import SPOKEN, TODAY, Console, press
from tests.service.building import declared

OFFICE = "FRLYS1"


def note(card: Locator, page: Page, step: str) -> None:
    """Send the form of a step on the card of a purchase."""
    press(page, card.locator(f"form:has([value={step}]) button").last)


@pytest.mark.parametrize("language", SPOKEN)
def test_from_the_order_to_the_finding(console: Console, person: Callable[..., Page], language: Language) -> None:
    say, word = in_language(language, "say"), in_language(language, "word")
    number = 4_000 + LANGUAGES.index(language)
    used = {"name": f"Anne Leroy {language}", "address": f"{number} rue du Bac", "city": "Lyon", "postcode": "69001",
            "country": "FR"}  # fmt: skip
    one, other = person(f"buys-{language}", "analyst", language), person(f"sees-{language}", "analyst", language)
    one.goto(f"{console.address}/console/purchases")
    if not one.locator("#order").is_visible():  # others have ordered: the form is folded
        one.locator("main details > summary").filter(has_text=say("order_goods")).click()
    one.fill("[name=office]", OFFICE)
    one.fill("[name=goods]", "trainers, size 42")
    one.fill("[name=shop_url]", f"https://copy-works-{language}.shop")
    for name, text in used.items():
        one.fill(f"[name=alias_{name}]", text)
    no_fault(one)
    press(one, one.locator("#order button.main"))
    card = one.locator("section.card").first
    assert used["name"] in card.inner_text()

    parcel = declared(number, office=OFFICE, consignee=used, lodged_at=TODAY + timedelta(seconds=700))
    console.sent([parcel], f"M-bought-{language}")
    store = open_store(console.settings)
    catch_up(store)
    store.close()
    other.goto(f"{console.address}/console/purchases")
    assert used["name"] not in other.inner_text("main")  # protected
    assert say("name_hidden") in other.inner_text("main")
    no_fault(other)
    one.reload()
    arrived = card.locator(f"form:has([type=hidden][value='{parcel['consignment_id']}'])")
    assert arrived.count() == 1, "the parcel that may be it is offered"
    press(one, arrived.locator("button"))
    assert parcel["consignment_id"] in card.locator("ol").inner_text()
    card.locator("[name=result]").select_option("non_compliant")
    card.locator("[name=findings][value=counterfeit]").check()
    no_fault(one)
    note(card, one, "examined")
    assert word("non_compliant") in card.locator("ol").inner_text()
    note(card, one, "closed")
    assert card.locator("form").count() == 0
    one.set_viewport_size({"width": 390, "height": 844})
    assert one.evaluate("() => document.documentElement.scrollWidth") <= 390


def test_a_fault_says_what_is_wrong_and_keeps_what_was_typed(console: Console, person: Callable[..., Page]) -> None:
    page = person("errs", "analyst")
    page.goto(f"{console.address}/console/purchases")
    if not page.locator("#order").is_visible():
        page.locator("main details > summary").first.click()
    page.fill("[name=office]", OFFICE)
    page.fill("[name=goods]", "a watch")
    page.fill("[name=alias_name]", "Jean Test")
    press(page, page.locator("#order button.main"))  # of the shop nothing is known
    assert page.locator("[role=alert]").count() == 1
    assert page.input_value("[name=goods]") == "a watch"
    assert page.input_value("[name=alias_name]") == "Jean Test"
    no_fault(page)
