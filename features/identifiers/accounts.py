"""Seller accounts: a pseudonym as people tell it, without signs and look-alikes."""

from __future__ import annotations

from functools import lru_cache

from features.identifiers.letters import comparable
from features.identifiers.placeholders import says_nothing


@lru_cache(maxsize=200_000)
def account(text: str) -> str | None:
    """Return the key of a seller account, such as `jade sport`; None where it is a placeholder."""
    return None if says_nothing(text) else comparable(text)
