"""Bank accounts (IBAN) by their check digits and the form of their country, each in one spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stdnum import iban as numbers

SHORTEST, LONGEST = 15, 34  # signs
IBAN = re.compile(r"\b([A-Z]{2}\d{2}(?:[ \u00a0]?[A-Z0-9]){11,30}+)")
# of the register of ISO 13616: they stand in manuals and templates, and are nobody's there
EXAMPLES = frozenset(
    [
        "AT611904300234573201",
        "BE68539007547034",
        "CH9300762011623852957",
        "DE89370400440532013000",
        "DK5000400440116243",
        "ES9121000418450200051332",
        "FR1420041010050500013M02606",
        "GB29NWBK60161331926819",
        "IE29AIBK93115212345678",
        "IT60X0542811101000000123456",
        "LU280019400644750000",
        "NL91ABNA0417164300",
        "PL61109010140000071219812874",
        "PT50000201231234567890154",
        "SE4550000000058398257466",
    ]
)


def iban(text: str) -> str | None:
    """Return an IBAN without spaces and labels; None for a text that is none, or whose check digits do not fit."""
    plain = re.sub(r"[^A-Z0-9]", "", text.upper()).removeprefix("IBAN")
    return plain if numbers.is_valid(plain, check_country=False) else None


def ibans_in(text: str) -> Iterator[str]:
    """Yield the IBANs of a text without spaces, those with valid check digits alone. Linear in its length."""
    for match in IBAN.finditer(text):
        if found := _longest(match[0]):
            yield found


def accounts_in(text: str) -> Iterator[str]:
    """Yield the IBANs of a text that somebody has: not the examples of the register."""
    yield from (found for found in ibans_in(text) if found not in EXAMPLES)


def is_iban(text: str) -> bool:
    """Return whether a text begins with an IBAN."""
    return _longest(text) is not None


def _longest(text: str) -> str | None:
    """Return the longest beginning of a text that is an IBAN: words in capitals may follow it.

    The remainder is carried from sign to sign, so that the form of a country is compared for a few lengths alone.
    """
    signs = re.sub(r"[^A-Z0-9]", "", text)
    head = int("".join(str(int(sign, 36)) for sign in signs[:4]))  # six digits, which the check puts at the end
    rest, fits = 0, []
    for length, sign in enumerate(signs[4:LONGEST], start=5):
        value = int(sign, 36)
        rest = (rest * (10 if value < 10 else 100) + value) % 97
        if length >= SHORTEST and (rest * 10**6 + head) % 97 == 1:
            fits.append(signs[:length])
    return next((found for written in reversed(fits) if (found := iban(written))), None)
