"""Several values in one cell of a table, apart: by semicolon, bar and line end, and by what no value holds itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from features.intelligence.countries import country_code

FEWEST_DIGITS = 7  # of a telephone; parts with fewer are an extension or an area
MAILBOX = re.compile(r"[^\s@<>()\[\]\"',;:|/\\]{1,64}@[^\s@<>()\[\]\"',;:|/\\]{1,255}")
BETWEEN_PHONES = re.compile(
    r"\s*(?:[;|\n/,&、，；／＋和或]|\b(?:or|ou|oder|und|and|et|o|y|e|и|tel|mob)\b)\s*", re.IGNORECASE
)
BETWEEN_URLS = re.compile(r"[\s|]+|[;,、，；]+(?=\s|https?:|www\.|$)")
BETWEEN_CODES = re.compile(r"\s*[;|\n,、，；]\s*")
BETWEEN_TEXTS = re.compile(r"\s*[;|\n；]\s*")
BETWEEN_ADDRESSES = re.compile(r"\s*[;|；]\s*")
BETWEEN_COUNTRIES = re.compile(r"\s*[;|\n/；／、]\s*")


def values_of(prop: str, cell: str) -> list[str]:
    """Return the values of a property in one cell, as written, without what stands between them."""
    return [value for value in map(str.strip, PARTS.get(prop, _between(BETWEEN_CODES))(cell)) if value]


def _between(pattern: re.Pattern[str]) -> Callable[[str], Iterator[str]]:
    return lambda cell: iter(pattern.split(cell))


def _mailboxes(cell: str) -> Iterator[str]:
    """Yield mailboxes, without the names and brackets around them; the cell where it has none."""
    stated = MAILBOX.findall(cell.replace("mailto:", " "))
    yield from stated or BETWEEN_CODES.split(cell)


def _telephones(cell: str) -> Iterator[str]:
    """Yield telephones; what is too short for one stays with the one before it (`089/123456`, `…, ext. 5`)."""
    gathered = ""
    start = 0
    for gap in BETWEEN_PHONES.finditer(cell):
        part = cell[start : gap.start()]
        if _digits(part) >= FEWEST_DIGITS and _digits(cell[gap.end() : gap.end() + 25]) >= FEWEST_DIGITS:
            yield gathered + part
            gathered, start = "", gap.end()
    yield gathered + cell[start:]


def _digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _countries(cell: str) -> Iterator[str]:
    """Yield countries; a name with a comma (`Korea, Republic of`) is one."""
    for part in BETWEEN_COUNTRIES.split(cell):
        yield from [part] if country_code(part) or "," not in part else part.split(",")


PARTS: dict[str, Callable[[str], Iterator[str]]] = {
    "email": _mailboxes,
    "phone": _telephones,
    "url": _between(BETWEEN_URLS),
    "country": _countries,
    "name": _between(BETWEEN_TEXTS),
    "brand": _between(BETWEEN_TEXTS),
    "address": _between(BETWEEN_ADDRESSES),
    "title": _between(BETWEEN_ADDRESSES),
    "price": _between(BETWEEN_ADDRESSES),
}
