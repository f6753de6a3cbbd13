"""What was found, in the kinds that are told apart; words that offices write are read (`finding_words.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

import polars as pl

from features.finding_kinds import Kinds, standard_kinds

TABLE = Path(__file__).with_name("finding_words.toml")
BETWEEN = re.compile(r"[;,|、；，/]")
JOINING = re.compile(r"[\s_\-‐-―’']+")
LISTS_KEPT = 8  # of kinds whose words are remembered


@lru_cache(maxsize=LISTS_KEPT)
def _words(listed: tuple[tuple[str, tuple[str, ...]], ...]) -> dict[str, str]:
    """Return the words of some kinds, folded; its code and what it is called come before the table."""
    table: dict[str, list[str]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    codes = dict(listed)
    usual = {_folded(word): kind for kind, words in table.items() if kind in codes for word in words}
    return usual | {_folded(word): kind for kind, words in listed for word in (kind, *words)}


def words_of(kinds: Kinds) -> dict[str, str]:
    """Return every word that is read, in its compared form, and the kind that it means."""
    return _words(tuple((kind.code, (*kind.words.values(), *kind.read)) for kind in kinds.listed))


def _folded(word: str) -> str:
    """Bring a word to the form in which it is compared: small letters without accents, single spaces."""
    letters = unicodedata.normalize("NFKD", word).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return JOINING.sub(" ", plain).strip(" .")


def kind_of_finding(word: str, kinds: Kinds | None = None) -> str | None:
    """Return the kind of finding that a word means; None where no kind is meant by it, or several."""
    return words_of(kinds or standard_kinds()).get(_folded(word))


def kinds_of_findings(cell: str, kinds: Kinds) -> str:
    """Return a cell of findings as kinds, `;` between, each once and with the wider one that it lies within.

    Unknown words stay for the gate to refuse.
    """
    words = [word.strip() for word in BETWEEN.split(cell)]
    return ";".join(kinds.with_wider(kind_of_finding(word, kinds) or word for word in words if word))


def in_kinds(findings: pl.Series, kinds: Kinds) -> pl.Series:
    """Return a column of findings in kinds; a cell that states nothing else, and all of it, stays to the letter."""
    codes = set(kinds.codes)
    changed = {}
    for cell in findings.drop_nulls().unique():
        words = [word.strip() for word in cell.split(";") if word.strip()]
        if not codes.issuperset(words) or set(kinds.with_wider(words)) != set(words):
            changed[cell] = kinds_of_findings(cell, kinds)
    return findings.replace(changed) if changed else findings
