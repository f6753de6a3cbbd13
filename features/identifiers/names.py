"""Names of persons and firms as keys: legal forms, order and script fall off, what tells two names apart stays."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from features.identifiers.letters import (
    REMEMBERED,
    comparable,
    composed,
    folded,
    is_han,
    latin_readings,
    spaced,
    undisguised,
)
from features.identifiers.pinyin import pinyin_of

_FORMS = tomllib.loads((Path(__file__).parent / "legal_forms.toml").read_text(encoding="utf-8"))
_BUSINESS = tomllib.loads((Path(__file__).parent / "chinese_business.toml").read_text(encoding="utf-8"))
TRADE_WORDS = frozenset(_FORMS["trade"]["words"])
TRADES: dict[str, str] = _BUSINESS["trades"]  # longer ones before their parts
HAN_DROPPED = re.compile("|".join([*map(re.escape, _BUSINESS["dropped"]), r"\s"]))
HAN = re.compile(r"[\u4e00-\u9fff]")
DOTTED = re.compile(r"[^\W\d_](?:\.[^\W\d_])+\b\.?|[^\W\d_]/[^\W\d_]\b")
VOWELLESS = re.compile("[\u0590-\u06ff\u0e00-\u0eff]")  # Hebrew, Arabic, Thai: letters that leave sounds open
SHORT_WORD = 3  # letters; a form of several words consists of such
MOST_WORDS = 6  # of a form in short words, as "Sp. z o.o. Sp. k."
LONGEST_PERSON = 4  # characters; firms have more
RARE = 12  # letters of a name that is rare


def _compact(form: str) -> Iterable[str]:
    """Yield a form without dots and spaces, in each way of writing its letters, and as its capitals look in Latin."""
    ways = (*latin_readings(form), folded(form))
    return (reading for way in ways if (reading := (spaced(way) or "").replace(" ", "")))


def _all(table: str) -> list[str]:
    return [form for forms in _FORMS[table].values() for form in forms]


LEADING = frozenset(compact for form in _all("leading") for compact in _compact(form))
TRAILING = frozenset(compact for form in _all("trailing") for compact in _compact(form)) | LEADING
LONG_FORMS = frozenset(  # of words too long to be told from a name by their length alone
    (spaced(way) or "") for table in ("leading", "trailing") for form in _all(table) for way in latin_readings(form)
)
UNSPACED = sorted({composed(form) for form in _all("unspaced")}, key=len, reverse=True)


def words_of_name(name: str) -> str | None:
    """Return the words of a name in alphabetical order, without legal forms and words of trade.

    Names in other scripts are transliterated; Chinese characters are given in pinyin, for a person with the family
    name separate. None where nothing is left.
    """
    readings = name_readings(name)
    return readings[0] if readings else None


def sound_of_name(name: str) -> str | None:
    """Return the same in written order and without spaces: equal for a Chinese name in characters and in pinyin."""
    cores = _cores(name)
    return "".join(cores[0]) or None if cores else None


def name_readings(name: str) -> list[str]:
    """Return `words_of_name` in each way in which the name is commonly written in Latin letters."""
    return [" ".join(sorted(core)) for core in _cores(name)]


def sound_readings(name: str) -> list[str]:
    """Return `sound_of_name` in each way in which the name is commonly written in Latin letters."""
    return ["".join(core) for core in _cores(name)]


def is_rare(name: str) -> bool:
    """Return true for a name that few strangers have: long, and in letters that say how it is spoken."""
    words = words_of_name(name)
    return words is not None and len(words.replace(" ", "")) >= RARE and not VOWELLESS.search(name)


@lru_cache(maxsize=REMEMBERED)
def near_names(words: str) -> tuple[str, ...]:
    """Return the words of a name with a letter of the longest left out: equal for two names that differ by a slip.

    Short names are too much alike to be compared like this.
    """
    each = words.split(" ")
    longest = max(each, key=len)
    if len(longest) < 6 or len("".join(each)) < RARE:
        return ()
    each.remove(longest)
    rest = " ".join(sorted(each))
    return tuple(dict.fromkeys(f"{longest[:at]}{longest[at + 1 :]} {rest}" for at in range(len(longest))))


@lru_cache(maxsize=REMEMBERED)
def _cores(name: str) -> tuple[tuple[str, ...], ...]:
    """Return the words of a name without its legal form, in written order, for each way of reading it in Latin."""
    shown = composed(name)
    if HAN.search(shown):
        readings: tuple[str, ...] = (_in_pinyin(undisguised(shown, alone=False)),)
    else:
        readings = latin_readings(_without_unspaced(shown))
    cores = (tuple(_without_forms(_words(reading))) for reading in readings)
    return tuple(dict.fromkeys(core for core in cores if core))


def _without_unspaced(name: str) -> str:
    if not name.isascii():
        for form in UNSPACED:
            name = name.replace(form, " ")
    return name


def _words(reading: str) -> list[str]:
    """Split a name into words, a legal form written with dots into one."""
    joined = DOTTED.sub(_joined, reading) if "." in reading or "/" in reading else reading
    return (spaced(joined) or "").split()


def _joined(match: re.Match[str]) -> str:
    """Return initials as they are, and a legal form behind a name as one word."""
    letters = match[0].replace(".", "").replace("/", "")
    known = TRAILING if match.start() else LEADING
    return f" {letters} " if letters in known else match[0]


def _without_forms(words: list[str]) -> list[str]:
    """Leave out legal forms at both ends and words of trade anywhere."""
    bare = [word for word in _trimmed(words) if word not in TRADE_WORDS]
    return _trimmed(bare)


def _trimmed(words: Sequence[str]) -> list[str]:
    left = list(words)
    while count := _form_at_end(left):
        del left[-count:]
    while count := _form_at_start(left):
        del left[:count]
    return left


def _form_at_end(words: list[str]) -> int:
    """Return of how many words the legal form at the end consists.

    A word of two letters may be a given name: it is a form only where several words or a longer one stand before it.
    """
    for count in range(min(MOST_WORDS, len(words)), 0, -1):
        last = words[-count:]
        if _is_form(last, TRAILING) and (
            count > 1 or len(last[0]) > 2 or len(words) != 2 or len(words[0]) > SHORT_WORD + 1
        ):
            return count
    return 0


def _form_at_start(words: list[str]) -> int:
    for count in range(min(MOST_WORDS, len(words) - 1), 0, -1):
        if _is_form(words[:count], LEADING):
            return count
    return 0


def _is_form(words: list[str], forms: frozenset[str]) -> bool:
    if len(words) == 1 or all(len(word) <= SHORT_WORD for word in words):
        return "".join(words) in forms
    return " ".join(words) in LONG_FORMS


def _in_pinyin(name: str) -> str:
    """Return a name with Chinese characters in pinyin, a person's family name separate, trades in English."""
    written = comparable(_without_unspaced(name)) or ""
    core = HAN_DROPPED.sub("", written)
    if len(core) <= LONGEST_PERSON and all(map(is_han, core)):
        syllables = pinyin_of(core)
        return f"{syllables[0]} {''.join(syllables[1:])}" if syllables else ""
    for characters, words in TRADES.items():
        core = core.replace(characters, f" {words} ")
    return " ".join(latin_readings("".join(pinyin_of(part)))[0] for part in core.split())
