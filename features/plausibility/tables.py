"""The tables of plausibility: files beside the modules, each with its source and date in its first lines.

What a feature is rests on their content: CONTENT names it, a constant of every function that reads one, and so part of
the fingerprint.
"""

from __future__ import annotations

import csv
import hashlib
import re
from functools import cache
from importlib import resources

TABLES = ("known_names", "places", "postcodes", "scripts")


def _read(name: str) -> str:
    return resources.files("features.plausibility").joinpath(f"{name}.csv").read_text(encoding="utf-8")


CONTENT = {name: hashlib.sha256(_read(name).encode()).hexdigest() for name in TABLES}


def _rows(name: str) -> list[dict[str, str]]:
    if hashlib.sha256((text := _read(name)).encode()).hexdigest() != CONTENT[name]:
        raise OSError(f"{name}.csv was changed while it was in use")
    return list(csv.DictReader(line for line in text.splitlines() if not line.startswith("#")))


@cache
def postcode_forms() -> dict[str, re.Pattern[str]]:
    """Return the form of postcodes by country, over capitals."""
    return {row["country"]: re.compile(row["form"], re.ASCII) for row in _rows("postcodes")}


@cache
def scripts() -> dict[str, frozenset[str]]:
    """Return the scripts beside Latin of each country that has any."""
    return {row["country"]: frozenset(row["scripts"].split()) for row in _rows("scripts")}


@cache
def countries_of_place() -> dict[str, str]:
    """Return of every known name of a city the countries that have a town of this name, separated by spaces."""
    return {row["name"]: row["countries"] for row in _rows("places")}


@cache
def known_names() -> frozenset[str]:
    """Return names that everybody knows and no sender bears: of tales, of rulers, of forms."""
    return frozenset(row["name"] for row in _rows("known_names") if row["kind"] != "filler")


@cache
def fillers() -> frozenset[str]:
    """Return single words that no name or street holds, as drafts and forms do."""
    return frozenset(row["name"] for row in _rows("known_names") if row["kind"] == "filler")
