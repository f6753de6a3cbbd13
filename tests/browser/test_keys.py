"""A shift at the work list without a mouse: keys are counted, nothing is lost, and what was done can be undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from service.console.translations import in_language
from service.scoring.explanation import Language
from service.store.access_tables import SESSIONS
from service.store.bulk_rows import delete_rows
from service.store.database import open_store
from service.store.tables import OUTCOMES
from tests.browser.accessibility import no_fault
from tests.browser.conftest import PASSWORD, SPOKEN, WAITING, Console
from tests.browser.keyboard import Keyboard, work_list

KEYS = 60  # for ten parcels, beyond what is typed into fields


def focused(page: Page) -> str | None:
    """The number of the row that has the focus."""
    number: str | None = page.evaluate("() => document.activeElement.closest('tr[data-number]')?.dataset.number")
    return number


def results_of(console: Console, numbers: list[str]) -> dict[str, list[str]]:
    store = open_store(console.settings)
    found: dict[str, list[str]] = {}
    with store.reading() as connection:
        chosen = OUTCOMES.select().where(OUTCOMES.c.consignment_id.in_(numbers)).order_by(OUTCOMES.c.known_at)
        for row in connection.execute(chosen):
            found.setdefault(row.consignment_id, []).append(row.body["result"])
    store.close()
    return found


def test_ten_parcels_with_their_results_take_sixty_keys(
    console: Console, person: Callable[..., Page], office: str
) -> None:
    page = person("ten", "analyst")
    first = work_list(console, page, office)[:10]
    keys = Keyboard(page)
    keys.press("j")
    for place, number in enumerate(first):
        assert focused(page) == number
        keys.press("r")
        expect(page.locator("#entry")).to_be_visible()
        if place % 2:
            keys.press("f")
            page.keyboard.type("12")
        else:
            keys.press("c")
        keys.lead("Enter")
    assert keys.pressed <= KEYS
    found = results_of(console, first)
    assert [found[number] for number in first] == [["compliant"], ["non_compliant"]] * 5
    page.goto(f"{console.address}/console/queue?office={office}")
    assert page.locator("#rows tr[data-number]").count() == WAITING - 10


def test_one_result_for_the_rows_that_are_marked_is_undone_as_one(
    console: Console, person: Callable[..., Page], office: str
) -> None:
    page = person("many", "analyst")
    first = work_list(console, page, office)[:3]
    keys = Keyboard(page)
    keys.press("j", "x", "j", "x", "j", "x")
    keys.lead("r")
    assert page.locator("#bulk [name=number]:checked").count() == len(first)
    no_fault(page)
    keys.press("r", "f")
    page.keyboard.type("12")
    keys.lead("Enter")
    assert {tuple(of) for of in results_of(console, first).values()} == {("non_compliant",)}
    assert len(results_of(console, first)) == len(first)
    assert page.locator("#rows tr[data-number]").count() == WAITING - len(first)
    keys.lead("z")
    assert {tuple(of) for of in results_of(console, first).values()} == {("non_compliant", "inconclusive")}
    assert keys.pressed <= 11


@pytest.mark.parametrize("language", SPOKEN)
def test_one_opened_after_another_with_a_result_each(
    console: Console, person: Callable[..., Page], office: str, language: Language
) -> None:
    page = person(f"open-{language}", "analyst", language)
    numbers = work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j", "j")
    keys.lead("o")
    for number in numbers[1:4]:
        assert number in page.inner_text("h1")
        keys.press("r", "f")
        page.keyboard.type("3")
        keys.lead("Enter")
        assert number in page.inner_text("#toasts [role=status]")
    assert numbers[4] in page.inner_text("h1")
    assert keys.pressed <= 3 + 3 * 3


def test_a_result_is_undone_and_entered_anew(console: Console, person: Callable[..., Page], office: str) -> None:
    page = person("undoes", "analyst")
    number = work_list(console, page, office)[0]
    keys = Keyboard(page)
    keys.press("j", "r", "f")
    page.keyboard.type("7")
    keys.lead("Enter")
    keys.lead("z")
    assert number in page.inner_text("h1")
    assert results_of(console, [number]) == {number: ["non_compliant", "inconclusive"]}  # both stay on record
    assert page.is_checked("[name=findings][value=counterfeit]")  # as it had been entered
    assert page.input_value("[name=items_found]") == "7"
    keys.press("r", "c")
    keys.lead("Enter")
    assert results_of(console, [number])[number][-1] == "compliant"
    keys.lead("z")
    assert results_of(console, [number])[number][-1] == "inconclusive"  # what counted before counts again
    no_fault(page)


def test_a_lane_is_undone(console: Console, person: Callable[..., Page], office: str) -> None:
    page = person("lanes", "analyst")
    work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j")
    keys.lead("Enter")
    before = page.locator(".summary .lane").first.get_attribute("class")
    other = "red" if "yellow" in str(before) else "yellow"
    page.select_option("[name=clearance]", other)
    page.fill("form[action$=override] [name=reason]", "looked at the picture")
    with page.expect_navigation():
        page.locator("form[action$=override] button").press("Enter")
    assert other in str(page.locator(".summary .lane").first.get_attribute("class"))
    keys.lead("z")
    assert page.locator(".summary .lane").first.get_attribute("class") == before
    assert page.locator(".overrides p").count() == 3


def test_who_has_it_is_seen_by_others(console: Console, person: Callable[..., Page], office: str) -> None:
    one, other = person("holder", "analyst"), person("looker", "analyst")
    number = work_list(console, one, office)[0]
    keys = Keyboard(one)
    keys.press("j")
    keys.lead("l")
    assert focused(one) == number
    work_list(console, other, office)
    row = other.locator(f"tr[data-number='{number}']")
    assert "holder" in row.inner_text()
    other.goto(f"{console.address}/console/queue?office={office}&holder=nobody")
    assert row.count() == 0
    other.goto(f"{console.address}/console/queue?office={office}&holder=others")
    assert other.locator("#rows tr[data-number]").count() == 1
    keys.lead("l")
    work_list(console, other, office)
    assert "holder" not in row.inner_text()


def test_the_next_one_is_not_one_that_somebody_else_has(
    console: Console, person: Callable[..., Page], office: str
) -> None:
    one, other = person("first-in", "analyst"), person("second-in", "analyst")
    numbers = work_list(console, one, office)
    keys = Keyboard(one)
    keys.press("j", "j")
    keys.lead("l")
    work_list(console, other, office)
    keys = Keyboard(other)
    keys.press("j", "r", "c")
    keys.lead("Enter")
    assert focused(other) == numbers[2]


def test_the_focus_stays_with_its_parcel_when_the_list_renews_itself(
    console: Console, person: Callable[..., Page], office: str
) -> None:
    page = person("stays", "analyst")
    numbers = work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j", "j", "j")
    with page.expect_response(lambda answer: "hx-request" in answer.request.headers, timeout=25_000):
        pass
    page.wait_for_timeout(300)
    assert focused(page) == numbers[2]
    keys.press("j")
    assert focused(page) == numbers[3]


def test_what_was_typed_survives_a_log_out(console: Console, person: Callable[..., Page], office: str) -> None:
    page = person("typist", "analyst")
    work_list(console, page, office)
    keys = Keyboard(page)
    keys.press("j")
    keys.lead("Enter")
    place = page.url
    page.locator(".result-form [name=right_holder]").press_sequentially("Maison de Parfum")
    page.check("[name=result][value=inconclusive]")
    page.reload()
    assert page.input_value(".result-form [name=right_holder]") == "Maison de Parfum"
    store = open_store(console.settings)
    store.write(lambda connection: delete_rows(connection, SESSIONS, SESSIONS.c.name == "typist"))
    store.close()
    with page.expect_navigation():
        page.locator(".result-form [name=right_holder]").press("Enter")  # the session is over: nothing of it arrives
    page.fill("[name=name]", "typist")
    page.fill("[name=password]", PASSWORD)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    link = page.locator("#toasts a")
    assert str(link.get_attribute("href")) in place
    page.goto(place)
    assert page.input_value(".result-form [name=right_holder]") == "Maison de Parfum"
    assert page.is_checked("[name=result][value=inconclusive]")
    with page.expect_navigation():
        page.locator(".result-form [name=right_holder]").press("Enter")
    page.goto(place)
    assert page.input_value(".result-form [name=right_holder]") == ""  # it was sent


def test_a_list_is_arranged_and_kept(console: Console, person: Callable[..., Page], office: str) -> None:
    page = person("arranges", "analyst")
    work_list(console, page, office)
    with page.expect_navigation():
        page.locator("th.c-lodged a").press("Enter")
    page.locator(".list-foot summary").press("Enter")
    for name in ("reason", "value"):
        page.uncheck(f"[name=columns][value={name}]")
    page.check("[name=columns][value=weight]")
    with page.expect_navigation():
        page.locator(".columns button").press("Enter")
    page.goto(f"{console.address}/console/queue")
    assert page.input_value("[name=office]") == office
    assert page.locator("th.c-lodged").get_attribute("aria-sort") == "ascending"
    assert page.locator("th.c-weight").count() == 1
    assert page.locator("th.c-reason, th.c-value").count() == 0


@pytest.mark.parametrize("language", SPOKEN)
def test_the_keys_are_explained_and_can_be_turned_off(
    console: Console, person: Callable[..., Page], office: str, language: Language
) -> None:
    page = person(f"help-{language}", "analyst", language)
    work_list(console, page, office)
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    assert in_language(language, "say")("key_take") in page.inner_text("#keys")
    no_fault(page)
    page.uncheck("#keys-on")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert focused(page) is None


def test_twenty_rows_and_more_stand_on_a_screen(console: Console, person: Callable[..., Page], office: str) -> None:
    page = person("dense", "analyst")
    page.set_viewport_size({"width": 1280, "height": 800})
    work_list(console, page, office)
    bottoms: list[float] = page.locator("#rows tr[data-number]").evaluate_all(
        "rows => rows.map(r => r.getBoundingClientRect().bottom)"
    )
    assert sum(bottom <= 800 for bottom in bottoms) >= 20
