"""Texts normalised for comparison, as the keys of history are."""

from __future__ import annotations

from collections.abc import Sequence

from features.identifiers.letters import comparable
from features.identifiers.names import words_of_name

Text = str | None


def normal(texts: Sequence[Text]) -> list[Text]:
    """Return each text folded, letters and digits only; None where it is unknown or nothing is left of it."""
    return [None if text is None else comparable(text) for text in texts]


def normal_name(texts: Sequence[Text]) -> list[Text]:
    """Return the words of each name in alphabetical order, without legal forms; None as above."""
    return [None if text is None else words_of_name(text) for text in texts]
