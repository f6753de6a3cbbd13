"""Article codes within descriptions, in one form; and what counts as a letter.

Other texts as keys - names, addresses, telephones - are functions of `features.identifiers`.
"""

from __future__ import annotations

from functools import lru_cache

from features.algebra import Pattern
from features.identifiers.letters import folded

# polars keeps some thirty compiled patterns: a call that asks for more compiles all of them again, at 8 ms
LETTERS = r"\p{L}+"
ARTICLE = Pattern(r"\b([A-Z]{1,4}[- ]?\d{3,6}[A-Z]?)\b")  # letters and a number, as factories write them
BETWEEN = str.maketrans("", "", "- ")


@lru_cache(maxsize=50_000)
def articles(description: str) -> tuple[str, ...]:
    """Return the article codes of a description, without the dash or space in them.

    >>> articles("chaussures kp 1284 noires, KP-1285")
    ('KP1284', 'KP1285')
    """
    return tuple(code.translate(BETWEEN) for code in ARTICLE.all(folded(description).upper()))


def article(description: str) -> str | None:
    """Return the first article code of a description."""
    return next(iter(articles(description)), None)
