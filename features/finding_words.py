"""What was found, in the one list of kinds; words that offices write for them are read (`finding_words.toml`)."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

import polars as pl

TABLE = Path(__file__).with_name("finding_words.toml")
BETWEEN = re.compile(r"[;,|、；，/]")
JOINING = re.compile(r"[\s_\-‐-―’']+")


@lru_cache(maxsize=1)
def _words() -> dict[str, str]:
    table: dict[str, list[str]] = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {_folded(word): kind for kind, words in table.items() for word in (kind, *words)}


def _folded(word: str) -> str:
    """Bring a word to the form in which it is compared: small letters without accents, single spaces."""
    letters = unicodedata.normalize("NFKD", word).casefold()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return JOINING.sub(" ", plain).strip(" .")


def kind_of_finding(word: str) -> str | None:
    """Return the kind of finding that a word means; None where no kind is meant by it, or several."""
    return _words().get(_folded(word))


def kinds_of_findings(cell: str) -> str:
    """Return a cell of findings as kinds, `;` between, each once; unknown words stay for the gate to refuse."""
    words = [word.strip() for word in BETWEEN.split(cell)]
    return ";".join(dict.fromkeys(kind_of_finding(word) or word for word in words if word))


def in_kinds(findings: pl.Series, kinds: tuple[str, ...]) -> pl.Series:
    """Return a column of findings in kinds; a cell that states nothing else stays as it is, to the letter."""
    stated = findings.drop_nulls().unique()
    foreign = [cell for cell in stated if any(word.strip() not in kinds for word in cell.split(";") if word.strip())]
    return findings.replace({cell: kinds_of_findings(cell) for cell in foreign}) if foreign else findings
