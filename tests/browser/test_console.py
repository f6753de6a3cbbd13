"""A day at the console, in a real browser and in each language: what an analyst, an auditor and an administrator do."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from service.console.translations import LANGUAGES, in_language
from service.officers.queue import queue
from service.scoring.explanation import Language
from service.store.database import open_store
from tests.browser.accessibility import no_fault
from tests.browser.conftest import HOSTILE, PASSWORD, SPOKEN, TODAY, Console, press
from tests.service.building import declared


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_analyst_works_the_queue(console: Console, person: Callable[..., Page], language: Language) -> None:
    say, word = in_language(language, "say"), in_language(language, "word")
    page = person(f"ana-{language}", "analyst", language)
    assert page.get_attribute("html", "lang") == language
    assert page.inner_text("h1") == in_language(language, "title")("queue")
    page.select_option("[name=office]", "FRLYS1")
    press(page, page.locator(".filters button"))
    no_fault(page)
    assert page.locator("#rows tbody tr").count() > 0
    number = page.locator("#rows a.number").first.inner_text()
    press(page, page.locator("#rows a.number").first)
    assert number in page.inner_text("h1")
    assert "perfume branded" in page.inner_text("main")
    assert page.locator(".waterfall rect").count() > 5
    assert say("to_do") in page.inner_text("main")
    assert "consignor_name" not in page.inner_text("main")  # fields are named as people name them
    no_fault(page)

    page.select_option("[name=clearance]", "red")
    page.fill("textarea", f"seen before {language}")
    press(page, page.locator("form[action$=override] button"))
    assert f"ana-{language}" in page.inner_text(".summary .done")
    assert word("red") in page.inner_text(".summary .done")

    page.check("[name=findings][value=counterfeit]")
    assert page.is_checked("[name=result][value=non_compliant]")
    page.fill("[name=items_found]", "20")
    page.fill("[name=right_holder]", "Maison de Parfum")
    press(page, page.locator("form[action$=outcome] button"))
    assert page.inner_text("[role=status] span") == f"{say('recorded')} {number}"
    assert number not in page.inner_text("h1")  # the next one of the list
    page.goto(f"{console.address}/console/consignments/{number}")
    assert word("counterfeit") in page.inner_text(".result")
    store = open_store(console.settings)
    assert number not in {one["consignment_id"] for one in queue(store, "FRLYS1", "clearance", TODAY.date())}
    with store.reading() as connection:
        labels = connection.exec_driver_sql("SELECT body FROM outcomes").fetchall()
    store.close()
    assert any(number in label[0] and "non_compliant" in label[0] for label in labels)

    page.goto(f"{console.address}/console/queue?office=FRLYS1")
    press(page, page.locator("#rows a.number").first)
    assert number in page.inner_text("section:has(#similar)")  # the same goods from the same country
    page.check("[name=result][value=inconclusive]")
    page.fill("[name=items_found]", "0,0,0")
    press(page, page.locator("form[action$=outcome] button"))
    assert say("items_found") in page.inner_text("[role=alert]")


@pytest.mark.parametrize("language", SPOKEN)
def test_an_analyst_cuts_an_edge_and_takes_it_back(person: Callable[..., Page], language: Language) -> None:
    say = in_language(language, "say")
    page = person(f"net-{language}", "analyst", language)
    page.select_option("[name=office]", "FRLYS1")
    press(page, page.locator(".filters button"))
    press(page, page.locator("#rows a.number").first)
    press(page, page.locator(".orientation a[href*=networks]"))
    assert page.locator(".web circle").count() > 2
    no_fault(page)
    card = page.locator(".card.link").first
    card.locator("[name=reason]").fill(f"two shops of one street {language}")
    press(page, card.locator("button[value=not_same]"))
    said = page.locator("section:has(#said) .card:not(.former)").filter(has_text=f"net-{language}")
    assert say("not_same") in said.inner_text()
    said.locator("[name=reason]").fill("mistaken")
    press(page, said.locator("button[value=unsure]"))
    former = page.locator("section:has(#said) .card.former").filter(has_text=f"net-{language}")
    assert say("taken_back") in former.first.inner_text()
    no_fault(page)


@pytest.mark.parametrize("language", SPOKEN)
def test_an_auditor_verifies_and_replays(console: Console, person: Callable[..., Page], language: Language) -> None:
    say = in_language(language, "say")
    decision = console.sent([declared(900, lodged_at=TODAY)], "M-replay")[0]["decision_id"]
    page = person(f"aud-{language}", "auditor", language)
    page.goto(f"{console.address}/console/audit")
    press(page, page.locator("form[action$=verify] button"))
    page.wait_for_selector("#verification .done", timeout=30_000)
    assert say("holds") in page.inner_text("#verification")
    page.fill("[name=decision_id]", decision)
    press(page, page.locator("form[action$=replay] button"))
    assert say("identical") in page.inner_text("main")
    page.fill("[name=decision_id]", "nothing")
    press(page, page.locator("form[action$=replay] button"))
    assert page.locator("[role=alert]").count() == 1
    page.goto(f"{console.address}/console/audit")
    assert "get_consignment" in page.inner_text("main") or "consignment_page" in page.inner_text("main")
    no_fault(page)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", ["analyst", "data_scientist", "auditor", "admin"])
def test_every_page_of_every_role_is_sound(
    console: Console, person: Callable[..., Page], role: str, language: Language
) -> None:
    page = person(f"{role}-{language}", role, language)
    for place in [one.get_attribute("href") for one in page.locator("header nav a").all()]:
        page.goto(f"{console.address}{place}")
        no_fault(page)
        assert page.locator("h1").count() == 1


@pytest.mark.parametrize("language", SPOKEN)
def test_an_administrator_lets_people_and_machines_in_and_out(
    console: Console, person: Callable[..., Page], language: Language
) -> None:
    say = in_language(language, "say")
    page = person(f"adam-{language}", "admin", language)
    page.fill("form[action$=invite] [name=name]", f"new-{language}")
    press(page, page.locator("form[action$=invite] button"))
    link = page.inner_text("[role=status] code")
    no_fault(page)
    other = person(f"eve-{language}", "auditor", language)
    other.goto(link)
    other.fill("[name=password]", PASSWORD)
    press(other, other.locator("main button.main"))
    page.goto(f"{console.address}/console/access")
    mine = page.locator(".card").filter(has_text=f"new-{language}")
    press(page, mine.locator("button"))
    assert say("closed") in page.locator(".card").filter(has_text=f"new-{language}").inner_text()
    page.fill("form[action$=keys] [name=name]", f"machine-{language}")
    page.fill("form[action$=keys] [name=purpose]", "tests")
    press(page, page.locator("form[action$=keys] button"))
    key = page.inner_text("[role=status] code")
    bearing = {"Authorization": f"Bearer {key}"}
    assert console.client.get("/v1/queue?office=FRCDG1", headers=bearing).status_code == 200
    page.goto(f"{console.address}/console/access")
    press(page, page.locator(".card").filter(has_text=f"machine-{language}").locator("button"))
    assert page.locator(".card").filter(has_text=f"machine-{language}").count() == 0
    assert console.client.get("/v1/queue?office=FRCDG1", headers=bearing).status_code == 401


def test_hostile_text_stays_text(console: Console, person: Callable[..., Page]) -> None:
    page = person("xena", "analyst")
    page.goto(f"{console.address}/console/queue?office=FRCDG1")
    assert "Tamis" in page.title()
    for n, text in enumerate(HOSTILE):
        number = f"H{n}{text[:60]}"
        page.goto(f"{console.address}/console/consignments/{_quoted(number)}")
        assert text in page.inner_text("main"), text
        assert "Tamis" in page.title()
        page.fill("textarea", text)
        page.select_option("[name=clearance]", "red")
        press(page, page.locator("form[action$=override] button"))
        page.check("[name=result][value=compliant]")
        page.fill("[name=right_holder]", text)
        press(page, page.locator("form[action$=outcome] button"))
        assert page.locator(".result").count() == 1
        assert "Tamis" in page.title()
        assert (
            page.locator("main script, main img, main [onload], main [onerror], main a[href^=javascript]").count() == 0
        )
    page.goto(f"{console.address}/console/queue?office=FRCDG1&stage=pre_arrival")
    assert "Tamis" in page.title()


def test_the_policy_of_a_page_lets_no_inline_script_run(console: Console, person: Callable[..., Page]) -> None:
    """The last line of defence holds even where a template would fail."""
    page = person("csp", "analyst")
    inline = "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)"
    page.evaluate(f"() => {{ {inline} }}")
    assert page.evaluate("() => window.ran") is None
    assert any("Content Security Policy" in one for one in console.complaints)
    console.complaints.clear()


def test_the_queue_renews_itself(console: Console, person: Callable[..., Page]) -> None:
    page = person("rena", "analyst")
    page.clock.install()
    page.goto(f"{console.address}/console/queue?office=FRLYS1")
    with page.expect_response(lambda response: response.request.headers.get("hx-request") == "true"):
        page.clock.fast_forward(21_000)
    assert page.locator("#rows table").count() == 1
    assert page.locator("#rows header").count() == 0  # the list alone was sent, not a page within the page


def test_the_queue_is_usable_on_a_phone(console: Console, person: Callable[..., Page]) -> None:
    page = person("phone", "analyst", width=360)
    page.goto(f"{console.address}/console/queue?office=FRLYS1")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
    press(page, page.locator("#rows a.number").first)
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


def test_the_queue_is_worked_by_keyboard_alone(console: Console, person: Callable[..., Page]) -> None:
    page = person("keys", "analyst")
    page.goto(f"{console.address}/console/queue?office=FRLYS1")
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.className") == "number":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".waterfall")


def test_an_analyst_of_one_office_sees_no_other(console: Console, person: Callable[..., Page]) -> None:
    page = person("lyon", "analyst", offices="FRLYS1")
    assert page.locator("[name=office] option").all_inner_texts() == ["FRLYS1"]
    answered = page.goto(f"{console.address}/console/queue?office=FRCDG1")
    assert answered is not None
    assert answered.status == 403
    hidden = page.goto(f"{console.address}/console/consignments/HAWB000000001")
    assert hidden is not None
    assert hidden.status == 404
    assert "Marie Durand" not in page.content()


def test_nobody_comes_in_by_guessing(console: Console, person: Callable[..., Page]) -> None:
    page = person("gus", "analyst")
    press(page, page.locator("header .me form[action$=log-out] button"))
    for _ in range(5):
        page.fill("[name=name]", "gus")
        page.fill("[name=password]", "guessed wrongly")
        press(page, page.locator("button.main"))
    page.fill("[name=name]", "gus")
    page.fill("[name=password]", PASSWORD)
    press(page, page.locator("button.main"))
    assert page.locator("[role=alert]").count() == 1  # the right one has to wait as well
    page.goto(f"{console.address}/console/queue")
    assert page.url.endswith("/console/log-in")


def _quoted(number: str) -> str:
    from urllib.parse import quote

    return quote(number, safe="")
