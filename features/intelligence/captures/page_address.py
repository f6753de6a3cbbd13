"""The address of a captured page: where it was taken from, else where it says to stand; of an archive, the original."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

ARCHIVED = re.compile(
    r"https?://(?:web\.archive\.org/web|webarchive\.[a-z.]{2,40}/[a-z]{1,20}|arquivo\.pt/wayback)/\d{4,14}[a-z_]{0,4}/",
    re.IGNORECASE,
)
SAVED_FROM = re.compile(rb"<!--\s*saved from url=\(\d{1,6}\)(\S{1,2000}?)\s*-->", re.IGNORECASE)
COPIED_FROM = re.compile(rb"<!-- Mirrored from (\S{1,2000}) by ", re.IGNORECASE)
PAGE_SCHEMES = ("http", "https", "")
HEAD = 8192


def host_of(url: str) -> str:
    """Return the host of a page's address in small letters without `www.`; empty for what has none.

    Addresses of files, frames (`cid:`), data and the machine itself have none.
    """
    try:
        parts = urlsplit(url if "//" in url or ":" in url.split("/")[0] else f"//{url}")
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return ""
    if parts.scheme not in PAGE_SCHEMES or "." not in host or host.endswith((".local", ".localhost", ".blink")):
        return ""
    return host.removeprefix("www.")[:253]


def unarchived(url: str) -> str:
    """Return the address of the page that an archive of the web keeps; other addresses as they are."""
    rest = url[match.end() :] if (match := ARCHIVED.match(url)) else url
    return rest if "//" in rest[:9] else f"https://{rest}" if match else url


def address_of(url: str, content: bytes, tree: Any) -> str:
    """Return the address of a page: of its capture; else of the browser's remark; else the one it states of itself."""
    if host_of(unarchived(url)):
        return unarchived(url)
    for remark in (SAVED_FROM, COPIED_FROM):
        if match := remark.search(content[:HEAD]):
            saved = unarchived(match[1].decode("utf-8", "replace"))
            if host_of(saved):
                return saved
    stated = tree.xpath("//link[@rel='canonical']/@href | //meta[@property='og:url']/@content | //base/@href")
    return next((unarchived(str(address)) for address in stated[:20] if host_of(unarchived(str(address)))), "")
