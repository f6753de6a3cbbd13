"""Captured web shops: what each says of itself is read, groups of one owner are found, hostile pages do no harm."""

from __future__ import annotations

import contextlib
import gzip
import io
import random
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from features.intelligence import read_list, subjects_of
from features.intelligence.captures import is_wallet
from features.intelligence.statements import Unreadable
from features.parties.graph import Graph

WALLETS = ("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4")
PAGE = f"""<!doctype html><html><head><title> Best  Kicks </title>
<link rel="canonical" href="https://www.best-kicks.example/store">
<meta name="google-site-verification" content="abc123">
<script>gtag('config', 'G-ABCDEF1234'); fbq('init', '1234567890123');</script>
<script type="application/ld+json">
{{"@type": "Product", "brand": {{"name": "Kestri"}}, "offers": {{"price": 19.9}}}}</script>
</head><body>Write to <a href="mailto:boss@kicks.example">us</a>, call <a href="tel:+86 138 0013 8000">here</a>,
pay to {WALLETS[0]} or 1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb.</body></html>"""


def told(content: bytes) -> set[tuple[str, str]]:
    return set(read_list(content, "tests").statements.select("property", "text").iter_rows())


EXPECTED = {
    ("url", "https://best-kicks.example/"), ("email", "boss@kicks.example"), ("phone", "+86 138 0013 8000"),
    ("wallet", WALLETS[0]), ("tag", "G-ABCDEF1234"), ("tag", "1234567890123"),
    ("tag", "google-site-verification abc123"), ("title", "Best Kicks"), ("brand", "Kestri"), ("price", "19.9"),
}  # fmt: skip


def warc(*pages: tuple[str, str], zipped: bool = False) -> bytes:
    written = io.BytesIO()
    writer = WARCWriter(written, gzip=zipped)
    for url, page in pages:
        headers = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], protocol="HTTP/1.1")
        payload = io.BytesIO(page.encode())
        writer.write_record(writer.create_warc_record(url, "response", payload=payload, http_headers=headers))
    return written.getvalue()


def mhtml(url: str, page: str) -> bytes:
    head = 'From: <Saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary="b"\r\n\r\n'
    part = f"--b\r\nContent-Type: text/html\r\nContent-Location: {url}\r\n\r\n{page}\r\n--b--\r\n"
    return (head + part).encode()


@pytest.mark.parametrize(
    "content",
    [
        PAGE.encode(),
        mhtml("https://www.best-kicks.example/store", PAGE),
        warc(("https://www.best-kicks.example/store", PAGE)),
        warc(("https://www.best-kicks.example/store", PAGE), zipped=True),
    ],
    ids=["html", "mhtml", "warc", "warc.gz"],
)
def test_a_page_is_read_however_it_was_captured(content: bytes) -> None:
    assert told(content) == EXPECTED


@pytest.mark.parametrize(("text", "right"), [(WALLETS[0], True), (WALLETS[1], True), (WALLETS[0][:-1] + "b", False),
                                             (WALLETS[1][:-1] + "5", False)])  # fmt: skip
def test_the_check_digits_of_a_wallet_are_verified(text: str, right: bool) -> None:
    assert is_wallet(text) is right


Shop = tuple[str, str]  # host and page


def planted(seed: int) -> tuple[list[Shop], dict[str, int]]:
    """Sixty owners with one to eight shops each, some numbers of theirs on each page; a theme's tag stands on many."""
    rng = random.Random(seed)
    shops, owner_of = [], {}
    for owner in range(60):
        own = {
            "tag": f"G-{rng.randrange(36**8):010X}"[:12], "pk": f"pk_live_{rng.randrange(10**20):020d}",
            "mail": f"boss{rng.randrange(10**6)}@mail.example", "phone": f"+8613{rng.randrange(10**9):09d}",
            "ads": f"ca-pub-{rng.randrange(10**15):015d}",
        }  # fmt: skip
        for number in range(1 + rng.randrange(8)):
            host = f"shop-{seed}-{owner}-{number}-{rng.randrange(1000)}.example"
            shown = [text for text in own.values() if rng.random() < 0.6]
            theme = "GTM-THEME1" if rng.random() < 0.5 else f"GTM-{rng.randrange(36**5):06X}"
            body = " ".join(f"<p>{text}</p>" for text in shown)
            script = " ".join([theme, *(text for text in shown if "@" not in text)])
            page = f"<html><head><script>{script}</script></head><body>{body}</body></html>"
            shops.append((f"https://{host}/", page))
            owner_of[host] = owner
    rng.shuffle(shops)
    return shops, owner_of


def pairs_of(groups: dict[str, Any]) -> set[frozenset[str]]:
    by: dict[Any, list[str]] = {}
    for host, group in groups.items():
        by.setdefault(group, []).append(host)
    return {frozenset((one, two)) for of in by.values() for one in of for two in of if one < two}


@pytest.mark.parametrize("seed", range(5))
def test_planted_groups_of_shops_are_recovered(seed: int) -> None:
    shops, owner_of = planted(seed)
    subjects = subjects_of("captured", read_list(warc(*shops), "tests").statements)
    graph = Graph()
    for number, (entity, values) in enumerate(subjects.select("entity", "values").iter_rows()):
        graph.add(entity, values, number, listed=True)
    network = {label: graph.network_of[entity] for label, entity in subjects.select("label", "entity").iter_rows()}
    found, right = pairs_of(network), pairs_of(owner_of)
    precision, recall = len(found & right) / len(found), len(found & right) / len(right)
    print(f"seed {seed}: {len(shops)} shops, precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.98
    assert recall >= 0.85


def test_a_theme_a_title_and_a_price_link_nobody() -> None:
    pages = [
        (f"https://{name}.example/", f"<html><head><title>Sale</title></head><body>{name}</body></html>")
        for name in "abcd"
    ]
    subjects = subjects_of("captured", read_list(warc(*pages), "tests").statements)
    values = [set(of) for of in subjects["values"]]
    assert not values[0] & values[1]


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 50_000,
        "<a href='" + "x" * 3_000_000 + "'>",
        "<html><body>" + "a@" * 500_000,
        "<html><body>" + "+1" + " 1" * 500_000,
        '<html><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><body>&b;</body>',
        "<html><script type='application/ld+json'>" + "[" * 100_000 + "</script>",
    ],
    ids=["deep", "long", "at", "digits", "entities", "nested"],
)
def test_a_hostile_page_costs_little_and_harms_nobody(page: str) -> None:
    began = time.monotonic()
    listed = read_list(warc(("https://bad.example/", page), ("https://best-kicks.example/", PAGE)), "tests")
    assert time.monotonic() - began < 20
    assert "best-kicks.example" in listed.statements["label"].to_list()


STARTS = [b"<html>", b"WARC/1.0\r\n", b"Content-Type: multipart/related\r\n\r\n"]


@given(st.binary(max_size=400), st.sampled_from(STARTS))
def test_no_capture_breaks_the_reader(noise: bytes, start: bytes) -> None:
    for content in (start + noise, gzip.compress(start + noise)):
        with contextlib.suppress(Unreadable):
            assert read_list(content, "tests").statements.height
