"""From a list to a case in the browser alone: the two cases of the field, acted out with invented persons."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page
from pypdf import PdfReader

from service.console.translations import LANGUAGES, in_language
from service.scoring.explanation import Language
from tests.browser.accessibility import no_fault
from tests.browser.conftest import SPOKEN, TODAY, Console, press
from tests.service.building import declared

MOST_CLICKS = 12
ROUBAIX = {"address": "181 rue du Port", "city": "Roubaix", "postcode": "59100", "country": "FR"}
SENDERS = ("Dongguan Prime", "Istanbul Deri", "Hangzhou Luxe", "Lahore Sports")


@dataclass
class Clicker:
    """Counts the clicks of everybody who works on a case."""

    clicks: int = 0

    def __call__(self, page: Page, button: Locator) -> None:
        """Click, and wait for the page that comes of it."""
        self.clicks += 1
        press(page, button)


def stock(number: int, reseller: dict[str, str], sender: str, **changes: Any) -> dict[str, Any]:
    """A parcel of stock from one of many senders to a reseller at home."""
    consignor = {"name": sender, "address": f"{number} Export Road", "city": "Somewhere", "country": "CN",
                 "phone": f"+86 137 {number:04d} 0000"}  # fmt: skip
    goods = [{"line_no": 1, "description": "sport shoes", "hs_code": "640411", "quantity": 4, "value": 22.0,
              "currency": "EUR", "goods_origin_country": "CN"}]  # fmt: skip
    at = TODAY + timedelta(seconds=300 + number % 600)
    return declared(
        number, lodged_at=at, office="FRLIL1", consignor=consignor, consignee=reseller, goods=goods, **changes
    )


def import_on_the_page(page: Page, console: Console, click: Clicker, name: str, file: Path) -> None:
    """Take in a list as an officer does, from wherever he is."""
    page.click("nav details:has(a[href$=lists]) summary")
    click(page, page.locator("nav a[href$=lists]"))
    page.fill("[name=list_id]", name)
    page.set_input_files("[name=document]", file)
    click.clicks += 1  # the file
    click(page, page.locator("#import ~ form button.main"))


@pytest.mark.parametrize("language", SPOKEN)
def test_a_reseller_on_social_networks_is_found_as_an_addressee(
    console: Console, person: Callable[..., Page], tmp_path: Path, language: Language
) -> None:
    say, word, base = (
        in_language(language, "say"),
        in_language(language, "word"),
        2000 + 100 * LANGUAGES.index(language),
    )
    phone, list_id = f"+33 6 39 98 {base // 100} 34", f"snap-{language}"
    kevin = {"name": "Kevin Lemaire", "phone": phone, **ROUBAIX, "address": f"{base} rue du Port"}
    names = ("Kevin Lemaire", "Lemaire K.", "Odile Lemaire", "M. Lemaire Kévin")
    before = [stock(base + n, kevin | {"name": names[n]}, SENDERS[n]) for n in range(2)]
    console.sent([*before, stock(base + 50, {"name": "Paul Voisin", **ROUBAIX}, SENDERS[0])], f"M-before-{language}")
    file = tmp_path / "platform.csv"
    file.write_text(f"id,schema,name,phone,country\n1,Person,Kevin Lemaire,{phone},FR\n", encoding="utf-8")

    click, one, other = (
        Clicker(),
        person(f"lea-{language}", "analyst", language),
        person(f"max-{language}", "analyst", language),
    )
    import_on_the_page(one, console, click, list_id, file)
    assert word("waiting") in one.inner_text("main")
    assert one.locator("button[value=approve]").count() == 0  # nobody approves his own
    assert one.locator(".hits tbody tr").count() == 2  # what it would match, and not the neighbour
    no_fault(one)
    other.click("nav details:has(a[href$=lists]) summary")
    click(other, other.locator("nav a[href$=lists]"))
    no_fault(other)
    click(other, other.locator("table a.number", has_text=list_id))
    assert other.locator(".hits tbody tr").count() == 2
    click(other, other.locator("button[value=approve]"))
    after = [stock(base + n, kevin | {"name": names[n % 4]}, SENDERS[n % 4]) for n in range(10, 14)]
    decided = console.sent(after, f"M-after-{language}")
    for parcel in decided:  # each is asked for, by a reason that names the side; to officers the list as well
        assert {"list.consignee", "rule.addressee-on-a-watch-list"} <= {reason["code"] for reason in parcel["reasons"]}
    other.reload()
    assert other.locator(".hits tbody tr").count() == 6
    click(other, other.locator("main form[action$=investigations] button"))
    assert other.locator("#marked tbody tr").count() == 6
    assert other.inner_text("#marked").count(list_id) >= 4
    assert phone in other.inner_text("section:has(#shared)")
    press_checks = other.locator("button[value=check]")
    click(other, press_checks)
    assert other.locator("#marked .lane.red").count() == 6
    assert click.clicks <= MOST_CLICKS
    no_fault(other)
    assert other.locator("svg.board a").count() > 10
    assert say("board_addressee") in (other.text_content("svg.board") or "")
    no_sideways_scroll(other)


def no_sideways_scroll(page: Page) -> None:
    """On a telephone the page fits, whatever stands in its tables."""
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.emulate_media(media="print")
    assert page.locator("#marked button").first.is_hidden()
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.fixture
def stamps(console: Console, person: Callable[..., Page], tmp_path: Path) -> tuple[Page, Clicker]:
    """The fake stamps: one printer under the seller's pseudonym, a second one that sends to his house."""
    seller = {"name": "Jean Timbre", "address": "7 rue Crébillon", "city": "Nantes", "postcode": "44000",
              "country": "FR", "phone": "+33 6 39 98 77 11"}  # fmt: skip
    printer = {"name": "Dongguan Label Print", "address": "8 Print Road", "city": "Dongguan", "country": "CN",
               "email": "labels77x@print.example"}  # fmt: skip
    labels = [{"line_no": 1, "description": "self adhesive labels", "hs_code": "482110", "quantity": 900, "value": 9.0,
               "currency": "EUR", "goods_origin_country": "CN"}]  # fmt: skip
    common: dict[str, Any] = {"office": "FRNTE1", "goods": labels}
    customer = {"name": "Anne Client", "address": "2 quai Vert", "city": "Brest", "postcode": "29200", "country": "FR"}
    other_name = printer | {"name": "Label & Print DG", "address": "15 Harbour Street"}
    second = {"name": "Foshan Paper", "address": "1 Paper Street", "city": "Foshan", "country": "CN",
              "phone": "+86 757 8111 2222"}  # fmt: skip
    sold = {"platform": "ebay", "seller_account": "timbres_pas_chers_75"}
    parcels = [
        declared(
            3001, lodged_at=TODAY + timedelta(seconds=901), consignor=printer, consignee=customer, **sold, **common
        ),
        declared(3002, lodged_at=TODAY + timedelta(seconds=902), consignor=other_name, consignee=customer, **common),
        declared(3003, lodged_at=TODAY + timedelta(seconds=903), consignor=second, consignee=seller, **common),
        declared(3004, lodged_at=TODAY + timedelta(seconds=904), consignee=customer, **common),
    ]
    console.sent(parcels, "M-stamps")
    file = tmp_path / "ebay.csv"
    file.write_text(
        "id,name,phone,country,account\n1,Jean Timbre,+33639987711,FR,timbres_pas_chers_75\n",
        encoding="utf-8",
    )
    click, one, page = Clicker(), person("nina", "analyst"), person("omar", "analyst")
    import_on_the_page(one, console, click, "fake-stamps", file)
    page.click("nav details:has(a[href$=lists]) summary")
    click(page, page.locator("nav a[href$=lists]"))
    click(page, page.locator("table a.number", has_text="fake-stamps"))
    click(page, page.locator("button[value=approve]"))
    click(page, page.locator("main form[action$=investigations] button"))
    return page, click


