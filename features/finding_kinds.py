"""The kinds of finding that an administration tells apart: codes, words, the wider kind of each, and its risk area."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from features.choices import LANGUAGES
from features.fault import Fault

STANDARD = Path(__file__).with_name("finding_kinds.toml")
COUNTED = ("counterfeit", "undervalued", "misdeclared", "prohibited", "dangerous")  # that history counts one by one
CODE = re.compile(r"[a-z][a-z0-9_]{1,29}")
LONGEST_AREA = 17  # characters, as the schema of IE4S02 has it
FIELDS = {"code", "within", "area", "words", "read"}


class KindsFault(Fault):
    """A file of kinds that cannot be used; the message names the kind and the key at fault."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding.

    within: the wider kind that a finding of it is counted as too; empty where there is none. area: of risk, as IE4S02
    names it; empty where the installation's standard one is meant. words: by language. read: further words for it.
    """

    code: str
    words: Mapping[str, str]
    within: str = ""
    area: str = ""
    read: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kinds:
    """All kinds of an installation, in the order in which people choose from them."""

    listed: tuple[Kind, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """The codes, as results name them."""
        return tuple(kind.code for kind in self.listed)

    def with_wider(self, codes: Iterable[str]) -> tuple[str, ...]:
        """Return codes, each once and with the wider kind that it lies within."""
        within = {kind.code: kind.within for kind in self.listed}
        each = dict.fromkeys(found for code in codes for found in (code, within.get(code, "")) if found)
        return tuple(each)

    def area_of(self, code: str) -> str:
        """Return the risk area of a kind; empty where none is stated, or the kind is no longer listed."""
        return next((kind.area for kind in self.listed if kind.code == code), "")

    def word_of(self, code: str, language: str) -> str:
        """Return what a kind is called; its code where it is no longer listed."""
        return next((kind.words[language] for kind in self.listed if kind.code == code), code)

    def main_of(self, chances: Mapping[str, float] | None) -> str | None:
        """Return the likeliest kind; the narrower one within it, where that makes up at least half of it.

        None where no chance of any kind is stated.
        """
        if not chances:
            return None
        likeliest = max(chances, key=lambda code: (chances[code], code))
        narrower = {kind.code for kind in self.listed if kind.within == likeliest and kind.code in chances}
        within = max(narrower, key=lambda code: (chances[code], code), default=likeliest)
        return within if 2 * chances[within] >= chances[likeliest] else likeliest


@lru_cache(maxsize=1)
def standard_kinds() -> Kinds:
    """Return the kinds that the product ships."""
    return Kinds(tuple(_kind(one, "?") for one in _listed(STANDARD)))


def load_kinds(path: Path | None) -> Kinds:
    """Return the kinds of an installation: the five that history counts, and its file's in place of the others.

    Raises KindsFault.
    """
    standard = standard_kinds()
    if path is None:
        return standard
    stated = [_kind(one, str(place)) for place, one in enumerate(_listed(path), 1)]
    codes = [kind.code for kind in stated]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise KindsFault(f"kinds: {twice[0]} is listed twice; leave one of them")
    by_code = {kind.code: kind for kind in stated}
    kept = [by_code.pop(kind.code, kind) for kind in standard.listed if kind.code in COUNTED]
    every = Kinds((*kept, *by_code.values()))
    for kind in every.listed:
        wider = next((other for other in every.listed if other.code == kind.within), None)
        if kind.within and (wider is None or wider.within or wider is kind):
            raise KindsFault(f"kind {kind.code}: within names another kind of the list that lies within none itself")
    return every


def _listed(path: Path) -> list[Any]:
    try:
        written = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise KindsFault(f"kinds: the file cannot be read: {fault.strerror}") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise KindsFault(f"kinds: not valid TOML: {fault}") from fault
    listed = written.pop("kinds", None)
    if written or not isinstance(listed, list) or not listed:
        raise KindsFault("kinds: needs a table [[kinds]] for each kind, and nothing else")
    return listed


def _kind(written: Any, place: str) -> Kind:
    """Read a kind; place: its number in the file, for faults."""
    if not isinstance(written, dict) or not CODE.fullmatch(str(written.get("code", ""))):
        raise KindsFault(f"kind {place}: code needs small letters, digits and _, 2 to 30 of them, a letter first")
    code = written["code"]
    if unknown := sorted(set(written) - FIELDS):
        raise KindsFault(f"kind {code}: unknown key {unknown[0]!r}; known are {', '.join(sorted(FIELDS))}")
    words = written.get("words")
    if not isinstance(words, dict) or set(words) != set(LANGUAGES) or not all(map(_text, words.values())):
        raise KindsFault(f"kind {code}: words needs a text in each of {', '.join(LANGUAGES)}")
    within, area, read = written.get("within", ""), written.get("area", ""), written.get("read", [])
    if not isinstance(within, str) or not isinstance(area, str) or len(area) > LONGEST_AREA:
        raise KindsFault(f"kind {code}: within and area are texts, the area of at most {LONGEST_AREA} characters")
    if not isinstance(read, list) or not all(map(_text, read)):
        raise KindsFault(f"kind {code}: read needs a list of words")
    return Kind(code, words, within, area, tuple(read))


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
