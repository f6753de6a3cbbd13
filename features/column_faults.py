"""What is wrong with columns of texts as received: each is read as a whole, and faults are named where any is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Text
from features.algebra.tables import Cells, Wholes
from features.algebra.written import Few, Flags, Question, Written, flags_of, number_of
from features.consignment import TIME, Column
from features.iso_times import frequent_moments, in_no_hour, rare_moments, without_zone
from features.moments import micros
from features.numerals import LOST_DIGITS

PROBABILITY = "selection_probability"
CONTROL = r"[\x00-\x08\x0B\x0C\x0E-\x1F\x7F\u{FFFD}-\u{FFFF}]"
CONTROL_SIGN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd-\uffff]")
LARGEST = 1e12
MISSING, LOST, CONTROLS = "missing", "a number whose last digits are lost", "control or undecodable characters"
TOO_LONG, UNKNOWN_WORD = "longer than allowed", "unknown word"
NO_NUMBER, INFINITE, NEGATIVE, TOO_LARGE = "not a number", "not finite", "negative", "too large"
NOT_WHOLE, NO_PROBABILITY = "not a whole number from 1", "not a probability"
SKIPPED, ZONELESS, NO_TIME = "an hour that the clocks of its zone skip", "time without a zone", "not a time"
OUT_OF_RANGE = "time out of range"
ZONED = "ISO 8601 with zone, such as 2026-03-01T08:15:00Z"
REMEDIES = {  # of what a file of text can have; what is too long and unknown words depend on their column
    MISSING: "every row must state it",
    LOST: "write the column as text: a number keeps 15",
    CONTROLS: "send printable text only",
    NO_NUMBER: "a decimal number with a point, without thousands separators",
    INFINITE: "a finite number",
    NEGATIVE: "zero or more",
    TOO_LARGE: f"at most {LARGEST:g}",
    NOT_WHOLE: "1, 2, 3, …",
    NO_PROBABILITY: "greater than 0, at most 1",
    OUT_OF_RANGE: "a day from 2000 to 2099",
    SKIPPED: "the clocks go forward in it: correct the hour, or state its offset",
    ZONELESS: ZONED,
    NO_TIME: ZONED,
}
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
DAMAGED = Question(lambda text: CONTROL_SIGN.search(text) is not None, lambda texts: texts.str.contains(CONTROL))
LOST_NUMBER = Question(LOST_DIGITS.__eq__, lambda texts: texts == LOST_DIGITS)
# Nearly all numbers and times are written so; any other form is read by polars, or a parser of its own.
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?", re.ASCII)
PLAIN_TIME = re.compile(
    r"(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-4]):[0-5][0-9])",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a field, and the rows that it refuses: of a column, or as an expression over accepted rows."""

    field: str
    reason: str
    remedy: str
    holds: pl.Expr | Flags


@dataclass(frozen=True, slots=True)
class Seen:
    """What is seen at one look at all texts of a call together: whether a question is worth asking of each column."""

    damaged: bool = True
    lost: bool = True

    @classmethod
    def of(cls, columns: Iterable[Written | pl.Series]) -> Seen:
        """Look at columns; of files, each column is asked."""
        words: list[str] = []
        for column in columns:
            if not isinstance(column, Few):
                return cls()
            words += [word for word in column.text.words if word is not None]
        whole = " ".join(words)
        plain = whole.isascii() and whole.isprintable()
        return cls(not plain and CONTROL_SIGN.search(whole) is not None, LOST_DIGITS in whole)


def read_column(column: Column, given: Written, seen: Seen, faults: list[Fault]) -> Cells:
    """Return the typed cells of a column of texts; what is wrong with it is added to the faults."""
    if not _is_plain(column, given, seen):
        faults += _faults_of_text(column, given, seen)
    if column.kind == "time":
        return _read_times(column, given, faults)
    if column.kind == "text":
        return given.text if isinstance(given, Few) else given.column
    return _read_numbers(column, given, faults)


