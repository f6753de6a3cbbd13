"""One captured page."""

from __future__ import annotations

from dataclasses import dataclass

LARGEST_PAGE = 4 * 1024**2  # bytes; longer pages are cut, as shops give their contacts at the head and foot
MOST_PAGES = 20_000


@dataclass(frozen=True, slots=True)
class Page:
    """A page: the address that it was taken from (empty where the capture does not say), its bytes, and its charset.

    charset: as the capture names it, empty where it does not.
    """

    url: str
    content: bytes
    charset: str = ""
