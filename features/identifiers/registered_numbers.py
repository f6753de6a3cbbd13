"""Registered numbers: VAT, EORI and company numbers, however they are spaced, labelled and prefixed."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache

import pycountry
from stdnum.cn import uscc
from stdnum.fr import siren, siret
from stdnum.pl import nip

from features.identifiers.letters import comparable
from features.identifiers.placeholders import says_nothing
from features.identifiers.tables import of_kind, table

SHORTEST = 3  # letters and digits
OTHER_PREFIXES = {"el": "gr", "xi": "gb", "uk": "gb"}  # of VAT and EORI numbers, beside ISO 3166
PREFIXED = re.compile(r"([a-z]{2})(e?[a-z0-9]*[0-9][a-z0-9]*)")
SWISS = re.compile(r"(?:che?)?([0-9]{9})(?:mwst|tva|iva|hr|vat)*")
FEWEST_DIGITS = 5  # behind a country's letters


@lru_cache(maxsize=200_000)
def registered_number(text: str, country: str | None = None) -> str | None:
    """Return the key of a registered number, such as `gb123456782`; None where none is stated.

    Signs and labels (`VAT no.`) are no part of it. Digits alone are numbers of the stated country (ISO 3166 alpha-2). A
    number of the same firm in another register - an EORI number made of its VAT number, a SIRET of its SIREN - is one.
    """
    if says_nothing(text):
        return None
    words = (comparable(text) or "").split()
    number = "".join(_without_labels(words))
    if len(number) < SHORTEST or says_nothing(number):
        return None
    prefix, rest = _in_country(number, (country or "").casefold())
    if prefix and len(set(rest)) <= 1:
        return None
    known = _firms().get(prefix)
    return prefix + (known(rest) if known else rest)


def _without_labels(words: list[str]) -> list[str]:
    """Take labels of several words from the start and one from the end of a number."""
    start = 0
    while taken := next((n for n in (4, 3, 2, 1) if " ".join(words[start : start + n]) in _labels()), 0):
        if start + taken >= len(words):
            break
        start += min(taken, len(words) - start)
    rest = words[start:]
    return rest[:-1] if len(rest) > 1 and rest[-1] in _labels() else rest


def _in_country(number: str, country: str) -> tuple[str, str]:
    """Return the country of a number, in lower case, and the number in it; empty for numbers of no register known."""
    if (swiss := SWISS.fullmatch(number)) and (number.startswith("ch") or country == "ch"):
        return "che", swiss[1]
    if number.isdecimal() or (country == "cn" and uscc.is_valid(number)):
        return country, number
    prefixed = PREFIXED.fullmatch(number)
    if prefixed and sum(map(str.isdigit, prefixed[2])) >= FEWEST_DIGITS:
        prefix = OTHER_PREFIXES.get(prefixed[1], prefixed[1])
        if prefix in _countries():
            return prefix, prefixed[2]
    return ("cn", number) if uscc.is_valid(number) else ("", number)


@cache
def _firms() -> dict[str, Callable[[str], str]]:
    """Return, by country, what makes one number of those that a firm has in several registers."""
    return {"fr": _french, "gb": _british, "pl": _polish}


def _french(number: str) -> str:
    """Return the SIREN of a SIRET, and of a VAT number, which is two digits and the SIREN."""
    if len(number) == 14 and siret.is_valid(number):
        return number[:9]
    return number[2:] if len(number) == 11 and siren.is_valid(number[2:]) else number


def _british(number: str) -> str:
    """Return the VAT number of an EORI number, which is followed by three zeros."""
    return number[:9] if len(number) == 12 and number.endswith("000") and number.isdecimal() else number


def _polish(number: str) -> str:
    """Return the NIP of an EORI number, which is followed by five zeros or more."""
    return number[:10] if len(number) > 10 and not number[10:].strip("0") and nip.is_valid(number[:10]) else number


@cache
def _countries() -> frozenset[str]:
    return frozenset(country.alpha_2.lower() for country in pycountry.countries)


@cache
def _labels() -> frozenset[str]:
    return frozenset(comparable(words) or "" for words in of_kind(table("number_labels"), "label", "words"))
