"""Countries of a list: codes and words in the languages that dossiers are written in, to ISO 3166-1 alpha-2."""

from __future__ import annotations

import gettext
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pycountry

EVERYDAY = Path(__file__).with_name("country_words.toml")
LANGUAGES = ("fr", "zh_CN", "zh_TW", "de", "es", "it", "nl", "pl", "pt", "ru", "tr", "ja", "ko", "sv", "cs")
NAMES = ("name", "official_name", "common_name")
PART = re.compile(r"([A-Za-z]{2})-[A-Za-z0-9]{1,3}\Z")  # of a country, by ISO 3166-2
NO_LETTER = re.compile(r"[\W_]+")
LONGEST = 100  # characters of a country's name


def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code that a text names: a code of two or three letters, or the country's name.

    `CN`, `chn`, `gb-sct` (a part of the country), `Chine`, `中国` and `P.R. China` are read. Nothing is guessed: a
    slip of the pen is None.
    """
    part = PART.match(text.strip())
    return _codes().get(_key(part[1] if part else text[:LONGEST]))


def _key(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return NO_LETTER.sub(" ", "".join(sign for sign in plain if not unicodedata.combining(sign))).strip()


@cache
def _codes() -> dict[str, str]:
    """Return codes by name; a name that two countries have is left to the first, whose own it is in English."""
    codes: dict[str, str] = {}
    for name, code in _names():
        codes.setdefault(_key(name), code)
        codes.setdefault(_key(name).replace(" ", ""), code)
    return codes


def _names() -> Iterator[tuple[str, str]]:
    countries = list(pycountry.countries)
    for country in countries:
        yield from ((code, country.alpha_2) for code in (country.alpha_2, country.alpha_3))
    everyday = tomllib.loads(EVERYDAY.read_text(encoding="utf-8"))
    yield from everyday["codes"].items()
    yield from ((word, code) for code, words in everyday["words"].items() for word in words)
    english = [(getattr(country, name, None), country.alpha_2) for country in countries for name in NAMES]
    yield from ((name, code) for name, code in english if name)
    for language in LANGUAGES:
        translated = gettext.translation("iso3166-1", pycountry.LOCALES_DIR, languages=[language])
        yield from ((translated.gettext(name), code) for name, code in english if name)
