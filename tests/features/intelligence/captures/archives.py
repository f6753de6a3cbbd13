"""Archives of pages that tests make: WARC records of every type, saved pages of browsers, packed and chunked bodies."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from functools import partial

import brotli
import zstandard
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress, "br": partial(brotli.compress, quality=1), "zstd": zstandard.compress, "identity": bytes,
    "": bytes,
}  # fmt: skip


def warc(*records: tuple[str, bytes], kind: str = "response", zipped: bool = False, **headers: str) -> bytes:
    """An archive of pages; headers: of HTTP, with underscores."""
    written = io.BytesIO()
    writer = WARCWriter(written, gzip=zipped)
    named = {"Content_Type": "text/html; charset=utf-8", **headers}
    listed = [(name.replace("_", "-"), value) for name, value in named.items()]
    for url, body in records:
        if kind == "response":
            of_http = StatusAndHeaders("200 OK", listed, protocol="HTTP/1.1")
            record = writer.create_warc_record(url, kind, payload=io.BytesIO(body), http_headers=of_http)
        else:
            content_type = named["Content_Type"]
            record = writer.create_warc_record(url, kind, payload=io.BytesIO(body), warc_content_type=content_type)
        writer.write_record(record)
    return written.getvalue()


def chunked(body: bytes, size: int = 100) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(f"{len(part):x}\r\n".encode() + part + b"\r\n" for part in parts) + b"0\r\n\r\n"


def mhtml(*parts: tuple[str, bytes], snapshot: str = "", charset: str = "utf-8") -> bytes:
    """A page as a browser saves it; parts: location and page."""
    head = f"From: <Saved by Blink>\r\n{f'Snapshot-Content-Location: {snapshot}' if snapshot else 'Subject: x'}\r\n"
    head += 'MIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n\ttype="text/html";\r\n\tboundary="BB"\r\n\r\n'
    bodies = [
        f"--BB\r\nContent-Type: text/html; charset={charset}\r\nContent-Location: {url}\r\n\r\n".encode()
        + body
        + b"\r\n"
        for url, body in parts
    ]
    return head.encode() + b"".join(bodies) + b"--BB--\r\n"
