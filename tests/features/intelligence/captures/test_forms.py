"""Every form in which a page is captured: archives, packed bodies, saved pages, marks and prologs; bombs are cut."""

from __future__ import annotations

import gzip
import io
import time
import zipfile
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard

from features.intelligence.captures import is_captured
from features.intelligence.captures.page import LARGEST_PAGE
from features.intelligence.captures.unpacked import UnknownEncoding, unpacked
from features.intelligence.statements import Unreadable
from tests.features.intelligence.captures.archives import PACKED, chunked, mhtml, warc
from tests.features.intelligence.lists import page, read, stated, texts

URL = "https://kicks-one.example/"
SHOP = page("sales@kicks-one.example")
OF_SHOP = {("url", URL), ("email", "sales@kicks-one.example")}
ALONE = b"<p>sales@kicks-one.example</p>"


def is_read(content: bytes) -> bool:
    return stated(content) == {"kicks-one.example": OF_SHOP}


@pytest.mark.parametrize("kind", ["response", "resource", "conversion"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("media", ["text/html", "text/html; charset=utf-8", "application/xhtml+xml", "TEXT/HTML"])
def test_a_record_of_any_type_with_a_page_is_read(kind: str, zipped: bool, media: str) -> None:
    assert is_read(warc((URL, SHOP), kind=kind, zipped=zipped, Content_Type=media))


def test_the_text_of_a_page_that_was_converted_is_read() -> None:
    assert is_read(warc((URL, b"write to sales@kicks-one.example <now>"), kind="conversion", Content_Type="text/plain"))


@pytest.mark.parametrize("media", ["image/png", "text/css", "application/javascript", "application/json", "text/plain"])
def test_a_record_without_a_page_is_not_read(media: str) -> None:
    with pytest.raises(Unreadable):
        read(warc((URL, SHOP), Content_Type=media))


@pytest.mark.parametrize("kind", ["revisit", "continuation"])
def test_a_record_whose_page_stands_elsewhere_is_told(kind: str) -> None:
    listed = read(warc((URL, SHOP)) + warc((URL, b""), kind=kind))
    assert [name for name, _ in listed.left_out] == ["record"]


@pytest.mark.parametrize("encoding", PACKED)
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_is_read_whatever_it_is_packed_in(encoding: str, in_chunks: bool) -> None:
    body = PACKED[encoding](SHOP)
    if in_chunks:
        content = warc((URL, chunked(body)), Content_Encoding=encoding, Transfer_Encoding="chunked")
    else:
        content = warc((URL, body), Content_Encoding=encoding)
    assert is_read(content)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", SHOP), ("br", SHOP), ("zstd", SHOP), ("", gzip.compress(SHOP)), ("", zstandard.compress(SHOP)),
        ("x-gzip", gzip.compress(SHOP)),
        ("deflate", zlib.compress(SHOP)), ("deflate", zlib.compress(SHOP)[2:-4]),
        ("gzip, br", brotli.compress(gzip.compress(SHOP))),
        ("GZIP", gzip.compress(SHOP)), ("gzip", gzip.compress(SHOP[:50]) + gzip.compress(SHOP[50:])),
    ],
)  # fmt: skip
def test_a_body_that_is_not_what_its_header_says_is_read_all_the_same(encoding: str, body: bytes) -> None:
    assert is_read(warc((URL, body), Content_Encoding=encoding))


@pytest.mark.parametrize("encoding", ["compress", "sdch", "aes128gcm", "br", "zstd", "gzip"])
def test_a_body_that_cannot_be_unpacked_is_told(encoding: str) -> None:
    listed = read(warc((URL, b"\x01\x02\x03\x04 no such thing"), Content_Encoding=encoding) + warc((URL, SHOP)))
    assert listed.left_out == {("page", "its content encoding cannot be read"): 1}


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
def test_a_bomb_is_unpacked_to_the_bound_and_told(encoding: str) -> None:
    bomb = PACKED[encoding](SHOP + b" " * 100 * 1024**2)
    assert len(bomb) < 1024**2
    began = time.monotonic()
    body, cut = unpacked(bomb, encoding, LARGEST_PAGE)
    assert (len(body), cut) == (LARGEST_PAGE, True)
    assert time.monotonic() - began < 5
    content = warc((URL, bomb), Content_Encoding=encoding)
    assert is_read(content)
    assert read(content).left_out == {("end of a page", "the page is longer than 4 MiB"): 1}


def test_an_archive_that_says_to_be_enormous_is_not_followed() -> None:
    record = warc((URL, SHOP))
    told = record.replace(b"Content-Length: ", b"Content-Length: 9999999999", 1)
    assert [problem["line"] for problem in read(record + told).problems] == [2]


