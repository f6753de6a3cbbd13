"""Pages as browsers save them in one file (MHTML): the page and its own frames; frames of others are nobody's."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import Message

from features.intelligence.captures.page import LARGEST_PAGE, Page
from features.intelligence.captures.page_address import host_of
from features.intelligence.statements import Reading

PAGES = ("text/html", "application/xhtml+xml")


def saved_pages(content: bytes, reading: Reading) -> Iterator[Page]:
    """Yield the page that was saved, and the frames of its own host; the first page of the file is the one saved."""
    try:
        message = email.message_from_bytes(content, policy=email.policy.compat32)
        parts = [part for part in message.walk() if part.get_content_type() in PAGES]
    except (RecursionError, ValueError, LookupError):
        reading.problem(0, "a saved page that cannot be read", "save it again")
        return
    snapshot = _header(message, "Snapshot-Content-Location")
    for number, part in enumerate(parts):
        url = _header(part, "Content-Location")
        if number == 0:
            snapshot = snapshot or url
            yield _page(snapshot, part)
        elif host_of(url) and host_of(url) == host_of(snapshot):
            yield _page(url, part)
        else:
            reading.leave_out("frame", "it is of another host than the page, or of none")


def _header(part: Message, name: str) -> str:
    value = part.get(name)
    return "".join(str(value).split()) if value else ""


def _page(url: str, part: Message) -> Page:
    body = part.get_payload(decode=True)
    charset = part.get_content_charset() or ""
    return Page(url, body[:LARGEST_PAGE] if isinstance(body, bytes) else b"", charset)