def fault(field: str, reason: str, holds: pl.Expr | Flags) -> Fault:
    """Return a fault of REMEDIES."""
    return Fault(field, reason, REMEDIES[reason], holds)


def control_characters(name: str, given: Written) -> Iterator[Fault]:
    """Yield the fault of texts with signs that are no text."""
    if (holds := given.where(DAMAGED)) is not None:
        yield fault(name, CONTROLS, holds)


def _is_plain(column: Column, given: Written, seen: Seen) -> bool:
    """Whether nothing is wrong with the texts of a call, told at less cost than what is wrong with them."""
    if seen.damaged or seen.lost or not isinstance(given, Few):
        return False
    longest, choices = column.longest, column.choices
    for word in given.text.words:
        if word is None:
            if column.required:
                return False
        elif len(word) > longest or (choices and word not in choices):
            return False
    return True


def _faults_of_text(column: Column, given: Written, seen: Seen) -> Iterator[Fault]:
    name = column.name
    if column.required and (holds := given.missing()) is not None:
        yield fault(name, MISSING, holds)
    if seen.lost and column.kind == "text" and (holds := given.where(LOST_NUMBER)) is not None:
        yield fault(name, LOST, holds)
    if (holds := given.longer(column.longest)) is not None:
        yield Fault(name, TOO_LONG, f"at most {column.longest} characters", holds)
    if seen.damaged:
        yield from control_characters(name, given)
    if column.choices and (holds := given.where(_foreign_to(column.choices))) is not None:
        yield Fault(name, UNKNOWN_WORD, f"one of {', '.join(column.choices)}", holds)


def _foreign_to(choices: tuple[str, ...]) -> Question:
    return Question(lambda text: text not in choices)


class _Numbers(NamedTuple):
    """Numbers that texts are: NaN where there is none; unread: texts that are no number; nans: `nan` in words."""

    values: npt.NDArray[np.float64]
    unread: Flags | None
    nans: Flags | None
    sound: bool
    sound_wholes: bool

    @classmethod
    def of(cls, given: Written) -> _Numbers:
        return cls._of_words(given.text) if isinstance(given, Few) else cls._of_series(given.column)

    @classmethod
    def _of_words(cls, text: Text) -> _Numbers:
        words, odd = text.words, list[int]()
        numbers: list[float] = []
        sound = wholes = True
        for at, word in enumerate(words):
            if word is None or PLAIN_NUMBER.fullmatch(word) is None:
                numbers.append(np.nan)
                odd += [] if word is None else [at]
                continue
            number = float(word)
            numbers.append(number)
            sound = sound and 0 <= number <= LARGEST
            wholes = wholes and number >= 1 and number % 1 == 0
        wholes = wholes and sound
        if not odd:
            values = np.array(numbers, np.float64)
            return cls(values if len(text) == 1 else values[text.codes], None, None, sound, wholes)
        read = dict(zip(odd, number_of([words[at] or "" for at in odd]), strict=True))
        for at, found in read.items():
            numbers[at] = np.nan if found is None else found
        unread = np.array([read.get(at, 0.0) is None for at in range(len(words))], np.bool_)[text.codes]
        nans = np.array(
            [at in read and read[at] is not None and numbers[at] != numbers[at] for at in range(len(words))]
        )
        return cls(np.array(numbers, np.float64)[text.codes], unread, nans.astype(np.bool_)[text.codes], False, False)

    @classmethod
    def _of_series(cls, texts: pl.Series) -> _Numbers:
        numbers = texts.cast(pl.Float64, strict=False)
        values = numbers.to_numpy()
        unread = (
            None if numbers.null_count() == texts.null_count() else flags_of(numbers.is_null() & texts.is_not_null())
        )
        return cls(values, unread, flags_of(numbers.is_nan()), sound=False, sound_wholes=False)


