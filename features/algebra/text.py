"""A column of texts: each distinct text once, and for every row the place of its text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.intp]
UNKNOWN = float("nan")
ONE_ROW = np.zeros(1, np.intp)


class Text:
    """A column of texts; what is computed of a text is computed once for each distinct one.

    words: distinct texts as they came (what was made of them may be alike), None for unknown. codes: for every row the
    place of its text among them.

    >>> wording = Text.of(["gift", None, "phone case", "gift"])
    >>> wording.number(len).tolist()
    [4.0, nan, 10.0, 4.0]
    >>> wording.each(str.upper).rows()
    ['GIFT', None, 'PHONE CASE', 'GIFT']
    >>> wording.is_one_of("gift", "sample").tolist()
    [True, False, False, True]
    """

    __slots__ = ("codes", "words")

    def __init__(self, codes: Codes, words: Sequence[str | None]) -> None:
        self.codes, self.words = codes, words

    @classmethod
    def of(cls, texts: Sequence[str | None]) -> Text:
        """Make a column of texts row by row."""
        if len(texts) == 1:
            return cls(ONE_ROW, texts)
        words = list(dict.fromkeys(texts))
        places = dict(zip(words, range(len(words)), strict=True))
        return cls(np.fromiter(map(places.__getitem__, texts), np.intp, len(texts)), words)

    @classmethod
    def end_to_end(cls, parts: Sequence[Text]) -> Text:
        """Return one column of several, one below the other."""
        places: dict[str | None, int] = {}
        codes = [
            np.array([places.setdefault(word, len(places)) for word in part.words], np.intp)[part.codes]
            for part in parts
        ]
        return cls(np.concatenate(codes), list(places))

    def __len__(self) -> int:
        return len(self.codes)

    def __repr__(self) -> str:
        return f"Text({self.rows()!r})"

    def rows(self) -> list[str | None]:
        """Return the text of each row."""
        words = self.words
        return [words[code] for code in self.codes.tolist()]

    def take(self, places: Codes) -> Text:
        """Return the texts of some rows."""
        return Text(self.codes[places], self.words)

    def compact(self) -> Text:
        """Return the same column without words that no row has."""
        used, codes = np.unique(self.codes, return_inverse=True)
        words = self.words
        return Text(codes, [words[code] for code in used.tolist()])

    def each(self, function: Callable[[str], str | None]) -> Text:
        """Return what a function makes of each text; unknown stays unknown."""
        return Text(self.codes, [None if word is None else function(word) for word in self.words])

    def number(self, function: Callable[[str], float], missing: float = UNKNOWN) -> Numbers:
        """Return a number of each text; `missing` where there is none."""
        return np.array([missing if word is None else function(word) for word in self.words], np.float64)[self.codes]

    def holds(self, function: Callable[[str], bool]) -> Flags:
        """Return where a condition holds of the text; it holds of none that is unknown."""
        return np.array([word is not None and function(word) for word in self.words], np.bool_)[self.codes]

    def is_one_of(self, *words: str) -> Flags:
        """Return where the text is one of these."""
        return self.holds(words.__contains__)

    def known(self) -> Flags:
        """Return where a text is stated."""
        return np.array([word is not None for word in self.words], np.bool_)[self.codes]

    def numbered(self) -> npt.NDArray[np.int64]:
        """Return for every row a number that equal texts share, -1 where unknown."""
        places: dict[str, int] = {}
        numbers = [-1 if word is None else places.setdefault(word, len(places)) for word in self.words]
        return np.array(numbers, np.int64)[self.codes]


def numbers_of(function: Callable[[str, str], float], one: Text, other: Text) -> Numbers:
    """Return a number of two texts of each row, computed once for each pair; unknown where either is.

    >>> numbers_of(lambda a, b: float(a in b), Text.of(["li", "li", None]), Text.of(["lisa", "max", "li"])).tolist()
    [1.0, 0.0, nan]
    """
    pairs, rows = distinct_pairs(one.codes, other.codes, len(other.words))
    words = ((one.words[code], other.words[beside]) for code, beside in pairs)
    each = [UNKNOWN if a is None or b is None else function(a, b) for a, b in words]
    return np.array(each, np.float64)[rows]


def differ(one: Text, other: Text) -> Numbers:
    """Return 1 where two texts of a row differ and 0 where they are alike; unknown where either is."""
    return numbers_of(str.__ne__, one, other)


def joined(one: Text, other: Text, separator: str) -> Text:
    """Return two texts of each row as one; unknown where either is."""
    pairs, rows = distinct_pairs(one.codes, other.codes, len(other.words))
    words = ((one.words[code], other.words[beside]) for code, beside in pairs)
    return Text(rows, [None if a is None or b is None else f"{a}{separator}{b}" for a, b in words])


def texts_of(function: Callable[..., str | None], *columns: Text) -> Text:
    """Return what a function makes of the texts of each row, computed once for texts that stand together.

    It is asked where one of them is stated, with None for the others; where none is, nothing is.

    >>> texts_of(lambda town, country: f"{town}, {country}", Text.of(["Ningbo", None]), Text.of([None, None])).rows()
    ['Ningbo, None', None]
    """
    if len(columns[0].codes) == 1:
        of_row = [column.words[column.codes[0]] for column in columns]
        return Text(ONE_ROW, (None if of_row.count(None) == len(of_row) else function(*of_row),))
    groups, rows = together(columns)
    return Text(rows, [None if texts.count(None) == len(texts) else function(*texts) for texts in groups])


def together(columns: Sequence[Text]) -> tuple[list[tuple[str | None, ...]], Codes]:
    """Return the texts that stand in a row together, each combination once, and for every row the place of its own."""
    if len(columns[0]) == 1:
        return [tuple([column.words[column.codes[0]] for column in columns])], ONE_ROW
    codes = columns[0].codes
    places = [np.arange(len(columns[0].words))]
    for column in columns[1:]:
        size = max(len(column.words), 1)
        pairs, codes = np.unique(codes * size + column.codes, return_inverse=True)
        places = [*(of_column[pairs // size] for of_column in places), pairs % size]
    texts = ([column.words[at] for at in of.tolist()] for column, of in zip(columns, places, strict=True))
    return list(zip(*texts, strict=True)), codes


def distinct_pairs(one: Codes, other: Codes, size: int) -> tuple[list[tuple[int, int]], Codes]:
    """Return the pairs of codes that occur, and for every row the place of its pair.

    size: more than the highest code of the other.
    """
    if len(one) == 1:
        return [(int(one[0]), int(other[0]))], ONE_ROW
    pairs, rows = np.unique(one * max(size, 1) + other, return_inverse=True)
    return list(zip((pairs // max(size, 1)).tolist(), (pairs % max(size, 1)).tolist(), strict=True)), rows