def test_the_seller_of_stamps_is_found_on_both_sides_and_his_case_is_handed_over(
    console: Console, stamps: tuple[Page, Clicker], tmp_path: Path
) -> None:
    page, click = stamps
    held = page.inner_text("#marked")
    assert all(f"HAWB00000{number}" in held for number in (3001, 3002, 3003))  # the second printer's parcel too
    assert "HAWB000003004" not in held
    click(page, page.locator("button[value=check]"))
    assert page.locator("#marked .lane.red").count() == 3
    assert click.clicks <= MOST_CLICKS
    here = page.url

    page.fill("[name=text][maxlength='4000'] >> nth=0", "ask the platform for the log-ins")
    page.fill("[name=who]", "nina")
    press(page, page.locator("form:has([name=who]) button"))
    assert "nina" in page.inner_text("section:has(#tasks)")
    page.fill("textarea[name=text]", "test purchase: the stamps are counterfeit")
    page.locator("textarea[name=text]").press("Tab")  # by keyboard
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert "test purchase" in page.inner_text("section:has(#notes)")
    paper = tmp_path / "réponse.txt"
    paper.write_text("name and mailbox of the account\n" * 20_000, encoding="utf-8")  # more than a form may be
    page.set_input_files("[name=document]", paper)
    press(page, page.locator("form:has([name=document]) button"))
    digest = hashlib.sha256(paper.read_bytes()).hexdigest()
    assert digest in page.inner_text("section:has(#documents)")
    with page.expect_download() as kept:
        page.locator("section:has(#documents) a").first.click()
    assert Path(kept.value.path()).read_bytes() == paper.read_bytes()

    packed = [handed_over(page) for _ in range(2)]
    with zipfile.ZipFile(io.BytesIO(packed[0])) as file:
        names = set(file.namelist())
        assert {"report.pdf", "entities.ftm.json", "declarations.json", "manifest.sha256"} < names
        for line in file.read("manifest.sha256").decode().splitlines():
            stated, name = line.split("  ", 1)
            assert hashlib.sha256(file.read(name)).hexdigest() == stated
        text = "".join(part.extract_text() for part in PdfReader(io.BytesIO(file.read("report.pdf"))).pages)
        assert "HAWB000003003" in text
        assert "Jean Timbre" in text
        assert "Jean Timbre" in file.read("entities.ftm.json").decode()
    page.goto(here)
    assert hashlib.sha256(packed[0]).hexdigest() in page.inner_text("section:has(#timeline)")
    no_fault(page)


