"""What the columns of a file are called, and what was meant: read where it differs in form alone, asked otherwise.

A name that differs from the contract's in capitals, spaces, hyphens or underscores is read. One in other words, in
another language or with a slip is never read by itself: it is what `meant` proposes, for a mapping to say so.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from functools import cache, lru_cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA

from features.consignment import BY_NAME
from features.outcome import OUTCOME_COLUMNS

SYNONYMS = Path(__file__).with_name("column_names.toml")
LONGEST = 60  # characters of a name that is compared at all
LIKE = 0.8  # how alike a name with a slip is to the one that was meant
UNIT = re.compile(
    r"[\W_]{1,3}(kgs?|kilos?|g|grs?|grams?|grammes?|lbs?|pounds?|oz|ounces?|t|tonnes?)[\])]?\s?$", re.IGNORECASE
)
UNITS = {"k": "kg", "g": "g", "l": "lb", "p": "lb", "o": "oz", "t": "t"}  # by the first letter of what was written
SLIPS_FROM = 6  # characters of a name in which a slip can be told


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """A name without what differs in form alone: capitals, spaces, hyphens, underscores, other signs and accents."""
    taken_apart = unicodedata.normalize("NFKD", name[: 4 * LONGEST].casefold())
    return re.sub(r"[\W_]+", "", "".join(sign for sign in taken_apart if not unicodedata.combining(sign)))


def of_same_form(columns: Iterable[str], wanted: Collection[str]) -> dict[str, str]:
    """Of each wanted name that no column bears exactly, the one column that differs from it in form alone."""
    columns = list(columns)
    foreign = [column for column in columns if column not in wanted and column != "line"]
    if not foreign:
        return {}
    by_form: dict[str, list[str]] = {}
    for column in foreign:
        by_form.setdefault(plain(column), []).append(column)
    found = {name: by_form.get(plain(name), []) for name in wanted if name not in columns}
    return {name: same[0] for name, same in found.items() if len(same) == 1}


def meant(columns: Iterable[str], absent: Collection[str]) -> dict[str, str]:
    """Of names that are absent, the column that each seems to stand under: a synonym, or the name with a slip."""
    short = [column for column in columns if len(column) <= LONGEST and column.isprintable()]
    named = {plain(UNIT.sub("", column)): column for column in short} | {plain(column): column for column in short}
    named.pop("", None)
    found: dict[str, str] = {}
    for name in absent:
        words = [word for word in (plain(name), *synonyms().get(name, ())) if word in named]
        like = words[0] if words else _with_a_slip(plain(name), named)
        if like is not None:
            found[name] = named[like]
            named = {words: column for words, column in named.items() if column != named[like]}
    return found


def unit_of(column: str) -> str:
    """The unit of a mass that a column's name ends with, a key of KILOGRAMS; empty where it has none."""
    found = UNIT.search(column[-LONGEST:])
    return UNITS[found[1][0].lower()] if found else ""


def _with_a_slip(name: str, named: Mapping[str, str]) -> str | None:
    if len(name) < SLIPS_FROM:
        return None
    close = process.extractOne(name, list(named), scorer=OSA.normalized_similarity, score_cutoff=LIKE)
    return None if close is None else str(close[0])


@cache
def synonyms() -> Mapping[str, tuple[str, ...]]:
    """Of each column of the contract, other words for it, as `plain` writes them."""
    listed = tomllib.loads(SYNONYMS.read_text(encoding="utf-8"))
    known = {*BY_NAME, *(column.name for column in OUTCOME_COLUMNS)}
    if strange := sorted(set(listed["words"]) - known):
        raise ValueError(f"{SYNONYMS.name}: no column of the contract: {strange[0]}")
    return {name: tuple(dict.fromkeys(map(plain, words))) for name, words in listed["words"].items()}
