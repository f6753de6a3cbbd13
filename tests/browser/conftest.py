"""A served home with people and machines in it, and real browsers that look at it."""

from __future__ import annotations

import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, sync_playwright

from service.access import open_access
from service.console.translations import LANGUAGES
from service.officers.overrides import override_lane
from service.parties.linking_switch import LinkingSwitch
from service.settings import Settings
from service.store.database import open_store
from tests.service.building import body, declared
from tests.service.processes import serving

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PASSWORD = "correct horse battery"
# every page is seen in each language (test_console.py); what is done on them, and how they fit, in each by `make prove`
SPOKEN = LANGUAGES if os.environ.get("TAMIS_LANGUAGES") == "all" else LANGUAGES[:1]
WAITING = 24  # parcels at the office of a test
TODAY = datetime.now(UTC).replace(hour=0, minute=5, second=0, microsecond=0)
HOSTILE = (
    "<script>document.title='taken over'</script>",
    "<img src=x onerror=\"document.title='taken over'\">",
    "\"><svg onload=document.title='taken over'>",
    "{{ 7 * 7 }} <a href=\"javascript:document.title='taken over'\">x</a>",
    "' autofocus onfocus='document.title=1",
)


@dataclass
class Console:
    """A running service. admin: his password is PASSWORD, as everybody's. key: of a clearance system."""

    address: str
    client: httpx.Client
    settings: Settings
    key: str = ""
    admin: str = "ada"
    complaints: list[str] = field(default_factory=list)

    def sent(self, consignments: list[dict[str, Any]], message_id: str) -> list[dict[str, Any]]:
        """What was decided of some consignments, sent as the clearance system sends them."""
        told = self.client.post(
            "/v1/consignments", json=body(*consignments, message_id=message_id),
            headers={"Authorization": f"Bearer {self.key}"},
        )  # fmt: skip
        assert told.status_code == 200, told.text
        return list(told.json()["decisions"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window; skipped, and said so, where none is installed."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium, which .ci/run installs")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"] * (os.geteuid() == 0))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def console(browser: Browser, sealed_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """`tamis serve` on a fresh machine; its first administrator came in by the link that it printed."""
    folder = tmp_path_factory.mktemp("console")
    shutil.copytree(sealed_home, folder / "home")
    settings = Settings(home=folder / "home")
    LinkingSwitch(settings.linking).turn_on("tests", "nobody here exists", TODAY)
    log = folder / "serve.log"
    with serving(settings, log, TAMIS_ACCESS="keys") as (_, client):
        told = Console(str(client.base_url).rstrip("/"), client, settings)
        link = re.search(r"/console/invitation/\S+", log.read_text(encoding="utf-8"))
        assert link, "no set-up link was printed"
        page = browser.new_page(locale="en-GB")
        page.goto(told.address + link[0])
        page.fill("[name=name]", told.admin)
        accept(page)
        log_in(page, told.admin)
        page.fill("form[action$=keys] [name=name]", "clearance-1")
        page.fill("form[action$=keys] [name=purpose]", "clearance of express consignments")
        press(page, page.locator("form[action$=keys] button"))
        told.key = page.inner_text("[role=status] code")
        page.close()
        told.sent(day(), "M-day")
        yield told


def day() -> list[dict[str, Any]]:
    """Consignments of two offices: some of one hidden sender under many names, some that say hostile things."""
    plain = [declared(n, lodged_at=TODAY + timedelta(seconds=n)) for n in range(1, 40)]
    hidden = [
        declared(
            100 + n, lodged_at=TODAY + timedelta(seconds=60 + n), office="FRLYS1",
            consignor={"name": f"Shop {n} Star", "address": f"{n} Road", "city": "Yiwu", "country": "CN",
                       "phone": "+86 138 1234 5678", "email": f"star{n % 2}@shops.example"},
            goods=[{"line_no": 1, "description": "perfume branded", "hs_code": "330300", "quantity": 20 + n,
                    "net_mass_kg": 0.2, "value": 4.0, "currency": "EUR", "goods_origin_country": "CN"}],
        )
        for n in range(12)
    ]  # fmt: skip
    hostile = [
        declared(
            200 + n, lodged_at=TODAY + timedelta(seconds=90 + n), consignment_id=f"H{n}{text[:60]}",
            consignor={"name": text, "address": text, "city": text[:50], "country": "CN", "email": text[:80]},
            consignee={"name": text, "address": text, "country": "FR"}, platform=text[:60], seller_url=text,
            goods=[{"line_no": 1, "description": text, "hs_code": "640411", "quantity": 1, "value": 3.0,
                    "currency": "EUR", "product_code": text[:50]}],
        )
        for n, text in enumerate(HOSTILE)
    ]  # fmt: skip
    return [*plain, *hidden, *hostile]


@pytest.fixture
def person(browser: Browser, console: Console) -> Iterator[Callable[..., Page]]:
    """Somebody of a role, invited by the administrator and logged in, in a browser of his own."""
    contexts: list[BrowserContext] = []

    def come_in(name: str, role: str, language: str = "en", offices: str = "*", width: int = 1280) -> Page:
        context = browser.new_context(locale=language, viewport={"width": width, "height": 900})
        contexts.append(context)
        page = watched(context.new_page(), console)
        page.goto(invited(console, name, role, offices))
        accept(page)
        log_in(page, name)
        return page

    yield come_in
    for context in contexts:
        context.close()
    assert console.complaints == []


@pytest.fixture
def office(console: Console, request: pytest.FixtureRequest) -> str:
    """An office with parcels of its own that wait: an officer has asked for a check of each."""
    name = f"FRK{zlib.crc32(request.node.name.encode()) % 900 + 100}"
    sent = [
        declared(n, consignment_id=f"{name}-{n:03d}", office=name, lodged_at=TODAY + timedelta(seconds=n))
        for n in range(WAITING)
    ]
    store = open_store(console.settings)
    for decision in console.sent(sent, f"M-{name}"):
        number = decision["consignment_id"]
        override_lane(store, decision["decision_id"], "yellow", "chief", "all of this flight", TODAY, number)
    store.close()
    return name


def watched(page: Page, console: Console) -> Page:
    """A page whose every request that leaves the host, error and breach of its own policy is written down."""
    page.on("request", lambda request: _leaves(request.url, console))
    page.on("pageerror", lambda fault: console.complaints.append(f"{page.url}: {fault}"))
    page.on("console", lambda said: _complains(said, page, console))
    return page


def _complains(said: ConsoleMessage, page: Page, console: Console) -> None:
    if said.type == "error" and "status of 4" not in said.text:
        console.complaints.append(f"{page.url}: {said.text}")


def _leaves(url: str, console: Console) -> None:
    if not url.startswith(console.address):
        console.complaints.append(f"left the host: {url}")


def invited(console: Console, name: str, role: str, offices: str) -> str:
    """A one-time link for somebody, as `tamis invite` makes it."""
    access = open_access(console.settings)
    token = access.invite(name, role, offices.split(","), "tamis invite", datetime.now(UTC))
    access.store.close()
    return f"{console.address}/console/invitation/{token}"


def press(page: Page, button: Locator) -> None:
    """Click, and wait until the page that comes of it has loaded, its style too."""
    with page.expect_navigation():
        button.click()


def accept(page: Page) -> None:
    """Choose the password that everybody here has."""
    page.fill("[name=password]", PASSWORD)
    press(page, page.locator("button.main"))


def log_in(page: Page, name: str) -> None:
    """Come in."""
    page.wait_for_selector("[name=purpose]")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    press(page, page.locator("button.main"))
    page.wait_for_selector("header nav")