@pytest.mark.parametrize("encodings", ["br", "gzip", "zstd", "deflate", "gzip,br,zstd,gzip,br", "nothing"])
@pytest.mark.parametrize("body", [b"", b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\x00" * 100, b"\xff" * 100])
def test_any_body_is_unpacked_or_refused(encodings: str, body: bytes) -> None:
    try:
        assert len(unpacked(body, encodings, 1_000)[0]) <= 1_000
    except UnknownEncoding:
        assert encodings


@pytest.mark.parametrize(
    "before",
    [
        b"\xef\xbb\xbf", b"<!-- saved from url=(0026)https://kicks-one.example/ -->\n",
        b"<?xml version='1.0' encoding='UTF-8'?>\n", b"\n\n  ",
        b"\xef\xbb\xbf<?xml version='1.0'?><!-- a - b -- c --->\n", b"<!-- one --><!-- two -->",
        b"<?php-like ? instruction?>",
    ],
)  # fmt: skip
def test_a_page_is_known_whatever_stands_before_it(before: bytes) -> None:
    assert is_read(before + SHOP)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_page_with_a_mark_is_read_in_its_encoding(encoding: str) -> None:
    assert is_read(SHOP.decode().encode(encoding))


@pytest.mark.parametrize(
    "start", ["<head>", "<body>", "<title></title>", "<meta charset='utf-8'>", "<div>", "<table><tr><td>", "<HTML>",
     "<!DOCTYPE HTML PUBLIC 'x'>"]
)  # fmt: skip
def test_a_page_is_known_by_any_element(start: str) -> None:
    assert is_read(f"{start}<link rel='canonical' href='{URL}'>sales@kicks-one.example".encode())


@pytest.mark.parametrize(
    "content", [b"<rss></rss>", b"<?xml version='1.0'?><CC315A/>", b"name<p>,email\nA,a@x.example\n", b"{}", b"< html"]
)
def test_what_is_no_page_is_not_taken_for_one(content: bytes) -> None:
    assert not is_captured(content)


@pytest.mark.parametrize(
    "frame",
    [
        "cid:frame-7A3C@mhtml.blink",
        "https://widget.example/chat",
        "about:srcdoc",
        "",
        "data:text/html,x",
        "https://js.stripe.com/v3",
    ],
)
def test_a_frame_of_another_host_or_none_is_nobodys(frame: str) -> None:
    content = mhtml((URL, SHOP), (frame, b"<html><body>help@widget.example</body></html>"), snapshot=URL)
    assert is_read(content)
    assert [kind for kind, _ in read(content).left_out] == ["frame"]


def test_a_frame_of_the_pages_own_host_is_its_own() -> None:
    content = mhtml((URL, page("x", url=URL)), (f"{URL}contact", ALONE), snapshot=URL)
    assert is_read(content)


@pytest.mark.parametrize(
    ("content", "host"),
    [
        (mhtml(("https://kicks-one.example/store", ALONE)), "kicks-one.example"),
        (mhtml(("", ALONE), snapshot="https://www.kicks-one.example/"), "kicks-one.example"),
        (mhtml(("file:///C:/x.htm", SHOP)), "kicks-one.example"),
        (mhtml(("cid:frame@mhtml.blink", SHOP)), "kicks-one.example"),
        (b"<!-- saved from url=(0027)https://kicks-two.example/ -->" + SHOP, "kicks-two.example"),
        (b"<!-- Mirrored from kicks-two.example/index.html by HTTrack -->" + SHOP, "kicks-two.example"),
        (page("a@x.example", url="", head="<meta property='og:url' content='https://kicks-two.example/p'>"),
         "kicks-two.example"),
        (page("a@x.example", url="", head="<base href='https://kicks-two.example/'>"), "kicks-two.example"),
        (page("a@x.example", url="https://web.archive.org/web/20260101000000/https://kicks-two.example/"),
         "kicks-two.example"),
        (warc(("https://web.archive.org/web/20260101000000id_/http://kicks-two.example/", SHOP)), "kicks-two.example"),
        (warc(("<https://kicks-two.example/>", SHOP)), "kicks-two.example"),
        (warc(("https://kicks-two.example:8443/x", SHOP)), "kicks-two.example"),
    ],
)  # fmt: skip
def test_a_page_is_of_the_host_it_was_taken_from(content: bytes, host: str) -> None:
    assert set(stated(content)) == {host}


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///C:/page.html",
        "cid:frame-1@mhtml.blink",
        "about:blank",
        "http://localhost:8000/",
        "data:,",
        "blob:https",
    ],
)
def test_a_page_that_does_not_say_whose_it_is_is_told(url: str) -> None:
    with pytest.raises(Unreadable, match="which host"):
        read(page("a@x.example", url=url))


@pytest.mark.parametrize(
    "charset", ["gb2312", "gb18030", "big5", "shift_jis", "windows-1251", "utf-8", "no-such-charset"]
)
def test_a_page_is_read_in_the_charset_of_its_capture(charset: str) -> None:
    body = page("微信：kicks88".encode().decode() if charset.startswith("g") else "sales@kicks-one.example")
    packed = body.decode().encode(charset if charset != "no-such-charset" else "utf-8", "ignore")
    content = warc((URL, packed), Content_Type=f"text/html; charset={charset}")
    assert texts(content, "account") == {"wechat kicks88"} if charset.startswith("g") else is_read(content)


def test_an_archive_in_a_package_is_read() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as files:
        files.writestr("archive/data.warc.gz", warc((URL, SHOP), zipped=True))
        files.writestr("pages/pages.jsonl", "{}")
    assert is_read(packed.getvalue())


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress])
def test_a_packed_capture_and_a_packed_table_are_read(pack: Callable[[bytes], bytes]) -> None:
    for plain in (SHOP, warc((URL, SHOP)), mhtml((URL, SHOP))):
        assert is_read(pack(plain))
    assert texts(pack(b"name,email\nA,a@x.example\n"), "email") == {"a@x.example"}
