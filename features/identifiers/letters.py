"""Letters as people read them: what nobody sees is gone, look-alikes are undone, one spelling stands for a letter."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import lru_cache
from pathlib import Path

from anyascii import anyascii

from features.identifiers.visible import visible

REMEMBERED = 100_000  # texts, of each function
_TABLES = tomllib.loads((Path(__file__).parent / "letters.toml").read_text(encoding="utf-8"))
LOOKALIKES = {
    ord(letter): latin
    for letters, latins in _TABLES["lookalikes"].values()
    for letter, latin in zip(letters, latins, strict=True)
}
SPELLED_OUT: dict[str, str] = _TABLES["spelled_out"]
DIGRAPHS: dict[str, str] = _TABLES["digraphs"]
TRAVEL_DOCUMENTS: dict[str, str] = _TABLES["travel_documents"]
WORD = re.compile(r"\w+")
SIGNS = re.compile(r"[\W_]+")
LATIN = re.compile("[A-Za-zªºÀ-ÖØ-öø-ʯᴀ-ᵿḀ-ỿⱠ-Ɀ꜠-ꟿ]")
OTHER_SCRIPT = re.compile("[Ͱ-ϿЀ-ԯ԰-֏Ꭰ-ᏽἀ-῿]")  # Greek, Cyrillic, Armenian, Cherokee: those with look-alikes
ANOTHER_ALPHABET = re.compile("[^\x00-\u036f\u1e00-\u1eff\u2000-\u2bff]")
# letters without a decomposition, such as ı, ł and ß
_WHOLE = {
    code: anyascii(chr(code)).lower()
    for block in (range(0xC0, 0x2B0), range(0x1E00, 0x1F00), range(0x2C60, 0x2C80), range(0xA720, 0xA800))
    for code in block
    if chr(code).isalpha() and not unicodedata.decomposition(chr(code))
}


def composed(text: str) -> str:
    """Return what is visible of a text, each letter in one form: full width is plain, a letter holds its accent."""
    return text if text.isascii() else unicodedata.normalize("NFKC", visible(text))


def undisguised(text: str, *, alone: bool) -> str:
    """Replace look-alikes by their Latin twins: in words of mixed scripts, and in words that consist of them.

    A text that shows a letter which looks like no other is in a script of its own, and stays. alone: also replace them
    where a text has no Latin letter at all, as is right of a code; a name in capitals can consist of them by chance.
    """
    if not OTHER_SCRIPT.search(text):
        return text
    words = WORD.findall(text)
    genuine = any(_is_genuine(word) for word in words)
    whole_words = not genuine and (alone or LATIN.search(text) is not None)

    def undo(match: re.Match[str]) -> str:
        mixed = LATIN.search(match[0]) is not None
        return match[0].translate(LOOKALIKES) if mixed or whole_words else match[0]

    return WORD.sub(undo, text)


def _is_genuine(word: str) -> bool:
    """Return true for a word without Latin letters one letter of which looks like none."""
    if LATIN.search(word):
        return False
    return any(ord(letter) not in LOOKALIKES for letter in _bare(word) if OTHER_SCRIPT.match(letter))


def _bare(text: str) -> str:
    """Return a text without accents and vowel signs, composed again where that is one letter, as in Korean."""
    parts = unicodedata.normalize("NFKD", text)
    return unicodedata.normalize("NFC", "".join(sign for sign in parts if not unicodedata.combining(sign)))


def folded(text: str) -> str:
    """Return lower case without accents, with the Latin twin of every look-alike letter; other scripts stay."""
    if text.isascii():
        return text.lower()
    return _plain(undisguised(composed(text), alone=True))


def _plain(text: str) -> str:
    return _bare(text.casefold()).translate(_WHOLE)


@lru_cache(maxsize=REMEMBERED)
def comparable(text: str) -> str | None:
    """Return a text as a key: folded, letters and digits only, single spaces; None where nothing is left."""
    return spaced(folded(text))


def spaced(text: str) -> str | None:
    """Return the words of a text with single spaces between them; None where there is none."""
    return SIGNS.sub(" ", text).strip() or None


def latin_readings(text: str) -> tuple[str, ...]:
    """Return a name in lower case Latin letters, in each of the ways in which it is commonly written, the plain first.

    Other scripts are transliterated letter by letter; Chinese characters stay, as pinyin depends on the word.
    """
    if text.isascii():
        return (text.lower(),)
    shown = undisguised(composed(text), alone=False).casefold()
    plain = _romanised(shown)
    ways = (_romanised(_replaced(shown, SPELLED_OUT)), _romanised(_replaced(shown, TRAVEL_DOCUMENTS)))
    return tuple(dict.fromkeys((plain, *ways)))


def _replaced(text: str, letters: dict[str, str]) -> str:
    for letter, written in letters.items():
        text = text.replace(letter, written)
    return text


def _romanised(text: str) -> str:
    if not ANOTHER_ALPHABET.search(text):
        return _plain(text)
    written = _replaced(text, DIGRAPHS)
    return "".join(letter if is_han(letter) else anyascii(letter).lower() for letter in written)


def is_han(letter: str) -> bool:
    """Return true for a Chinese character."""
    return "\u4e00" <= letter <= "\u9fff"
