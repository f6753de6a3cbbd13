"""Captured pages: what a reader of the page could use to reach its shop, and the numbers that show a common owner.

What conclusively shows a common owner becomes evidence; titles and prices are kept as stated, and link nothing. A shop
is its host; on a platform, the profile or store that the page is of.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree

from features.identifiers.shared_hosts import shared_host
from features.identifiers.shops import shop, web_address
from features.intelligence.bank_accounts import accounts_in
from features.intelligence.captures.handles import handles_in
from features.intelligence.captures.links import PROFILE_KINDS, profile_of, statements_of_link
from features.intelligence.captures.page import LARGEST_PAGE, Page
from features.intelligence.captures.page_address import address_of, host_of
from features.intelligence.captures.page_text import links_of, text_of
from features.intelligence.captures.pages import pages_in
from features.intelligence.captures.structured import structured_of
from features.intelligence.captures.trackers import tags_of
from features.intelligence.countries import country_code
from features.intelligence.mailboxes import mailboxes_in, unguarded
from features.intelligence.statements import Reading, Row
from features.intelligence.telephones import canonical_telephone, telephones_in
from features.intelligence.wallets import wallets_in

FRAME_HOSTS = Path(__file__).with_name("frame_hosts.toml")
MOST_OF_A_KIND = 40
NOBODYS = ("of all the world", "link shortener", "carrier")  # hosts whose pages are no shop's
SOLD_AS_NAMES = (
    "co",
    "io",
    "me",
    "tv",
    "ai",
    "cc",
    "to",
    "ws",
    "fm",
    "gg",
    "la",
    "sh",
    "vc",
    "is",
    "im",
    "ly",
)  # not places
Statement = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Shop:
    """Whom a page is of: subject, its address as stated, and whether a platform shows it."""

    subject: str
    address: str
    of_platform: bool
    host: str


def read_captured(content: bytes, reading: Reading) -> Iterator[Row]:
    """Yield the statements of each page on its shop; a page that cannot be read is a problem with its place."""
    for place, page in enumerate(pages_in(content, reading), start=1):
        try:
            yield from _of_page(page, reading)
        except (etree.LxmlError, ValueError, LookupError, RecursionError):
            reading.problem(place, "a page that cannot be read", "capture it again")


def _of_page(page: Page, reading: Reading) -> Iterator[Row]:
    content = page.content[:LARGEST_PAGE]
    if not content.strip():
        reading.leave_out("page", "it is empty")
        return
    tree = _tree(content, page.charset)
    shop_of = _shop_of(address_of(page.url, content, tree), reading)
    if shop_of is None:
        return
    region = _region(tree, shop_of.host)
    by_kind: dict[str, dict[str, str]] = {}
    for prop, text in _stated(tree, shop_of, region):
        key = (canonical_telephone(text, region) or text) if prop == "phone" else text
        by_kind.setdefault(prop, {}).setdefault(key, text)
    for prop, texts in by_kind.items():
        if len(texts) > MOST_OF_A_KIND:
            reading.leave_out(prop, f"a page states more than {MOST_OF_A_KIND}", len(texts) - MOST_OF_A_KIND)
        yield from ((shop_of.subject, shop_of.subject, prop, text) for text in list(texts.values())[:MOST_OF_A_KIND])


def _tree(content: bytes, charset: str) -> Any:
    """Parse a page in the charset of its capture, or its own; UTF-8 where it names none and is that."""
    head = content[:4096].lower()
    if not charset and b"charset" not in head and b"encoding" not in head:
        try:
            content.decode("utf-8")
            charset = "utf-8"
        except UnicodeDecodeError:
            charset = ""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        content, charset = content.decode("utf-16", "replace").encode(), "utf-8"
    options: dict[str, Any] = {
        "huge_tree": False,
        "no_network": True,
        "recover": True,
        "remove_comments": True,
        "remove_pis": True,
    }
    try:
        parser = etree.HTMLParser(encoding=charset or None, **options)
    except LookupError:  # a charset that nobody knows
        parser = etree.HTMLParser(**options)
    tree = etree.fromstring(content.removeprefix(b"\xef\xbb\xbf"), parser=parser)
    if tree is None:
        raise ValueError("a page without an element")
    return tree


def _shop_of(url: str, reading: Reading) -> _Shop | None:
    host = host_of(url)
    if not host:
        reading.leave_out("page", "neither the capture nor the page says which host it is of")
        return None
    address = web_address(url)
    shared = shared_host(address.host) if address else None
    if _is_frame(host):
        reading.leave_out("page", "a page of a service that shops show inside their own")
        return None
    if shared is None:
        return _Shop(host, f"https://{host}/", of_platform=False, host=host)
    key = shop(url)
    if shared[0].kind in NOBODYS or key is None:
        reading.leave_out("page", "a page of a platform or service that names no profile and no store")
        return None
    return _Shop(key, url, shared[0].kind in PROFILE_KINDS, host)


def _is_frame(host: str) -> bool:
    labels = host.split(".")
    return any(".".join(labels[at:]) in _frame_hosts() for at in range(max(0, len(labels) - 4), len(labels) - 1))


@cache
def _frame_hosts() -> frozenset[str]:
    return frozenset(tomllib.loads(FRAME_HOSTS.read_text(encoding="utf-8"))["hosts"]["words"])


def _stated(tree: Any, shop_of: _Shop, region: str | None) -> Iterator[Statement]:
    """Yield what a page states; of a page that a platform shows, without what the platform states of itself."""
    yield "url", shop_of.address
    structured = [] if shop_of.of_platform else list(structured_of(tree))
    yield from [] if shop_of.of_platform else (("tag", tag) for tag in tags_of(tree))
    yield from (("title", " ".join(title.split())) for title in tree.xpath("//title/text()")[:1])
    brands = {text.casefold() for prop, text in structured if prop == "brand"}
    links = [text for prop, text in structured if prop == "link"] + links_of(tree)
    guarded = [address for code in tree.xpath("//@data-cfemail")[:MOST_OF_A_KIND] if (address := unguarded(str(code)))]
    text = text_of(tree, of_platform=shop_of.of_platform)
    yield from _own(_contacts(text, guarded, region), shop_of)
    yield from _of_links(links, brands, shop_of, region)
    for prop, stated in structured:
        if prop == "email":
            yield from (("email", mailbox) for mailbox in mailboxes_in(stated))
        elif (prop == "phone" and canonical_telephone(stated, region)) or prop in ("brand", "price", "id"):
            yield prop, stated


def _contacts(text: str, guarded: Iterable[str], region: str | None) -> Iterator[Statement]:
    yield from (("email", mailbox) for mailbox in (*mailboxes_in(text), *guarded))
    yield from (("phone", _with_code(telephone, region)) for telephone in telephones_in(text, region))
    yield from handles_in(text)
    yield from (("wallet", wallet) for wallet in wallets_in(text))
    yield from (("iban", iban) for iban in accounts_in(text))


def _with_code(telephone: str, region: str | None) -> str:
    """Return a telephone as written; one without its country's code with it, as a list of pages states no country."""
    return (
        telephone
        if telephone.lstrip("( ").startswith(("+", "00"))
        else canonical_telephone(telephone, region) or telephone
    )


