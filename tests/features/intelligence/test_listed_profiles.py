"""A listed profile on a platform hits the parcels of that profile, and of nobody else on the platform."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from features.intelligence import read_list, subjects_of
from features.parties.evidence import SENDER, SURE, level_of, sender_values
from tests.features.intelligence.captures.archives import warc
from tests.features.intelligence.lists import ACTOR, bundle, entity, json_lines, page, relation

PAIRS = [
    ("https://www.facebook.com/SneakerzFactory", "https://facebook.com/sneakerzfactory/",
     "https://www.facebook.com/honest.shoes"),
    ("https://www.instagram.com/kicks88/", "instagram.com/kicks88", "https://www.instagram.com/kicks89/"),
    ("https://www.ebay.com/usr/kicks88", "https://www.ebay.com/usr/kicks88?_trksid=p1",
     "https://www.ebay.com/usr/lamps22"),
    ("https://www.etsy.com/shop/KicksShop", "https://www.etsy.com/fr/shop/KicksShop",
     "https://www.etsy.com/shop/LampShop"),
    ("https://www.aliexpress.com/store/1101234567", "https://aliexpress.com/store/1101234567",
     "https://www.aliexpress.com/store/9902"),
    ("https://www.tiktok.com/@kicks88", "https://tiktok.com/@kicks88?lang=en", "https://www.tiktok.com/@lamps22"),
    ("https://www.vinted.fr/member/1234-kicks88", "https://www.vinted.fr/member/1234-kicks88",
     "https://www.vinted.fr/member/99-lamps"),
    ("https://www.amazon.de/sp?seller=A1XYZ234567", "https://www.amazon.de/sp?seller=A1XYZ234567&ref=x",
     "https://www.amazon.de/sp?seller=B7QRS234567"),
    ("https://t.me/kicks88", "https://t.me/s/kicks88", "https://t.me/lamps22"),
    ("https://kicks88.myshopify.com", "https://kicks88.myshopify.com/products/x", "https://lamps22.myshopify.com"),
]  # fmt: skip


def as_csv(url: str) -> bytes:
    return f"name,url\nListed,{url}\n".encode()


def as_ftm(url: str) -> bytes:
    return json_lines(entity("p1", name="Listed", website=url))


def as_stix(url: str) -> bytes:
    return bundle(ACTOR, {"type": "url", "id": "url--1", "value": url}, relation("uses", str(ACTOR["id"]), "url--1"))


def as_capture(url: str) -> bytes:
    return warc((url, page("", url=url)))


def as_link_of_a_shop(url: str) -> bytes:
    return page(f"<a href='{url}'>our profile</a>", url="https://kicks-one.example/")


def hit(content: bytes, seller_url: str) -> bool:
    """Whether a parcel that states this address alone shares sure evidence with a subject of the list."""
    listed = subjects_of("list", read_list(content, "tests").statements)["values"].explode().to_list()
    stated = sender_values(*(seller_url if name == "seller_url" else None for name in SENDER))
    return bool({value for value in listed if level_of(value) in SURE} & set(stated))


WAYS = [
    (write, *pair)
    for write in (as_csv, as_ftm, as_stix, as_capture, as_link_of_a_shop)
    for pair in PAIRS
    if write is not as_link_of_a_shop or "myshopify" not in pair[0]  # a link to another shop is no profile
]


@pytest.mark.parametrize(("write", "listed", "same", "other"), WAYS)
def test_a_listed_profile_hits_its_own_parcels_alone(
    write: Callable[[str], bytes], listed: str, same: str, other: str
) -> None:
    content = write(listed)
    assert hit(content, same)
    assert not hit(content, other)
    host = listed.split("//")[1].split("/")[0].removeprefix("kicks88.")
    assert not hit(content, f"https://{host}/")
    assert not hit(content, host)
