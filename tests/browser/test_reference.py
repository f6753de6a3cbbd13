"""The page of the API in a real browser: all of it from this machine, under the policy of content of every page."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from service.problems.catalogue import BUSY
from tests.browser.conftest import Console
from tests.service.building import declared


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_api_is_read_and_tried_without_any_other_host(console: Console, browser: Browser, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)  # type: ignore[arg-type]
    hosts: set[str] = set()
    complaints: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    answer = page.goto(f"{console.address}/docs")
    assert answer is not None
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
    operations = console.client.get("/openapi.json").json()["paths"]
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() == sum(len(methods) for methods in operations.values())
    number = declared(901)["consignment_id"]
    console.sent([declared(901)], "TRIED")
    page.get_by_role("button", name="Authorize").first.click()
    page.locator(".modal-ux input").fill(console.key)
    page.locator(".modal-ux").get_by_role("button", name="Apply credentials").click()
    page.locator(".modal-ux").get_by_role("button", name="Close").first.click()
    tried = page.locator("#operations-consignments-get_consignment")
    tried.locator(".opblock-summary-control").click()
    tried.get_by_role("button", name="Try it out").click()
    tried.locator("tr[data-param-name='consignment_id'] input").fill(number)
    tried.get_by_role("button", name="Execute").click()
    answered = tried.locator(".live-responses-table")
    answered.wait_for()
    assert answered.locator("tbody .response-col_status").first.inner_text().startswith("200")
    assert number in answered.inner_text()
    assert hosts == {urlsplit(console.address).netloc}
    assert complaints == []
    page.close()


def test_the_type_of_a_problem_leads_to_its_words(console: Console, browser: Browser) -> None:
    page = browser.new_page()
    page.goto(f"{console.address}{BUSY.type}")
    assert BUSY.title in page.locator(f"[id='{BUSY.code}']").inner_text()
    assert page.locator(":target").get_attribute("id") == BUSY.code
    page.close()