def handed_over(page: Page) -> bytes:
    """The file for the prosecutor."""
    page.fill("[name=to]", "prosecutor of Nantes")
    with page.expect_download() as kept:
        page.locator("form:has([name=to]) button").click()
    content = Path(kept.value.path()).read_bytes()
    page.reload()
    return content


def test_a_right_holder_answers_once_by_a_link(console: Console, person: Callable[..., Page]) -> None:
    console.sent([stock(4001, {"name": "Rita Ask", **ROUBAIX}, SENDERS[2])], "M-holder")
    page = person("quentin", "analyst")
    page.goto(f"{console.address}/console/consignments/HAWB000004001")
    page.locator("section:has(#case) summary").click()
    page.check("section:has(#case) [value=counterfeit]")
    page.fill("section:has(#case) [name=right_holder]", "Sole Brands")
    press(page, page.locator("section:has(#case) button"))
    assert "Sole Brands" in page.inner_text("section:has(#case)")
    press(page, page.locator("form:has([value=ask]) button"))
    no_fault(page)
    link = page.inner_text("section:has(#case) code")
    stranger = page.context.browser.new_context(locale="fr").new_page()  # type: ignore[union-attr]
    stranger.goto(link)
    assert "sport shoes" in stranger.inner_text("main")
    assert "Rita Ask" not in stranger.content()
    no_fault(stranger)
    stranger.check("[value=holder_confirms]")
    stranger.fill("[name=name]", "C. Brand, legal")
    press(stranger, stranger.locator("button.main"))
    assert in_language("fr", "say")("holder_thanks") in stranger.inner_text("main")
    assert stranger.goto(link).status == 404  # type: ignore[union-attr]
    stranger.context.close()
    page.goto(f"{console.address}/console/consignments/HAWB000004001")
    assert (
        "Non-compliant" in page.inner_text("section:has(#results)")
        or "non-compliant" in page.inner_text("main").lower()
    )
    assert "holder confirms" in page.inner_text("section:has(#case)")
