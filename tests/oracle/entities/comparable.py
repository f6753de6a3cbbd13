"""Columns of names and addresses as keys that survive disguise: the border to `features.identifiers`.

What a sender changes to pass for another - look-alike letters, word order, accents, formats - is removed; what
distinguishes two senders is kept. Nothing is guessed: two texts have the same key or they do not.
"""

from __future__ import annotations

import polars as pl

from features.identifiers import addresses, letters, names
from tests.oracle.entities.mapping import mapped, mapped_together

# polars keeps some thirty compiled patterns: a call that asks for more compiles all of them again, at 8 ms
LETTERS = r"\p{L}+"
ARTICLE = r"\b([A-Z]{1,4}[- ]?\d{3,6}[A-Z]?)\b"


def folded(text: pl.Expr) -> pl.Expr:
    """Return lower case without accents, with the Latin twin of every look-alike letter."""
    return mapped(text, letters.folded)


def comparable(column: str) -> pl.Expr:
    """Return a text as a key: folded, letters and digits only, single spaces; null where nothing is left."""
    return mapped(pl.col(column), letters.comparable)


def words_of_name(column: str) -> pl.Expr:
    """Return the words of a name in alphabetical order, without legal forms and words of trade."""
    return mapped(pl.col(column), names.words_of_name)


def sound_of_name(column: str) -> pl.Expr:
    """Return the same in written order and without spaces: equal for a Chinese name in characters and in pinyin."""
    return mapped(pl.col(column), names.sound_of_name)


def building(address: str, city: str, postcode: str, country: str) -> pl.Expr:
    """Return the building of an address in its town and country; null where either is unknown."""
    return mapped_together((address, city, postcode, country), addresses.building)


def street(address: str, city: str, postcode: str, country: str) -> pl.Expr:
    """Return the same without the town."""
    return mapped_together((address, city, postcode, country), addresses.street)


def article(column: str) -> pl.Expr:
    """Return the first article code of a description: letters and a number, as factories write them."""
    return run_together(folded(pl.col(column)).str.to_uppercase().str.extract(ARTICLE, 1))


def run_together(code: pl.Expr) -> pl.Expr:
    """Return an article code without its dash or space."""
    return code.str.replace_many(["-", " "], ["", ""])
