"""Columns of texts as they were written: of a call, whose few texts are judged here, or of a file, by polars.

Both are asked the same questions and give the same answers. A question is asked of the column as a whole first: the
answer is None where it holds nowhere, which is nearly always, and nothing is spent on saying where.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.frames import MANY, text_of
from features.algebra.tables import Table
from features.algebra.text import Text

Flags = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
# What Unicode calls white space, as polars strips it; Python's own list has the separators of scanned codes too.
SPACE = "\t\n\x0b\x0c\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


@dataclass(frozen=True, slots=True)
class Question:
    """A condition on a text, of one and of a column; the two hold of the same texts.

    many: left out where a file repeats its texts, so that each distinct one is asked.
    """

    one: Callable[[str], bool]
    many: Callable[[pl.Series], pl.Series] | None = None


class Few:
    """Texts of which each distinct one is judged in turn."""

    __slots__ = ("text",)

    def __init__(self, text: Text) -> None:
        self.text = text

    @classmethod
    def nothing(cls, rows: int) -> Few:
        """Return a column in which nothing is stated."""
        return cls(Text(np.zeros(rows, np.intp), (None,)))

    def __len__(self) -> int:
        return len(self.text)

    @property
    def states_nothing(self) -> bool:
        """Whether no row states anything."""
        words = self.text.words
        return len(words) == 1 and words[0] is None

    def where(self, question: Question) -> Flags | None:
        """Return where a condition holds of the text, which it does of none that is unknown."""
        one = question.one
        for word in self.text.words:
            if word is not None and one(word):
                return self.text.holds(one)
        return None

    def missing(self) -> Flags | None:
        """Return where nothing is stated."""
        return ~self.text.known() if None in self.text.words else None

    def longer(self, longest: int) -> Flags | None:
        """Return where a text has more characters than this."""
        for word in self.text.words:
            if word is not None and len(word) > longest:
                return self.text.holds(lambda one: len(one) > longest)
        return None

    def series(self, name: str = "") -> pl.Series:
        """Return the texts as a series."""
        return pl.Series(name, self.text.rows(), pl.String)

    def take(self, places: Places) -> Few:
        """Return the texts of some rows."""
        return Few(self.text.take(places))


class Many:
    """Texts that polars judges all at once."""

    __slots__ = ("_text", "column")

    def __init__(self, column: pl.Series) -> None:
        self.column = column
        self._text: Text | None = None

    def __len__(self) -> int:
        return len(self.column)

    @property
    def text(self) -> Text:
        """The texts with each distinct one once."""
        if self._text is None:
            self._text = text_of(self.column)
        return self._text

    def where(self, question: Question) -> Flags | None:
        """Return where a condition holds of the text, which it does of none that is unknown."""
        if question.many is None:
            return Few(self.text).where(question)
        return flags_of(question.many(self.column))

    def missing(self) -> Flags | None:
        """Return where nothing is stated."""
        return self.column.is_null().to_numpy() if self.column.null_count() else None

    def longer(self, longest: int) -> Flags | None:
        """Return where a text has more characters than this."""
        if not (self.column.str.len_bytes() > longest).any():
            return None
        return flags_of(self.column.str.len_chars() > longest)

    def series(self, name: str = "") -> pl.Series:
        """Return the texts as a series."""
        return self.column.alias(name)

    def take(self, places: Places) -> Many:
        """Return the texts of some rows."""
        return Many(self.column.gather(places))


Written = Few | Many


def flags_of(answers: pl.Series) -> Flags | None:
    """Return where answers are true; None where none is."""
    return answers.fill_null(value=False).to_numpy() if answers.any() else None


def written_of(series: pl.Series) -> Written:
    """Return a series of texts as a column, by their number."""
    return Few(Text.of(series.to_list())) if len(series) < MANY else Many(series)


def where(table: Table, name: str, question: Question) -> Flags | None:
    """Return where a condition holds of a column of texts; None where it holds nowhere, or there are no texts."""
    if question.many is None or len(table) < MANY or table.is_held_as_text(name):
        return Few(table.text_or_unknown(name)).where(question)
    return Many(table.series(name)).where(question)


def upper(word: str) -> str:
    """Return a text in capitals, as polars knows them: Python's list of letters grows with its versions."""
    return word.upper() if word.isascii() else str(pl.Series([word]).str.to_uppercase()[0])


def number_of(words: list[str]) -> list[float | None]:
    """Return the numbers that texts are, None where polars reads none."""
    return pl.Series(words, dtype=pl.String).cast(pl.Float64, strict=False).to_list()