def _read_numbers(column: Column, given: Written, faults: list[Fault]) -> Cells:
    is_whole = column.kind == "whole"
    if isinstance(given, Few) and given.states_nothing:
        rows = len(given)
        return Wholes(np.zeros(rows, np.int64), np.zeros(rows, np.bool_)) if is_whole else np.full(rows, np.nan)
    read = _Numbers.of(given)
    if column.name == PROBABILITY or not (read.sound_wholes if is_whole else read.sound):
        faults += _faults_of_numbers(column, read)
    if not is_whole:
        return read.values
    if read.sound_wholes and len(read.values) == 1:
        return _one_whole(float(read.values[0]))
    known = ~np.isnan(read.values)
    values = np.where(known & (np.abs(read.values) <= LARGEST), read.values, 0).astype(np.int64)
    return Wholes(values, None if known.all() else known)


def _one_whole(number: float) -> Wholes:
    """Return the whole number of a call's only line."""
    return Wholes(np.array([int(number)])) if number == number else Wholes(ONE_NOUGHT, NOT_KNOWN)


ONE_NOUGHT, NOT_KNOWN = np.zeros(1, np.int64), np.zeros(1, np.bool_)


def _faults_of_numbers(column: Column, read: _Numbers) -> Iterator[Fault]:
    name, number = column.name, read.values
    finite, nothing = np.isfinite(number), np.zeros(len(number), np.bool_)
    unread, nans = (nothing if holds is None else holds for holds in (read.unread, read.nans))
    faults = [
        fault(name, NO_NUMBER, unread | nans),
        fault(name, INFINITE, np.isinf(number) | nans),
        fault(name, NEGATIVE, number < 0),
        fault(name, TOO_LARGE, finite & (number > LARGEST)),
    ]
    if column.kind == "whole":
        with np.errstate(invalid="ignore"):
            faults.append(fault(name, NOT_WHOLE, finite & ((number < 1) | (number % 1 != 0))))
    if name == PROBABILITY:
        faults.append(fault(name, NO_PROBABILITY, (number <= 0) | (number > 1) | nans))
    yield from (one for one in faults if one.holds.any())


def _read_times(column: Column, given: Written, faults: list[Fault]) -> Cells:
    """Return moments; what cannot be read is a null, and refused."""
    name = column.name
    if isinstance(given, Few):
        moments = [_plain_moment(word) for word in given.text.words]
        if all(moment is not None and OF_RANGE[0] <= moment < OF_RANGE[1] for moment in moments):
            return np.array(moments, np.int64)[given.text.codes]
    texts = given.series(name)
    read = texts.to_frame().select(frequent_moments(pl.col(name)).alias(name)).to_series()
    unread = texts.is_not_null() & read.is_null()
    if unread.any():
        odd = texts.zip_with(unread, pl.Series([None], dtype=pl.String).new_from_index(0, len(texts)))
        read = read.zip_with(~unread, rare_moments(odd))
        faults_unread = list(_faults_of_unread(name, odd, texts.is_not_null() & read.is_null()))
    else:
        faults_unread = []
    beyond = flags_of((read < EARLIEST) | (read >= LATEST))
    if beyond is not None:
        faults.append(fault(name, OUT_OF_RANGE, beyond))
    faults += faults_unread
    return read.cast(TIME)


OF_RANGE = (micros(EARLIEST), micros(LATEST))


def _plain_moment(word: str | None) -> int | None:
    if word is None or PLAIN_TIME.fullmatch(word) is None:
        return None
    try:
        return micros(datetime.fromisoformat(word))
    except ValueError:  # a day that is not in the calendar
        return None


def _faults_of_unread(name: str, odd: pl.Series, unread: pl.Series) -> Iterator[Fault]:
    skipped, zoneless = in_no_hour(odd).fill_null(value=False), without_zone(odd).fill_null(value=False)
    for reason, holds in (
        (SKIPPED, unread & skipped),
        (ZONELESS, unread & zoneless & ~skipped),
        (NO_TIME, unread & ~zoneless & ~skipped),
    ):
        if (flags := flags_of(holds)) is not None:
            yield fault(name, reason, flags)
