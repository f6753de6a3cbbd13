"""Masses as messages write them, in kilograms, their units in words or in codes (`mass_units.toml`)."""

from __future__ import annotations

import re
import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("mass_units.toml")
LONGEST = 60  # characters of a mass in words
UNKNOWN_UNIT = "an unknown unit of mass; left out"
TWO_UNITS = "two units of mass for one number; left out"
PART = re.compile(r"\s*([0-9]*[.,]?[0-9]+)\s*([^\W\d_]*(?: [^\W\d_]+)?)\.?\s*")
NUMBER = re.compile(r"\s*([+-]?(?:[0-9]+[.,]?|[0-9]*[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*", re.ASCII)
THOUSANDS = re.compile(r"[0-9]{1,3},[0-9]{3}", re.ASCII)  # or three decimals: nobody can tell


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def units() -> dict[str, float]:
    """Return the kilograms of each unit, by every name that it is written with."""
    return {name: float(unit["kilograms"]) for unit in _table()["unit"] for name in unit["names"]}


@lru_cache(maxsize=1)
def postal_limits() -> dict[str, float]:
    """Return the heaviest that the post takes, in kilograms: `ems`, and `any` other item."""
    return dict(_table()["postal_limit"])


@lru_cache(maxsize=1024)
def unit_of(written: str) -> float | None:
    """Return the kilograms of a unit as written; None where it is unknown."""
    word = " ".join(written.lower().replace(".", "").split())
    return units().get(word)


def number_of(written: str) -> str | None:
    """Return a number with a decimal point, where a comma or no digit may stand around it; None for anything else.

    A comma before exactly three digits may divide thousands, and is no decimal sign here.
    """
    match = NUMBER.fullmatch(written)
    if match is None or THOUSANDS.fullmatch(match[1]):
        return None
    number = match[1].replace(",", ".").rstrip(".")
    return f"0{number}" if number.startswith(".") else number


def _times(*parts: tuple[str, float]) -> str:
    """Add up numbers, each times its factor; a single number of kilograms stays as it is written."""
    if len(parts) == 1 and parts[0][1] == 1.0:
        return parts[0][0]
    return f"{sum(float(number) * factor for number, factor in parts):.9g}"


def in_kilograms(written: str, unit: str | None, usual: str) -> tuple[str | None, str | None]:
    """Return a mass in kilograms as text, and what is wrong with it.

    written: a number, or numbers with their units (`1 lb 8 oz`). unit: stated beside it. usual: where none is stated.
    What is no mass at all is returned as it is: the gate says so.
    """
    factor = unit_of(unit) if unit else None
    if unit and factor is None:
        return None, UNKNOWN_UNIT
    if (number := number_of(written)) is not None:
        return _times((number, factor or units()[usual])), None
    parts = _parts(written)
    if parts is None:
        return written, None
    known = [(amount, unit_of(name)) for amount, name in parts]
    if any(each is None for _, each in known):
        return None, UNKNOWN_UNIT
    if factor is not None and [each for _, each in known] != [factor]:
        return None, TWO_UNITS
    return _times(*((amount, each) for amount, each in known if each is not None)), None


def _parts(written: str) -> list[tuple[str, str]] | None:
    """Split `1 lb 8 oz` into numbers and units; None where it is not made of them."""
    found, at = [], 0
    while len(written) <= LONGEST and at < len(written):
        match = PART.match(written, at)
        number = number_of(match[1]) if match and match[2] else None
        if match is None or number is None:
            return None
        found.append((number, match[2]))
        at = match.end()
    return found or None
