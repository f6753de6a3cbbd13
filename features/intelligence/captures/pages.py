"""Pages of a capture: HTML as saved, MHTML, WARC and WACZ, each with the address it was taken from and its charset."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator

from features.intelligence.captures.archive import archived_pages
from features.intelligence.captures.page import MOST_PAGES, Page
from features.intelligence.captures.saved_page import saved_pages
from features.intelligence.captures.unpacked import GZIP, UnknownEncoding, unwrapped
from features.intelligence.statements import Reading

HEAD = 4096  # bytes from which a capture is recognised
ZIP = b"PK\x03\x04"
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
PROLOG = re.compile(rb"(?:\s+|<\?(?:[^?]|\?(?!>))*+\?>|<!--(?:[^-]|-(?!->))*+-->)*+")
PAGE = re.compile(
    rb"<(?:!doctype\s+(?:html|svg:)|html|head|body|title|meta|link|script|style|base|frameset|div|table|center|main|section|article|p|h[1-6]|a|span|form|ul)\b",
    re.IGNORECASE,
)
MHTML = re.compile(rb"^content-type:\s*multipart/related\b", re.IGNORECASE | re.MULTILINE)
MOST_MEMBERS, LARGEST_MEMBER = 100, 256 * 1024**2


def is_captured(content: bytes) -> bool:
    """Return whether bytes are one or several captured pages, after marks, remarks and prologs."""
    head = _head(content)
    return head.startswith((b"WARC/", ZIP)) or _is_mhtml(head) or _is_page(head)


def _head(content: bytes) -> bytes:
    """Return the beginning of a capture, unpacked and without a mark, in UTF-8."""
    try:
        head = unwrapped(content if content.startswith(ZIP) else content[: 16 * HEAD], 16 * HEAD)
    except UnknownEncoding:
        return b""
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return head.decode(encoding, "ignore").encode().removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.lstrip()


def _is_mhtml(head: bytes) -> bool:
    return not head.startswith(b"<") and MHTML.search(head[:HEAD]) is not None


def _is_page(head: bytes) -> bool:
    prolog = PROLOG.match(head)
    return PAGE.match(head, prolog.end() if prolog else 0) is not None


def pages_in(content: bytes, reading: Reading) -> Iterator[Page]:
    """Yield the pages of a capture, at most MOST_PAGES."""
    for number, page in enumerate(_pages_of(content, reading), start=1):
        if number > MOST_PAGES:
            reading.problem(number, "too many pages", f"at most {MOST_PAGES} a file")
            return
        yield page


def _pages_of(content: bytes, reading: Reading) -> Iterator[Page]:
    head = _head(content)
    if head.startswith(ZIP):
        yield from _of_zip(content, reading)
    elif head.startswith(b"WARC/"):
        yield from archived_pages(content if content.startswith(GZIP) else unwrapped(content, LARGEST_MEMBER), reading)
    elif _is_mhtml(head):
        yield from saved_pages(unwrapped(content, LARGEST_MEMBER), reading)
    else:
        yield Page("", unwrapped(content, LARGEST_MEMBER))


def _of_zip(content: bytes, reading: Reading) -> Iterator[Page]:
    """Yield the pages of the archives in a WACZ file."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            members = [info for info in packed.infolist() if info.filename.endswith((".warc", ".warc.gz"))]
            for info in members[:MOST_MEMBERS]:
                if info.file_size > LARGEST_MEMBER:
                    reading.leave_out("archive", "it unpacks to too many bytes")
                    continue
                with packed.open(info) as member:
                    yield from archived_pages(member.read(LARGEST_MEMBER), reading)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        reading.problem(0, "the rest of the archive is damaged", "capture it again")
