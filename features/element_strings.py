"""GS1 element strings as scanners give them: without brackets, perhaps with symbology identifier and separators."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

TABLE = Path(__file__).with_name("application_identifiers.toml")
SYMBOLOGY = re.compile(r"\s*\][A-Za-z][0-9A-Fa-f]")  # ISO/IEC 15424: ]C1, ]d2, ]Q3, ]e0, ]E0 …
# FNC1 as scanners, printers and files write it: the sign itself, its picture, its name, an escape
SEPARATOR = re.compile(r"[\x1d\u241d]|[<{\[](?:GS|FNC1)[>}\]]|\\(?:x1d|u001d|035|F)|\^\]|\s+", re.IGNORECASE)
LONGEST = 500  # characters


@cache
def _lengths() -> tuple[dict[str, int], dict[str, int]]:
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return table["predefined"], table["variable"]


def without_symbology(code: str) -> tuple[str, bool]:
    """Return a code without the symbology identifier before it, and whether there was one."""
    match = SYMBOLOGY.match(code)
    return (code[match.end() :], True) if match else (code, False)


def elements_of(code: str) -> dict[str, str] | None:
    """Return the elements of an element string by their identifiers; None where it is none from end to end.

    Only identifiers of two digits, such as 01 (GTIN) and 21 (serial number), are named in full; of others two digits.
    """
    predefined, variable = _lengths()
    found: dict[str, str] = {}
    for part in SEPARATOR.split(code) if len(code) <= LONGEST else ():
        at = 0
        while at < len(part):
            identifier = part[at : at + 2]
            if identifier in predefined:
                end = at + 2 + predefined[identifier]
                value = part[at + 2 : end]
                if len(value) < predefined[identifier] or not (value.isascii() and value.isdigit()):
                    return None
            elif identifier in variable:
                end, value = len(part), part[at + variable[identifier] :]
            else:
                return None
            if not value:
                return None
            found.setdefault(identifier, value)
            at = end
    return found or None
