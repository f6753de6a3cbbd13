"""The codes used in messages: code lists, forms and meanings.

An unlisted code is never a reason to refuse a consignment: it is unknown, and a data problem of the declaration.
"""

from __future__ import annotations

import re
from functools import lru_cache

import airportsdata
import pycountry

POUND = 0.45359237  # kilograms
HS_EDITION = "HS 2022"
# The last heading of each chapter of HS 2022, then the numbers below it that are no headings. Subheadings are not
# listed: nations add their own, and the first four digits already tell an invented code.
CHAPTERS: dict[int, tuple[int, tuple[int, ...]]] = {
    1: (6, ()), 2: (10, ()), 3: (9, ()), 4: (10, ()), 5: (11, (3, 9)), 6: (4, ()), 7: (14, ()), 8: (14, ()),
    9: (10, ()), 10: (8, ()), 11: (9, ()), 12: (14, ()), 13: (2, ()), 14: (4, (2, 3)), 15: (22, (19,)), 16: (5, ()),
    17: (4, ()), 18: (6, ()), 19: (5, ()), 20: (9, ()), 21: (6, ()), 22: (9, ()), 23: (9, ()), 24: (4, ()),
    25: (30, (27,)), 26: (21, ()), 27: (16, ()), 28: (53, (38, 48, 51)), 29: (42, ()), 30: (6, ()), 31: (5, ()),
    32: (15, ()), 33: (7, ()), 34: (7, ()), 35: (7, ()), 36: (6, ()), 37: (7, ()), 38: (27, ()), 39: (26, ()),
    40: (17, ()), 41: (15, (8, 9, 10, 11)), 42: (6, (4,)), 43: (4, ()), 44: (21, ()), 45: (4, ()), 46: (2, ()),
    47: (7, ()), 48: (23, (15,)), 49: (11, ()), 50: (7, ()), 51: (13, ()), 52: (12, ()), 53: (11, (4,)), 54: (8, ()),
    55: (16, ()), 56: (9, ()), 57: (5, ()), 58: (11, ()), 59: (11, ()), 60: (6, ()), 61: (17, ()), 62: (17, ()),
    63: (10, ()), 64: (6, ()), 65: (7, (3,)), 66: (3, ()), 67: (4, ()), 68: (15, ()), 69: (14, (8,)), 70: (20, (12,)),
    71: (18, ()), 72: (29, ()), 73: (26, ()), 74: (19, (14, 16, 17)), 75: (8, ()), 76: (16, ()), 78: (6, (3, 5)),
    79: (7, (6,)), 80: (7, (4, 5, 6)), 81: (13, (7,)), 82: (15, ()), 83: (11, ()), 84: (87, (69,)), 85: (49, (20,)),
    86: (9, ()), 87: (16, ()), 88: (7, (3,)), 89: (8, ()), 90: (33, (9,)), 91: (14, ()), 92: (9, (3, 4)), 93: (7, ()),
    94: (6, ()), 95: (8, (1, 2)), 96: (20, ()), 97: (6, ()),
}  # fmt: skip
NATIONAL_CHAPTERS = ("98", "99")  # for national use; their headings are unknown
HEADINGS = frozenset(
    f"{chapter:02d}{heading:02d}"
    for chapter, (last, gaps) in CHAPTERS.items()
    for heading in range(1, last + 1)
    if heading not in gaps
)
COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries) | {"XK", "XI"}  # Kosovo, Northern Ireland
CURRENCIES = frozenset(currency.alpha_3 for currency in pycountry.currencies)

S10 = r"^[A-Z]{2}[0-9]{9}[A-Z]{2}$"
IMPC = r"^[A-Z]{2}[A-Z]{3}[A-Z0-9]$"  # country, place, and a letter of the operator: CNPVGA
UNLOCODE = r"^[A-Z]{2}[A-Z2-9]{3}$"
IATA = r"^[A-Z]{3}$"
IOSS = r"^IM[0-9]{10}$"
PHONE = r"^\+?[0-9(][0-9 ().\-/]{4,28}[0-9]$"
EMAIL = r"^[^\s@<>]+@[^\s@<>.]+(\.[^\s@<>.]+)+$"
LONGEST_LOCAL = 64  # characters before the @
RECEPTACLE = re.compile(r"^[A-Z]{5}[A-Z0-9][A-Z]{5}[A-Z0-9][A-E][A-Z]{2}[0-9]{14}$")
WAYBILL = re.compile(r"^\s*(\d{3})[- ]?(\d{4})[ ]?(\d{4})\s*$")

# UPU code list 136, the transaction that a customs declaration of an item states; 92 and 93 came with later editions.
NATURE_OF_TRANSACTION = {
    "11": "sale", "12": "sale", "21": "returned", "31": "gift", "32": "sample", "91": "documents",
    "99": "other", "999": "other",
}  # fmt: skip


def is_s10(written: str) -> bool:
    """Return true if it has the form of an S10 item identifier, whatever its check digit."""
    return re.match(S10, written) is not None


def is_receptacle(written: str) -> bool:
    """Return true if it has the form of a UPU S9 receptacle identifier: 29 characters, two processing centres first."""
    return RECEPTACLE.match(written) is not None


def nature_of(code: str) -> str:
    """Return the nature of the transaction by its UPU code, or by its own word; unknown codes are `other`."""
    word = code.strip().lower()
    return NATURE_OF_TRANSACTION.get(word, word if word in NATURE_OF_TRANSACTION.values() else "other")


def waybill(written: str | None) -> str | None:
    """Return a master waybill number in one form, `888-11111111`; anything else is returned unchanged."""
    match = WAYBILL.match(written or "")
    return f"{match.group(1)}-{match.group(2)}{match.group(3)}" if match else (written or None)


# Codes of cities with several airports, which waybills use in their place.
CITIES = {
    "PAR": "FR", "LON": "GB", "NYC": "US", "CHI": "US", "WAS": "US", "TYO": "JP", "OSA": "JP", "SEL": "KR", "MIL": "IT",
    "ROM": "IT", "MOW": "RU", "BJS": "CN", "SAO": "BR", "RIO": "BR", "BUE": "AR", "STO": "SE", "BUH": "RO", "YTO": "CA",
    "YMQ": "CA", "JKT": "ID", "BER": "DE", "SPK": "JP", "REK": "IS", "TCI": "ES", "QDU": "DE",
}  # fmt: skip


@lru_cache(maxsize=1)
def airports() -> dict[str, str]:
    """Return the country of every IATA code of an airport, and of a city with several."""
    return {code: airport["country"] for code, airport in airportsdata.load("IATA").items()} | CITIES


def airport_country(code: str | None) -> str | None:
    """Return the country of an IATA airport code; None where the code is unknown."""
    return airports().get((code or "").strip().upper())
