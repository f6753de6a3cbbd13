"""Captured web shops: HTML, MHTML or WARC in; e-mails, telephones, wallets, payment and analytics numbers out.

What conclusively shows one owner becomes evidence; titles and prices are kept as told, and link nobody.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from lxml import etree, html
from warcio.archiveiterator import ArchiveIterator
from warcio.exceptions import ArchiveLoadFailed

LARGEST_PAGE = 4 * 1024**2  # bytes; what is longer is cut, for what a shop says of itself stands at its head and foot
MOST_PAGES, MOST_OF_A_KIND = 20_000, 40
EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,4}")
PHONE = re.compile(r"(?:\+|00)\d[\d ().-]{7,18}\d")
TAGS = (  # numbers that an account at a payment or measuring service has
    re.compile(r"\b(UA-\d{4,10}-\d{1,4})\b"),
    re.compile(r"\b(G-[A-Z0-9]{8,12})\b"),
    re.compile(r"\b(GTM-[A-Z0-9]{5,9})\b"),
    re.compile(r"\b(AW-\d{8,12})\b"),
    re.compile(r"\b(ca-pub-\d{12,20})\b"),
    re.compile(r"\b(pk_live_[A-Za-z0-9]{16,120})\b"),
    re.compile(r"fbq\(\s*['\"]init['\"]\s*,\s*['\"](\d{10,20})['\"]"),
    re.compile(r"paypal\.com/sdk/js\?[^\"'\s]*client-id=([A-Za-z0-9_-]{20,100})"),
)
VERIFICATION = ("google-site-verification", "facebook-domain-verification", "msvalidate.01", "yandex-verification")
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
WALLET = re.compile(r"\b([13][1-9A-HJ-NP-Za-km-z]{25,34}|bc1[02-9ac-hj-np-z]{11,71})\b")
Row = tuple[str, str, str, str]  # subject, label, property, text


def is_captured(content: bytes) -> bool:
    """Whether bytes are a captured page or several."""
    start = content[:2048].lstrip().lower()
    return start.startswith((b"warc/", b"\x1f\x8b", b"<!doctype", b"<html", b"<head")) or b"multipart/related" in start


def read_captured(content: bytes, problems: list[dict[str, Any]]) -> Iterator[Row]:
    """What each page states of its shop; a page that cannot be read is a problem with its place."""
    for place, (url, page) in enumerate(_pages(content, problems), start=1):
        try:
            yield from _stated(url, page[:LARGEST_PAGE])
        except (etree.LxmlError, ValueError, RecursionError):
            problems.append({"line": place, "reason": "a page that cannot be read", "remedy": "capture it again"})


def _pages(content: bytes, problems: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    start = content[:2048].lstrip().lower()
    if start.startswith((b"warc/", b"\x1f\x8b")):
        yield from _warc(content, problems)
    elif b"multipart/related" in start:
        yield from _mhtml(content)
    else:
        yield "", content


def _warc(content: bytes, problems: list[dict[str, Any]]) -> Iterator[tuple[str, bytes]]:
    try:
        for number, record in enumerate(ArchiveIterator(io.BytesIO(content)), start=1):
            if number > MOST_PAGES:
                problems.append({"line": number, "reason": "too many pages", "remedy": f"at most {MOST_PAGES} a file"})
                return
            kind = record.http_headers.get_header("Content-Type", "") if record.http_headers else ""
            if record.rec_type == "response" and "html" in (kind or ""):
                yield record.rec_headers.get_header("WARC-Target-URI") or "", record.content_stream().read(LARGEST_PAGE)
    except (ArchiveLoadFailed, ValueError, OSError, EOFError, AttributeError):
        problems.append({"line": 0, "reason": "the rest of the archive is damaged", "remedy": "capture it again"})


def _mhtml(content: bytes) -> Iterator[tuple[str, bytes]]:
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    for part in message.walk():
        if part.get_content_type() == "text/html":
            body = part.get_payload(decode=True)
            url = str(part.get("Content-Location") or message.get("Snapshot-Content-Location") or "")
            yield url, body if isinstance(body, bytes) else b""


def _stated(url: str, page: bytes) -> Iterator[Row]:
    tree = html.document_fromstring(page, parser=html.HTMLParser(huge_tree=False, no_network=True, recover=True))
    url = url or _own_url(tree)
    host = _host(url)
    if not host:
        return
    markup = page.decode("utf-8", "replace")
    told: list[tuple[str, str]] = [("url", f"https://{host}/")]
    told += [("email", found) for found in _some(EMAIL.findall(markup))]
    told += [("phone", found) for found in _some(PHONE.findall(_text(tree)) + _called(tree))]
    told += [("wallet", found) for found in _some(WALLET.findall(markup)) if is_wallet(found)]
    told += [("tag", found) for pattern in TAGS for found in _some(pattern.findall(markup))]
    told += [("tag", f"{name} {found}") for name in VERIFICATION for found in _meta(tree, name)]
    told += [("title", " ".join(found.split())) for found in tree.xpath("//title/text()")[:1]]
    told += [(prop, found) for prop, found in _offers(tree)]
    yield from ((host, host, prop, text) for prop, text in dict.fromkeys(told))


def _some(found: list[str]) -> list[str]:
    return list(dict.fromkeys(found))[:MOST_OF_A_KIND]


def _text(tree: Any) -> str:
    return " ".join(tree.xpath("//body//text()[not(ancestor::script) and not(ancestor::style)]"))


def _called(tree: Any) -> list[str]:
    return [str(link)[4:] for link in tree.xpath("//a/@href[starts-with(., 'tel:')]")]


def _meta(tree: Any, name: str) -> list[str]:
    return [str(found) for found in tree.xpath("//meta[@name=$name]/@content", name=name)][:MOST_OF_A_KIND]


def _own_url(tree: Any) -> str:
    found = tree.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content | //base/@href")
    return str(found[0]) if found else ""


def _host(url: str) -> str:
    try:
        host = urlsplit(url if "//" in url else f"//{url}").hostname or ""
    except ValueError:
        return ""
    return host.removeprefix("www.")[:253]


def _offers(tree: Any) -> Iterator[tuple[str, str]]:
    """Brands and prices of products as shops write them for search engines."""
    for script in tree.xpath("//script[@type='application/ld+json']/text()")[:MOST_OF_A_KIND]:
        try:
            told = json.loads(script)
        except (ValueError, RecursionError):
            continue
        for product in told if isinstance(told, list) else [told]:
            if isinstance(product, dict):
                brand = product.get("brand")
                name = brand.get("name") if isinstance(brand, dict) else brand
                offer = product.get("offers")
                price = offer.get("price") if isinstance(offer, dict) else None
                yield from (("brand", name),) if isinstance(name, str) else ()
                yield from (("price", str(price)),) if isinstance(price, int | float | str) else ()


def is_wallet(text: str) -> bool:
    """Whether a text is a Bitcoin address whose check digits are right."""
    return _bech32(text) if text.startswith("bc1") else _base58(text)


def _base58(text: str) -> bool:
    number = 0
    for letter in text:
        number = number * 58 + BASE58.index(letter)
    try:
        raw = number.to_bytes(25, "big")
    except OverflowError:
        return False
    return hashlib.sha256(hashlib.sha256(raw[:21]).digest()).digest()[:4] == raw[21:]


def _bech32(text: str) -> bool:
    """The checksum of BIP 173 and BIP 350."""
    prefix, _, rest = text.partition("1")
    values = [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]
    check = 1
    for value in values + [BECH32.index(letter) for letter in rest]:
        top = check >> 25
        check = ((check & 0x1FFFFFF) << 5) ^ value
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if (top >> bit) & 1 else 0
    return check in (1, 0x2BC830A3)
