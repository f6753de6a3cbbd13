"""Web identities: pseudonyms on platforms and messengers, each as what it is compared by.

Some can appear on a parcel: a profile as the shop, a messenger's number as the telephone, a pseudonym where parcels are
sold as the seller's account. A rare pseudonym on any platform ties dossiers to one another, and never a parcel.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from features.identifiers.letters import comparable
from features.identifiers.mailboxes import is_common_name
from features.identifiers.placeholders import says_nothing
from features.identifiers.shared_hosts import shared_host
from features.identifiers.shops import shop, web_address
from features.intelligence.statements import Reading
from features.intelligence.telephones import canonical_telephone

PLATFORMS = Path(__file__).with_name("platforms.toml")
COMMON = "common"
PROFILE, NUMBER, DISPLAY = "profile", "number", "display"
HANDLE = re.compile(r"[\w.\-+]{2,60}")
NUMERIC = re.compile(r"[1-9]\d{4,11}")
LEFT = re.compile(r"[^\W\d_]+|\d+")
FEWEST_LETTERS, OF_MIXED, FEWEST_DIGITS = 6, 4, 3  # of a pseudonym without common words, that is not anybody's
SAYS_PROFILES = ("marketplace", "social network", "messenger", "page of links")
Statement = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform: its name, what a pseudonym there is compared by, and whether parcels are sold there."""

    name: str
    by: str
    profile: str
    sold_on: bool


def platform_named(text: str) -> Platform | None:
    """Return the platform that a word names, as people write it (`Insta`, `ebay.fr`); None for any other word."""
    words = _words(text)
    known = _platforms()
    return known.get(words) or known.get(words.rpartition(" ")[0]) if words else None


def identities_on(platform: Platform, pseudonym: str, reading: Reading | None = None) -> list[Statement]:
    """Return what a pseudonym on a platform states of its owner; nothing for a placeholder.

    reading: told where a pseudonym that anybody may bear is compared by its profile alone.
    """
    name = pseudonym.strip().lstrip("@").strip()
    if says_nothing(name) and not NUMERIC.fullmatch(name):
        return []
    number = canonical_telephone(name if name.startswith("+") else f"+{name}", None) if platform.name != "qq" else None
    if number is not None or platform.by == NUMBER:
        return [("phone", number or name)]
    if platform.by == DISPLAY or not HANDLE.fullmatch(name):
        return [("account" if platform.sold_on and is_rare_pseudonym(name) else "name", name)]
    if not is_rare_pseudonym(name) and reading is not None:
        reading.leave_out("pseudonym", "strangers may bear it on other platforms; it is compared on its own alone")
    return [_on_platform(platform, name), *pseudonyms_of(name, sold_on=platform.sold_on)]


def placed(stated: Iterable[Statement], platform: str, reading: Reading | None = None) -> Iterator[Statement]:
    """Yield statements with each account as what it is on the platform that a word names; as they are without one."""
    known = platform_named(platform)
    for prop, text in stated:
        yield from identities_on(known, text, reading) if known and prop == "account" else [(prop, text)]


def _on_platform(platform: Platform, name: str) -> Statement:
    return ("url", platform.profile.format(name)) if platform.by == PROFILE else ("account", f"{platform.name} {name}")


def pseudonyms_of(name: str, *, sold_on: bool = False) -> list[Statement]:
    """Return a rare pseudonym as what ties dossiers; as a seller's account too, where parcels are sold under it."""
    if not is_rare_pseudonym(name):
        return []
    return [("pseudonym", _joined(name)), *([("account", name)] if sold_on else [])]


def pseudonym_in(address: str) -> str | None:
    """Return the pseudonym that the address of a profile names; None for any other address."""
    key, found = shop(address), web_address(address)
    shared = shared_host(found.host) if found else None
    if key is None or shared is None or shared[0].kind not in SAYS_PROFILES:
        return None
    name = key.partition("/")[2]
    return re.sub(r"^\d{3,}-", "", name) or None  # `vinted.fr/member/1234-kicks88`


@lru_cache(maxsize=50_000)
def is_rare_pseudonym(text: str) -> bool:
    """Say whether a pseudonym is so rare that two persons hardly choose it.

    What is left of it without names, and words of trade, has six letters, or four and three digits.
    """
    plain = _joined(text)
    letters = "".join(part for part in LEFT.findall(plain) if not part.isdecimal())
    digits = sum(map(str.isdigit, plain))
    if not letters or " " in text.strip() or says_nothing(text) or is_common_name(letters):
        return False  # a text of several words is a name for show
    left = _without_common(letters)
    return len(left) >= FEWEST_LETTERS or (len(left) >= OF_MIXED and digits >= FEWEST_DIGITS)


def _joined(text: str) -> str:
    return (comparable(text) or "").replace(" ", "")


def _without_common(letters: str) -> str:
    """Return letters without the common words and names that they are made of, the longest first."""
    left = letters
    for word in _common_words():
        left = left.replace(word, " ") if word in left else left
    parts = [part for part in left.split() if not is_common_name(part)]
    return "".join(parts)


@cache
def _common_words() -> tuple[str, ...]:
    return tuple(sorted(_content()[COMMON]["words"], key=lambda word: (-len(word), word)))


@cache
def _platforms() -> dict[str, Platform]:
    return {
        _words(word): Platform(name, row["by"], row.get("profile", ""), row.get("sold_on", False))
        for name, row in _content().items()
        if name != COMMON
        for word in row["words"]
    }


@cache
def _content() -> dict[str, Any]:
    return tomllib.loads(PLATFORMS.read_text(encoding="utf-8"))


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text[:60]).casefold().removeprefix("www.").replace(".com", "")
    return " ".join("".join(sign if sign.isalnum() else " " for sign in plain).split())
