"""E-mail addresses that a reader of a text could write to: not file names, packages, users of a script or of a site."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

WORDS = Path(__file__).with_name("mailbox_words.toml")
LETTER = "A-Za-z0-9\u00c0-\u024f\u0400-\u04ff"  # of host names: Chinese words run into an address without a space
BEFORE, AFTER = "(?<![A-Za-z0-9_.%+'@-])", "(?![A-Za-z0-9_@-])"  # a border, so that each place is looked at once
LOCAL, SPACE = "([A-Za-z0-9_%+][A-Za-z0-9._%+'-]{0,63}+)", r"[ \t]{0,3}+"
LABEL = f"[{LETTER}](?:[{LETTER}]|-){{0,62}}+"
OPEN, CLOSE = f"{SPACE}[\\[({{<]{SPACE}", f"{SPACE}[\\])}}>]"
AT, POINT = "(?:at|@|a|ä|ät|arobase|chez|arroba|chiocciola)", r"(?:dot|\.|point|punkt|punto)"
ADDRESS = re.compile(f"{BEFORE}{LOCAL}@({LABEL}(?:\\.{LABEL}){{1,6}}+){AFTER}")  # possessive: nothing is tried twice
PLAIN_DOT, BRACKETED_DOT = r"[ \t]{1,3}+dot[ \t]{1,3}+", f"{OPEN}{POINT}{CLOSE}{SPACE}"
BRACKETED = re.compile(
    rf"{BEFORE}{LOCAL}{OPEN}{AT}{CLOSE}{SPACE}({LABEL}(?:(?:\.|{BRACKETED_DOT}|{PLAIN_DOT}){LABEL}){{1,6}}+){AFTER}",
    re.IGNORECASE,
)
SPOKEN = re.compile(
    rf"{BEFORE}{LOCAL}[ \t]{{1,3}}+at[ \t]{{1,3}}+({LABEL}(?:{PLAIN_DOT}{LABEL}){{1,6}}+){AFTER}", re.IGNORECASE
)
SIGN = re.compile(
    rf"[\[({{<][ \t]{{0,3}}+(?i:{AT})[ \t]{{0,3}}+[\])}}>]|[ \t](?:at|AT)[ \t][^\n]{{0,80}}[ \t](?:dot|DOT)[ \t]"
)
DOT = re.compile(r"[ \t]*[\[({<]?[ \t]*(?:\bdot\b|\bpoint\b|\bpunkt\b|\bpunto\b|\.)[ \t]*[\])}>]?[ \t]*", re.IGNORECASE)
SCALE = re.compile(r"\d+(?:\.\d+)?x", re.IGNORECASE)  # of an image for fine screens: logo@2x.png


def mailboxes_in(text: str) -> Iterator[str]:
    """Yield the addresses of a text as one writes to them, those with signs in words too (`name [at] host [dot] com`).

    Linear in the length of the text.
    """
    for line in text.split("\n"):
        if "@" in line:
            for match in ADDRESS.finditer(line):
                if not _is_in_url(line, match) and is_mailbox(match[1], match[2]):
                    yield f"{match[1]}@{match[2]}"
        if SIGN.search(line):
            yield from _in_words(line)


def _in_words(line: str) -> Iterator[str]:
    """Yield addresses whose signs are written in words."""
    for pattern in (BRACKETED, SPOKEN):
        for match in pattern.finditer(line):
            host = DOT.sub(".", match[2])
            spoken = pattern is SPOKEN and match[1].lower() in _words("verbs")
            if not spoken and is_mailbox(match[1], host):
                yield f"{match[1]}@{host}"


def _is_in_url(text: str, match: re.Match[str]) -> bool:
    """Return whether an address is part of a link or of a repository's name (`git@host:path`)."""
    before = text[max(0, match.start() - 100) : match.start()]
    word = "" if before[-1:].isspace() else before.split()[-1:]
    token = word[0] if word else ""
    if "://" in token or ("/" in token and "." in token.split("/")[0]):
        return True
    follows = text[match.end() : match.end() + 2]
    return follows[:1] == ":" and bool(follows[1:].strip())


def is_mailbox(local: str, host: str) -> bool:
    """Return whether a name and a host are an address: the host ends in letters that are no kind of file."""
    first, *_, last = host.lower().split(".")
    ends = (len(last) > 1 and last.isalpha()) or last.startswith("xn--")
    named = local == local.strip(".") and ".." not in local and any(map(str.isalnum, local))
    return ends and named and last not in _words("files") and not SCALE.fullmatch(first)


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(tomllib.loads(WORDS.read_text(encoding="utf-8"))[kind]["words"])


def unguarded(code: str) -> str | None:
    """Return the address that a content network hides from robots (`data-cfemail`): its first byte is the key."""
    try:
        key, *signs = bytes.fromhex(code[:1000])
    except ValueError:
        return None
    text = bytes(sign ^ key for sign in signs).decode("utf-8", "replace")
    return next(mailboxes_in(text), None)
