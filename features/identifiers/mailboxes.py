"""Mailboxes: one key for what reaches the same person, whatever is written around, between and behind it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import pairwise

from features.identifiers.placeholders import LONGEST, is_patterned, plain_words, says_nothing
from features.identifiers.shared_hosts import shared_host
from features.identifiers.tables import of_kind, table
from features.identifiers.visible import visible

DIGITS = "0123456789"
MOST_MAILBOXES = 3
LONGEST_DOMAIN = 253
CARRIER = "carrier"
OF_THE_HOST = "*"  # stands for the local part of a department's mailbox
FEWEST_DIGITS, CUT = 5, 2  # digits at the end of a mailbox, from which the last are cut: a disguise adds some
FEWEST_LETTERS, AT_PROVIDER = 5, 8  # letters of what is left, if it is to be one person's
LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+\Z")
DOMAIN = re.compile(r"(?:[\w-]+\.)+[\w-]+")


@lru_cache(maxsize=200_000)
def mailbox(text: str) -> str | None:
    """Return the key of the first mailbox in a text, such as `jianzhu52@gmail.com`; None where it is nobody's own.

    Without tag and dots, below the first name of its provider. A department's mailbox on a host of its own is the
    host's: `*@solekicks.example`. Digits that a disguise adds at the end are cut where one person's mailbox is left.
    """
    return next((cut or written for written, cut in map(_keys, _addresses(text)) if written is not None), None)


@lru_cache(maxsize=200_000)
def mailboxes(text: str) -> tuple[str, ...]:
    """Return all keys that the mailboxes in a text are compared by: as written, and without digits that were added."""
    keys = (key for address in _addresses(text) for key in _keys(address) if key is not None)
    return tuple(dict.fromkeys(keys))


@lru_cache(maxsize=200_000)
def mailbox_stem(text: str) -> str | None:
    """Return the first mailbox without any digits at its end: weak evidence, as namesakes share it."""
    written = next((written for written, _ in map(_keys, _addresses(text)) if written is not None), None)
    if written is None or written.startswith(OF_THE_HOST):
        return None
    local, _, domain = written.rpartition("@")
    stem = local.rstrip(DIGITS)
    return f"{stem}@{domain}" if stem else None


def _addresses(text: str) -> Iterator[tuple[str, str]]:
    """Yield local part and domain of the mailboxes in a text, without what is written around them."""
    plain = unicodedata.normalize("NFKC", visible(text[:LONGEST])).casefold()
    parts = plain.replace("mailto:", " ").split("@")[: MOST_MAILBOXES + 1]
    for before, after in pairwise(parts):
        local, domain = _last_word(before), DOMAIN.match(after.strip("( "))
        if local and domain and len(domain[0]) <= LONGEST_DOMAIN:
            yield local, domain[0].rstrip(".-_")


def _last_word(text: str) -> str:
    start = len(text.rstrip())
    text = text[:start]
    at = max((text.rfind(sign) for sign in " <>()[]\"':;,|，；：“”"), default=-1)
    word = text[at + 1 :]
    return word if LOCAL.match(word) else ""


def _keys(address: tuple[str, str]) -> tuple[str | None, str | None]:
    """Return a mailbox as written, and without added digits where it has some; none where it is nobody's own."""
    domain = _providers().get(address[1]) or address[1]
    local = _joined(address[0].partition("+")[0])
    if not local or _is_nobodys(local, domain):
        return None, None
    if local in _roles():
        is_firms = domain not in _providers() and shared_host(domain) is None
        return (f"{OF_THE_HOST}@{domain}" if is_firms else None), None
    cut = _without_added(local, at_provider=domain in _providers())
    return f"{local}@{domain}", None if cut is None else f"{cut}@{domain}"


def _joined(local: str) -> str:
    return plain_words(local).replace(" ", "")


def _is_nobodys(local: str, domain: str) -> bool:
    """Say whether nobody reads a mailbox, or a carrier does; any word can be a mailbox on a host of one's own."""
    stem, ending = local.rstrip(DIGITS), domain.rpartition(".")[2]
    if stem in _nobody() or domain in _invented() or ending in _invented():
        return True
    if local.isdecimal() and is_patterned(local):
        return True
    if len(stem) == 1 == len(domain.partition(".")[0]):  # such as a@a.com
        return True
    if domain in _providers() and local not in _roles() and says_nothing(local):
        return True
    shared = shared_host(domain)
    return shared is not None and shared[0].kind == CARRIER


def _without_added(local: str, *, at_provider: bool) -> str | None:
    """Cut the last two of five or more digits, unless what is left would be anybody's: digits alone, a common name.

    at_provider: anyone has a mailbox there, so that namesakes are told apart by their digits; elsewhere they are few.
    """
    stem = local.rstrip(DIGITS)
    if len(local) - len(stem) < FEWEST_DIGITS or len(stem) < (AT_PROVIDER if at_provider else FEWEST_LETTERS):
        return None
    if is_common_name(stem) if at_provider else stem in _common("given") | _common("surname"):
        return None
    return local[:-CUT]


@lru_cache(maxsize=100_000)
def is_common_name(stem: str) -> bool:
    """Say whether a stem is a given name, a family name, or both run together, as thousands bear them."""
    given, family = _common("given"), _common("surname")
    names = given | family
    if stem in names:
        return True
    splits = ((stem[:at], stem[at:]) for at in range(1, min(len(stem), LONGEST)))
    return any(
        (first in family and (second in names or len(second) == 1))
        or (second in family and (first in names or len(first) == 1))
        for first, second in splits
    )


@cache
def _common(kind: str) -> frozenset[str]:
    return of_kind(table("common_names"), kind, "name")


@cache
def _providers() -> dict[str, str]:
    """Return the domains where anyone has a mailbox, each with the first of its names."""
    return {row["name"]: row["same_as"] or row["name"] for row in table("mailboxes") if row["kind"] == "provider"}


@cache
def _roles() -> frozenset[str]:
    return of_kind(table("mailboxes"), "role", "name")


@cache
def _nobody() -> frozenset[str]:
    return of_kind(table("mailboxes"), "nobody", "name")


@cache
def _invented() -> frozenset[str]:
    return of_kind(table("mailboxes"), "invented", "name")
