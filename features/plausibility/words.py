"""Whether words are a name or a street at all, or what a hand leaves that has nothing to write."""

from __future__ import annotations

import itertools
import re
import unicodedata
from functools import lru_cache

from features.identifiers.placeholders import plain_words, says_nothing
from features.plausibility.tables import fillers, known_names

ROWS_OF_KEYS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "azertyuiop", "qsdfghjklm", "wxcvbn", "qwertzuiop", "yxcvbnm")
NEAR = frozenset(pair for row in ROWS_OF_KEYS for a, b in itertools.pairwise(row) for pair in (a + b, b + a))
MOSTLY = 0.8  # of the pairs of letters lie beside each other on the keyboard
LONG = 5  # letters of a word that is judged by itself
VOWELS = re.compile(r"[aeiouyàâäáãåæéèêëíîïìóôöòõøœúûüùýÿąęıő]")
HEAPED = re.compile(
    r"[bcdfghjklmnpqrstvwxz]{6,}"
)  # consonants; the longest of European words is five but for compounds
BLOCK = re.compile(r"^(..?.?)\1{1,}$")  # a syllable over and over
LATIN = "A-Za-zÀ-ÖØ-öø-ÿ"
IN_A_WORD = re.compile(rf"[{LATIN}][0-9$]+[{LATIN}]|^[0-9$]+[{LATIN}]{{2}}")  # J0hn, 4nna
INVERTED = re.compile(r"^[a-zà-ÿ]{2,}[A-ZÀ-Þ]$")  # nnA: a name written from its end
LETTERS = frozenset({"Lu", "Ll", "Lt", "Lo"})
NO_SCRIPT = frozenset({"FULLWIDTH", "MODIFIER", "FEMININE", "MASCULINE"})  # first words of names of letters
MIXED = (frozenset({"LATIN", "CYRILLIC"}), frozenset({"LATIN", "GREEK"}), frozenset({"CYRILLIC", "GREEK"}))


@lru_cache(maxsize=200_000)
def name_oddity(text: str) -> float:
    """Return 0 for what can be a name, 1 for what cannot, one half for digits within, or a turned word."""
    words = [word.strip(".,;()'\"") for word in text.split()]
    within = any(IN_A_WORD.search(word) and not word.isupper() for word in words)
    return max(oddity(text), 0.5 if within or any(map(INVERTED.match, words)) else 0.0)


@lru_cache(maxsize=200_000)
def oddity(text: str) -> float:
    """Return 0 for what can be words of a name or an address, 1 for what cannot, one half for hardly any letters.

    It cannot where it says nothing or is known from tales and forms (`known_names`), where the letters of a word run
    along a row of the keyboard, a word mixes scripts or has no vowel, or all words are a syllable repeated.
    """
    plain = plain_words(text)
    words = plain.split()
    letters = [word for word in words if any(map(str.isalpha, word))]
    if says_nothing(text) or not letters or plain in known_names():
        return 1.0
    if any(word in fillers() for word in letters) or any(map(_mixes_scripts, text.split())):
        return 1.0
    long_ones = [word for word in letters if len(word) >= LONG and word.isascii() and word.isalpha()]
    if any(map(_on_one_row, long_ones)) or any(map(_unspeakable, long_ones)):
        return 1.0
    if len(letters) > 1 and all(BLOCK.match(word) for word in letters if len(word) > 1):
        return 1.0
    return 0.5 if sum(map(len, letters)) < _fewest(plain) else 0.0


def _fewest(plain: str) -> int:
    return 4 if plain.isascii() else 2


def _on_one_row(word: str) -> bool:
    pairs = [a + b for a, b in itertools.pairwise(word)]
    speakable = sum(letter in "aeiou" for letter in word) * 3 > len(word)  # as in Weert or Trewe
    return not speakable and sum(pair in NEAR or pair[0] == pair[1] for pair in pairs) >= MOSTLY * len(pairs)


def _unspeakable(word: str) -> bool:
    return VOWELS.search(word) is None or HEAPED.search(word) is not None


def _mixes_scripts(word: str) -> bool:
    if word.isascii():
        return False
    return scripts_of(word) >= MIXED[0] or scripts_of(word) >= MIXED[1] or scripts_of(word) >= MIXED[2]


@lru_cache(maxsize=200_000)
def scripts_of(text: str) -> frozenset[str]:
    """Return the scripts of the letters of a text, as Unicode names them."""
    if text.isascii():
        return frozenset({"LATIN"}) if any(map(str.isalpha, text)) else frozenset()
    named = (unicodedata.name(letter, "") for letter in set(text) if unicodedata.category(letter) in LETTERS)
    return frozenset(name.split(" ", 1)[0].split("-", 1)[0] for name in named if name) - NO_SCRIPT
