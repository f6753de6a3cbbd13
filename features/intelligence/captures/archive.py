"""Web archives (WARC): the pages of responses, resources and conversions, whatever they are packed in."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from typing import Any

from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.exceptions import ArchiveLoadFailed

from features.intelligence.captures.page import LARGEST_PAGE, Page
from features.intelligence.captures.unpacked import UnknownEncoding, unpacked
from features.intelligence.statements import Reading

PAGES = ("response", "resource", "conversion")
SILENT = ("request", "metadata", "warcinfo")  # records that hold no page
MOST_UNPACKED = 4 * 1024**3  # bytes of all records
MOST_RECORDS = 1_000_000
CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
BLOCK = 64 * 1024


def archived_pages(content: bytes, reading: Reading) -> Iterator[Page]:
    """Yield the pages of a WARC file; records that hold none are left out, a damaged rest is a problem."""
    size = 0
    try:
        for number, record in enumerate(ArchiveIterator(io.BytesIO(content)), start=1):
            size += max(0, record.length or 0)
            if size > MOST_UNPACKED or number > MOST_RECORDS:
                reading.problem(number, "the archive unpacks to too many bytes or records", "split it")
                return
            page = _page(record, reading)
            if page is not None:
                yield page
    except (ArchiveLoadFailed, ValueError, OSError, EOFError, AttributeError, TypeError):
        reading.problem(0, "the rest of the archive is damaged", "capture it again")


def _page(record: Any, reading: Reading) -> Page | None:
    kind = record.rec_type
    if kind not in PAGES:
        if kind not in SILENT:
            reading.leave_out("record", "a revisit or a part of another record, whose page stands elsewhere")
        return None
    headers = record.http_headers if kind == "response" else record.rec_headers
    stated = (headers.get_header("Content-Type", "") or "") if headers else ""
    if stated and "html" not in stated.lower() and not (kind == "conversion" and "text/plain" in stated.lower()):
        return None
    try:
        body, cut = unpacked(_body(record), _encodings(record), LARGEST_PAGE)
    except UnknownEncoding:
        reading.leave_out("page", "its content encoding cannot be read")
        return None
    if cut:
        reading.leave_out("end of a page", f"the page is longer than {LARGEST_PAGE // 1024**2} MiB")
    if not stated and body.lstrip()[:1] != b"<":
        return None
    if "text/plain" in stated.lower():
        body = f"<pre>{html.escape(body.decode('utf-8', 'replace'))}</pre>".encode()
    named = CHARSET.search(stated)
    url = record.rec_headers.get_header("WARC-Target-URI") or ""
    return Page(url.strip("<>"), body, named[1] if named else "")


def _encodings(record: Any) -> str:
    return (record.http_headers.get_header("Content-Encoding", "") or "") if record.http_headers else ""


def _body(record: Any) -> bytes:
    """Return at most LARGEST_PAGE bytes of a record's body as it came, without its chunks."""
    headers = record.http_headers
    chunked = headers is not None and "chunked" in (headers.get_header("Transfer-Encoding", "") or "").lower()
    stream = ChunkedDataReader(record.raw_stream, decomp_type=None) if chunked else record.raw_stream
    body = bytearray()
    while len(body) < LARGEST_PAGE and (block := stream.read(min(BLOCK, LARGEST_PAGE + 1 - len(body)))):
        body += block
    return bytes(body)
