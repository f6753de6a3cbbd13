"""Single texts normalised for comparison as whole columns are (features.comparable); what was asked is remembered."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from features.comparable import comparable, words_of_name

REMEMBERED = 10_000
Text = str | None


class Normaliser:
    """One way to normalise texts, with a memory of those that it saw lately; several threads may use it."""

    def __init__(self, how: pl.Expr) -> None:
        """how: an expression over a column `text`."""
        self._how, self._known = how, dict[str, Text]()

    def __call__(self, texts: Sequence[Text]) -> list[Text]:
        """Return each text normalised; None where it is unknown or nothing is left of it."""
        known = self._known
        new = list(dict.fromkeys(text for text in texts if text is not None and text not in known))
        if new:
            column = pl.DataFrame({"text": new}, schema={"text": pl.String}).select(self._how.alias("normal"))["normal"]
            known.update(zip(new, column, strict=True))  # nothing leaves it while another thread looks
            if len(known) > REMEMBERED:
                self._known = {}
        return [None if text is None else known[text] or None for text in texts]


normal = Normaliser(comparable("text"))
normal_name = Normaliser(words_of_name("text"))
