"""Telephones that a reader of a text could call: with borders, and valid by the number plan of their country."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from features.intelligence.bank_accounts import IBAN, is_iban

WORDS = Path(__file__).with_name("telephone_words.toml")
SHORTEST, LONGEST = 7, 15  # digits, by E.164 at the most
# one run of digits and what people write between them, with a border on both sides; it ends at anything else
BORDER = r"(?<![\w@#=/.,+*%&$€£¥~^-])(?<!\d:)"
START, GAP = r"\(?+(?:(?:\+|00)[ (]{0,2}+)?+\(?+\d", r"[ \u00a0\u2009().\u2010-\u2013/-]{0,3}+"
END = r"(?![\w@=%+*]|[.,:/-]\d|[ \u00a0]?[€$£¥])"
RUN = re.compile(f"{BORDER}{START}(?:{GAP}\\d){{5,30}}+{END}")
BETWEEN = re.compile(r" [/-] |  +")
TELEPHONE, OTHER = "telephones", "others"
BEFORE = 24  # signs before a number in which a word tells what it is
LETTERS = re.compile(r"[^\W\d_]+")


def telephones_in(text: str, region: str | None = None) -> Iterator[str]:
    """Yield the telephones of a text as written.

    region: ISO 3166-1 alpha-2 of who wrote it, if known; a number without its country's code is then read where a word
    for a telephone stands before it. Numbers of articles, accounts, orders and prices are none. Linear in the length.
    """
    if RUN.search(text) is None:
        return
    masked = _without_ibans(text)
    for match in RUN.finditer(masked):
        before = masked[max(0, match.start() - BEFORE) : match.start()]
        for part in _parts(match[0]):
            if _is_called(part, before, region):
                yield part


def _parts(run: str) -> list[str]:
    parts = [part.strip(" \u00a0.-/(") for part in BETWEEN.split(run)]
    return parts if len(parts) > 1 and all(_digits(part) >= SHORTEST for part in parts) else [run.strip(" \u00a0.-/")]


def _is_called(written: str, before: str, region: str | None) -> bool:
    if not SHORTEST <= _digits(written) <= LONGEST + 4:
        return False
    number = written.lstrip("( ")
    if number.startswith("+"):
        return is_telephone(number, None)
    word = _word_before(before)
    if number.startswith("00") and word != OTHER:
        return is_telephone(f"+{number[2:]}", None)
    return region is not None and word == TELEPHONE and is_telephone(number, region)


def _word_before(before: str) -> str:
    """Return what the nearest word says that a number is: a telephone, something else, or nothing."""
    for word in reversed(LETTERS.findall(before.casefold())[-3:]):
        for kind in (TELEPHONE, OTHER):
            if word in _words(kind):
                return kind
    return ""


def is_telephone(text: str, region: str | None) -> bool:
    """Return whether a text is a valid number of its country's plan; region: of a number without its country's code."""
    return canonical_telephone(text, region) is not None


def canonical_telephone(text: str, region: str | None) -> str | None:
    """Return a number in E.164 (`+8613800138000`); None for one that no country's plan has."""
    try:
        number = phonenumbers.parse(text[:100], region)
    except NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return str(phonenumbers.format_number(number, PhoneNumberFormat.E164))


def _without_ibans(text: str) -> str:
    """Return a text with the digits of bank accounts masked, so that none of them is taken for a telephone."""
    return IBAN.sub(lambda match: "x" * len(match[0]) if is_iban(match[0]) else match[0], text)


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(tomllib.loads(WORDS.read_text(encoding="utf-8"))[kind]["words"])
