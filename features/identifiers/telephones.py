"""Telephones by the number plan of the stated country: one key for all ways of writing a number.

A number that its plan knows is its international form. One that no plan knows - a slip, a disguise, a country that is
not the one stated - stays comparable by its digits if it is long enough to be a number at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import islice
from urllib.parse import unquote

from features.algebra.characters import agreed
from features.identifiers.number_plans import (
    code_of_region,
    has_length,
    has_mobile_length,
    leading_code,
    national_number,
)
from features.identifiers.placeholders import LONGEST, is_patterned
from features.identifiers.tables import of_kind, table
from features.identifiers.visible import visible

FEWEST_DIGITS, MOST_DIGITS = 7, 17  # with trunk prefix, exit code and country code
FEWEST_UNPLACED = 8  # digits of a number that no plan knows
FEWEST_WITH_CODE = 11  # digits of a number that may begin with the code of another country than is stated
TAIL = 9  # digits by which numbers are compared that no plan knows
LONGEST_NATIONAL = 10  # digits; more that begin with 00 begin with an exit code
MOST_PLANS, MOST_NUMBERS = 5, 3
DIFFERENT = 3  # digits of a number whose plan does not know it
EXTENSION = re.compile(
    r"(?:ext|x|#|poste|durchwahl|dw|interno|int|anexo|ramal|доб|вн|分机|分機|转|轉|内线|內線)", re.IGNORECASE
)
PARTED = re.compile(r"[;,|\n、，；]|/(?=\s*(?:\+|00|0?1[3-9]\d))|\bor\b|\bou\b|\boder\b|或", re.IGNORECASE)
MESSENGERS = ("wa.me/", "phone=", "number=", "t.me/+", "signal.me/#p/")  # a country code follows
CALLS = ("callto:", "tel:", "sms:")  # what is dialled follows
MONOTONOUS = re.compile(r"([0-9])\1{6}$")  # the same digit seven times at the end
SLIPS = str.maketrans("OoIl|", "00111")  # letters that pass for digits


@lru_cache(maxsize=200_000)
def telephone(text: str, country: str | None = None) -> str | None:
    """Return the key of the first telephone in a text: `+8613512340987`, or digits alone where no plan knows it.

    country: as stated with it, ISO 3166 alpha-2; the number plan that is tried first.
    """
    return next(iter(telephones(text, country)), None)


@lru_cache(maxsize=200_000)
def telephones(text: str, country: str | None = None) -> tuple[str, ...]:
    """Return all keys that the telephones in a text are compared by, the likeliest first; none where it states none.

    A number without country code that the plan of the stated country does not know has a key in each plan that does.
    """
    if len(text) > LONGEST:
        return ()
    plain = unicodedata.normalize("NFKC", visible(text))
    home = code_of_region(country)
    keys: list[str] = []
    for part in PARTED.split(plain, maxsplit=MOST_NUMBERS)[:MOST_NUMBERS]:
        keys += _keys_of_part(part, home)
    return tuple(dict.fromkeys(keys))


def _keys_of_part(text: str, home: str | None) -> list[str]:
    """Return the keys of one telephone; none where it is too short or too long, patterned, or known to be nobody's."""
    digits, international = _dialled(text)
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS or MONOTONOUS.search(digits):
        return []
    if is_patterned(digits) and not international:
        return []
    keys = list(_keys(digits, home, international=international))
    return [] if any(map(_is_nobodys, keys)) else keys


def _dialled(text: str) -> tuple[str, bool]:
    """Return the digits to dial, without extension and exit code, and whether they begin with a country code."""
    text = _without_extension(agreed(_behind_link(unquote(text, errors="replace"))))
    if {letter for letter in text if letter.isalpha()} <= set("OoIl"):
        text = text.translate(SLIPS)
    digits = "".join(str(unicodedata.decimal(sign)) for sign in text if sign.isdecimal())
    before = text[: next((at for at, sign in enumerate(text) if sign.isdecimal()), 0)]
    if before.rstrip(" (").endswith("+"):
        return digits.removeprefix("00"), True
    return (digits[2:], True) if digits.startswith("00") and len(digits) > LONGEST_NATIONAL else (digits, False)


def _behind_link(text: str) -> str:
    """Return what is dialled by a link of a messenger or of a web page; any other text as it is."""
    for begin in (*MESSENGERS, *CALLS):
        _, link, rest = text.partition(begin)
        if link:
            return f"+{rest}" if begin in MESSENGERS and not rest.lstrip().startswith(("+", "0")) else rest
    return text


def _without_extension(text: str) -> str:
    for mark in EXTENSION.finditer(text):
        before = text[: mark.start()]
        if sum(map(str.isdecimal, before)) >= FEWEST_DIGITS:
            return before
    return text


def _keys(digits: str, home: str | None, *, international: bool) -> Iterator[str]:
    """Yield the keys of a dialled number; home: the country code of the country that was stated with it."""
    if not international and home is not None and (national := national_number(digits, home)) is not None:
        yield f"+{home}{national}"
        return
    code = leading_code(digits)
    if code is not None and (national := national_number(digits[len(code) :], code)) is not None:
        yield f"+{code}{national}"
    elif international:
        yield from () if code is None else _slipped(digits[len(code) :], code)
    elif home is not None and has_mobile_length(digits, home):
        yield from _slipped(digits, home)
    elif home is not None and digits.startswith(home) and has_length(digits[len(home) :], home):
        yield from _slipped(digits[len(home) :], home)
    else:
        if code is not None and len(digits) >= FEWEST_WITH_CODE and has_length(digits[len(code) :], code):
            yield f"+{digits}"
        yield from _unplaced(digits, home)


def _slipped(national: str, code: str) -> Iterator[str]:
    """Yield the keys of a number that its own plan does not know."""
    plain = national.lstrip("0")
    if is_patterned(plain):
        return
    yield f"+{code}{plain}"
    yield from _unplaced(national, code)


def _unplaced(digits: str, code: str | None) -> Iterator[str]:
    """Yield the number in every plan that knows it, and its last digits; code: of the plan that does not."""
    plain = digits.lstrip("0")
    if len(plain) < FEWEST_UNPLACED or len(set(plain)) < DIFFERENT:
        return
    tried = (plan for plan in _codes_left_off() if plan != code and has_length(plain, plan))
    in_plans = ((plan, national_number(digits, plan)) for plan in tried)
    known = (f"+{plan}{national}" for plan, national in in_plans if national is not None)
    yield from islice(known, MOST_PLANS)
    yield plain[-TAIL:]


def _is_nobodys(key: str) -> bool:
    """Say whether a number is a carrier's, or kept for fiction."""
    digits = key.removeprefix("+")
    return digits in _numbers_of_nobody() or any(form.fullmatch(digits) for form in _forms_of_nobody())


@cache
def _codes_left_off() -> tuple[str, ...]:
    """Return the country codes of the table's plans, in its order."""
    codes = (code_of_region(row["number"]) for row in table("telephones") if row["kind"] == "plan")
    return tuple(code for code in codes if code is not None)


@cache
def _rows_of_nobody() -> frozenset[str]:
    return frozenset().union(*(of_kind(table("telephones"), kind, "number") for kind in ("fiction", "carrier")))


@cache
def _numbers_of_nobody() -> frozenset[str]:
    return frozenset(number for number in _rows_of_nobody() if "#" not in number)


@cache
def _forms_of_nobody() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(form.replace("#", "[0-9]")) for form in sorted(_rows_of_nobody()) if "#" in form)
