"""Every page of the console in each language, and what of its text is no data."""

from __future__ import annotations

import re
from html.parser import HTMLParser

UNSAID = {"code", "kbd", "script", "style"}
VOID = {"meta", "link", "input", "br", "hr", "img"}
SPOKEN = ("aria-label", "placeholder", "title")
WORDS = re.compile(r"[A-Za-zÀ-ÿ]{3,}")
NAMED = re.compile(r"`[^`]*`|\b\w+(?:[._]\w+)+")  # commands and keys of files, which have one name everywhere
NUMBERS = re.compile(r"\S*\d\S*")  # of consignments and the like


class _Text(HTMLParser):
    """What a page says, but for what is marked as data (`translate="no"`, code, keys)."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = [("", True)]
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        marked = {"no": False, "yes": True}.get(given.get("translate") or "")
        said = (self.open[-1][1] if marked is None else marked) and tag not in UNSAID
        if said:
            self.texts += [given[name] or "" for name in SPOKEN if name in given]
        if tag not in VOID:
            self.open.append((tag, said))

    def handle_endtag(self, tag: str) -> None:
        while len(self.open) > 1 and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self.open[-1][1] and data.strip():
            self.texts.append(" ".join(data.split()))


def said_on(page: str) -> list[str]:
    """The texts of a page that are no data, in order."""
    reader = _Text()
    reader.feed(page)
    return reader.texts


def latin_words(text: str) -> list[str]:
    """The words of a text in Latin letters; numbers, and names of keys and commands, are none."""
    return WORDS.findall(NUMBERS.sub("", NAMED.sub("", text)))