def _of_links(links: Iterable[str], brands: set[str], shop_of: _Shop, region: str | None) -> Iterator[Statement]:
    """Yield what links state, but for links of a platform to its own profiles, and of a shop to the genuine brand."""
    profiles: set[str] = set()
    for link in links:
        for prop, text in _own(statements_of_link(link, region), shop_of):
            if prop != "url":
                yield prop, text
                continue
            key = profile_of(text) or text
            if not shop_of.of_platform and key not in profiles and key.rpartition("/")[2] not in brands:
                profiles.add(key)
                yield prop, text


def _own(statements: Iterable[Statement], shop_of: _Shop) -> Iterator[Statement]:
    """Yield statements without mailboxes of the platform that shows the page."""
    for prop, text in statements:
        if not (prop == "email" and shop_of.of_platform and shared_host(text.rpartition("@")[2].lower())):
            yield prop, text


def _region(tree: Any, host: str) -> str | None:
    """Return the country in whose number plan a page writes: of its host's ending, or of its language."""
    ending = host.rpartition(".")[2]
    if len(ending) == 2 and ending not in SOLD_AS_NAMES:
        return country_code(ending)
    for language in tree.xpath("/html/@lang | //meta[@property='og:locale']/@content")[:2]:
        _, found, region = str(language).replace("_", "-").rpartition("-")
        if found and len(region) == 2:
            return country_code(region)
    return None
